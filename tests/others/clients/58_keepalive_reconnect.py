"""One kept-alive http.client connection per call, reopened for a fetch when the server has closed it.
Right because a dropped connection is reopened only for the free fetch; the submit is never written twice."""
import http.client
import json
import time
from urllib.parse import urlsplit


class HeadshotError(Exception):
    pass


class Line:
    def __init__(self, base_url, key):
        url = urlsplit(base_url)
        self.prefix, self.key = url.path.rstrip("/") + "/image_editing/", key
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(url.hostname, url.port, timeout=8)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.connection.close()

    def once(self, path, body):
        self.connection.request("POST", self.prefix + path, json.dumps({"key": self.key, **body}), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        raw = response.read()
        data = json.loads(raw)
        if not isinstance(data, dict) or response.status == 429 or response.status >= 500:
            raise ValueError("unusable reply")
        return data

    def fetch(self, job):
        for last in (False, True):
            try:
                return self.once(f"fetch/{job}", {})
            except (OSError, http.client.HTTPException):
                self.connection.close()
                if last:
                    raise


def make(base_url, key):
    trouble = (OSError, http.client.HTTPException, ValueError)

    def generate(*, prompt, face_image, seed, **kw):
        end = time.monotonic() + 45
        with Line(base_url, key) as line:
            try:
                data = line.once("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                   **{k: v for k, v in kw.items() if v is not None}})
            except trouble as exc:
                raise HeadshotError("submit: " + type(exc).__name__) from None
            job, count, early = data.get("id"), 0, 0
            while data.get("status") != "success":
                if data.get("status") == "failed" and job and data.get("message") == "Request not found" and early < 6:
                    early += 1
                elif data.get("status") in ("failed", "error") or not job:
                    raise HeadshotError(str(data.get("message", "no id")).replace(key, "***"))
                if time.monotonic() > end:
                    raise HeadshotError(f"job {job}: deadline")
                time.sleep(0.5)
                try:
                    data = line.fetch(job)
                    count = 0
                except trouble:
                    line.connection.close()
                    count, data = count + 1, {}
                    if count > 4:
                        raise HeadshotError(f"job {job}: connection trouble") from None
        if not isinstance(data.get("output"), list) or not data["output"]:
            raise HeadshotError("success, but output is empty")
        return data["output"]

    return generate
