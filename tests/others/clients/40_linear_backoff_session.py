"""requests.Session shared by all calls, linear back-off 0.2, 0.4, 0.6 … up to 2 seconds.
Right because the back-off restarts for every call and lives in local variables only."""
import itertools
import time

import requests


class HeadshotError(Exception):
    pass


def make(base_url, key):
    session = requests.Session()
    session.max_redirects = 0

    def post(path, body):
        return session.post(base_url.rstrip("/") + path, json=body, timeout=(4, 10), allow_redirects=False)

    def generate(*, prompt, face_image, seed, **kwargs):
        deadline = time.monotonic() + 45
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        for k in sorted(kwargs):
            if kwargs[k] is not None:
                body[k] = kwargs[k]
        try:
            reply = post("/image_editing/flux_headshot", body).json()
        except requests.RequestException as exc:    # JSONDecodeError of requests is one of them
            raise HeadshotError("submit: %s" % type(exc).__name__) from None
        if not isinstance(reply, dict):
            raise HeadshotError("submit: unexpected reply")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") in ("error", "failed", "success", None) or reply.get("id") in (None, ""):
            raise HeadshotError(str(reply.get("message", "?")).replace(key, "***"))
        bad = early = 0
        for step in itertools.count(1):
            left = deadline - time.monotonic()
            if left <= 0:
                raise HeadshotError("deadline passed for job %s" % reply["id"])
            time.sleep(min(0.2 * step, 2, left))
            try:
                res = post("/image_editing/fetch/%s" % reply["id"], {"key": key})
                now = res.json()
            except requests.RequestException:
                res = now = None
            if res is None or res.status_code == 429 or res.status_code >= 500 or not isinstance(now, dict):
                bad += 1
                if bad > 5:
                    raise HeadshotError("job %s: fetch does not work" % reply["id"])
                continue
            bad = 0
            if now.get("status") == "success" and now.get("output"):
                return now["output"]
            if now.get("status") == "failed" and now.get("message") == "Request not found" and early < 5:
                early += 1
                continue
            if now.get("status") in ("failed", "error", "success"):
                raise HeadshotError(str(now.get("message", "no output")).replace(key, "***"))

    return generate
