"""Internals as a generator: it yields replies, the caller's loop decides; pauses lie inside the generator.
Right because the generator counts faults and time itself and always ends by return or by an exception."""
import json
import time
import urllib.request
from http.client import HTTPException
from urllib.error import HTTPError


class HeadshotError(Exception):
    pass


class _Plain(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def make(base_url, key):
    opener = urllib.request.build_opener(_Plain)

    def post(path, **body):
        body["key"] = key
        req = urllib.request.Request(base_url.rstrip("/") + "/image_editing/" + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with opener.open(req, timeout=8) as f:
                return json.load(f)
        except HTTPError as e:
            with e:
                if e.code == 429 or e.code >= 500:
                    return None
                return json.load(e)

    def replies(fields, seconds=45):
        started = time.monotonic()
        first = post("flux_headshot", **fields)
        if not isinstance(first, dict):
            raise HeadshotError("bad reply to submit")
        yield first
        job, bad = first.get("id"), 0
        if not job:
            raise HeadshotError("no job id: " + str(first.get("message", "")).replace(key, "***"))
        while time.monotonic() - started < seconds:
            time.sleep(0.5)
            try:
                reply = post(f"fetch/{job}")
            except (OSError, HTTPException, ValueError):
                reply = None
            if isinstance(reply, dict):
                bad = 0
                yield reply
            else:
                bad += 1
                if bad == 6:
                    raise HeadshotError("fetch failed six times")
        raise HeadshotError(f"job {job}: out of time")

    def generate(prompt, face_image, seed, **opts):
        fields = dict(prompt=prompt, face_image=face_image, seed=seed)
        fields.update(p for p in opts.items() if p[1] is not None)
        unknown = 0
        try:
            for reply in replies(fields):
                status = reply.get("status")
                if status == "success":
                    if not reply.get("output"):
                        raise HeadshotError("success without links")
                    return reply["output"]
                if status == "failed" and not reply.get("id") and unknown < 7:
                    unknown += 1
                elif status in ("failed", "error"):
                    raise HeadshotError(str(reply.get("message", status)).replace(key, "***"))
        except (OSError, HTTPException, ValueError) as exc:
            raise HeadshotError("submit: " + type(exc).__name__) from None

    return generate
