"""Only the standard library: urllib.request, a wall-clock deadline by time.time, linear back-off.
Right because HTTPError is read as an ordinary reply, and the wait grows but stays below three seconds."""
import json
import time
from urllib import error, request


class HeadshotException(Exception):
    pass


class NoRedirect(request.HTTPRedirectHandler):
    http_error_301 = http_error_302 = http_error_303 = http_error_307 = http_error_308 = None


def make(base_url, key):
    opener = request.build_opener(request.ProxyHandler(), NoRedirect())

    def post(path, doc):
        req = request.Request(base_url.rstrip("/") + path, data=json.dumps(doc).encode(), method="POST",
                              headers={"Content-Type": "application/json", "Accept": "application/json"})
        try:
            with opener.open(req, timeout=10) as resp:
                return resp.status, json.loads(resp.read().decode("utf-8"))
        except error.HTTPError as exc:
            return exc.code, json.loads(exc.read().decode("utf-8"))

    def generate(prompt, face_image, seed, width=None, height=None, **kw):
        stop_at = time.time() + 60
        doc = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        for name, value in dict(kw, width=width, height=height).items():
            if value is not None:
                doc[name] = value
        try:
            code, first = post("/image_editing/flux_headshot", doc)
            status = first.get("status")
        except Exception as exc:
            raise HeadshotException("submit failed: " + type(exc).__name__) from None
        if status == "success" and first.get("output"):
            return first["output"]
        if code >= 400 or status != "processing" or first.get("id") in ("", None):
            raise HeadshotException("API: " + str(first.get("message", code)).replace(key, "KEY"))

        job = first["id"]
        wait, problems, unknown = 0.3, 0, 0
        while time.time() < stop_at:
            time.sleep(wait)
            wait = min(wait + 0.3, 3)
            try:
                code, now = post("/image_editing/fetch/" + str(job), {"key": key})
                status = now.get("status")
            except Exception:
                code = 500
            if code >= 500 or code == 429:
                problems += 1
                if problems > 4:
                    raise HeadshotException("five fetches of job %s failed" % job)
                continue
            problems = 0
            if status == "success" and now.get("output"):
                return now["output"]
            if status == "failed" and now.get("id", "") == "" and unknown < 4:
                unknown += 1
                continue
            if status not in ("processing", "queued", "failed", "error", "success", None):
                continue    # some new word: not an end state as far as we know
            if status in ("failed", "error", "success"):
                raise HeadshotException("job %s: %s" % (job, str(now.get("message", "no output")).replace(key, "KEY")))
        raise HeadshotException("job %s: time is up" % job)

    return generate
