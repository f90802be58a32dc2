"""Shells out to curl; the body with the key goes in by stdin, never on the command line where ps could show it.
Right because --max-time bounds every call, redirects are off by default, and the exit code is looked at."""
import json
import subprocess
import time


class HeadshotError(Exception):
    pass


def make(base_url, key):
    def post(path, body, seconds=10):
        command = ["curl", "--silent", "--max-time", str(seconds), "--header", "Content-Type: application/json", "--data-binary", "@-",
                   "--write-out", "\n%{http_code}", base_url.rstrip("/") + "/image_editing/" + path]
        try:
            done = subprocess.run(command, input=json.dumps(dict(body, key=key)).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  timeout=seconds + 2)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode != 0:
            return None
        text, _, code = done.stdout.decode("utf-8", "replace").rpartition("\n")
        try:
            data = json.loads(text)
        except ValueError:
            return None
        if not isinstance(data, dict) or int(code) >= 500 or int(code) == 429:
            return None
        return data

    def generate(prompt, face_image, seed, **fields):
        deadline = time.monotonic() + 45
        fields = {k: v for k, v in fields.items() if v is not None}
        data = post("flux_headshot", dict(fields, prompt=prompt, face_image=face_image, seed=seed), 20)
        if data is None:
            raise HeadshotError("submit failed")
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise HeadshotError(str(data.get("message")).replace(key, "***"))
        job, failed, early = str(data["id"]), 0, 0
        while time.monotonic() < deadline:
            time.sleep(0.6)
            data = post("fetch/" + job, {}, 6)
            if data is None:
                failed += 1
                if failed > 4:
                    raise HeadshotError("job %s: curl failed five times" % job)
                continue
            failed = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("message") == "Request not found" and early < 5:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError("job %s: %s" % (job, str(data.get("message")).replace(key, "***")))
        raise HeadshotError("job %s: not ready" % job)

    return generate
