"""urllib with compact JSON in raw UTF-8, charset in the Content-Type, an Idempotency-Key and a User-Agent header.
Right because additional headers are harmless, raw UTF-8 is JSON's own encoding, and the id of the call is no secret."""
import json
import time
import urllib.request
import uuid
from http.client import HTTPException
from urllib.error import HTTPError


class HeadshotError(Exception):
    pass


class Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def make(base_url, key):
    opener = urllib.request.build_opener(Still())
    opener.addheaders = [("User-Agent", "portrait-cli/0.7 (+https://example.com)")]

    def post(path, fields, call):
        data = json.dumps({**fields, "key": key}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        request = urllib.request.Request(f"{base_url.rstrip('/')}/image_editing/{path}", data, method="POST",
                                         headers={"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": call})
        try:
            with opener.open(request, timeout=8) as answer:
                return json.loads(answer.read().decode("utf-8-sig"))
        except HTTPError as answer:
            with answer:
                if answer.code == 429 or answer.code >= 500:
                    raise ValueError(f"HTTP {answer.code}") from None
                return json.loads(answer.read())

    def generate(prompt, face_image, seed, **fields):
        call, end = str(uuid.uuid4()), time.monotonic() + 40
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in fields.items() if v is not None}}
        try:
            reply = post("flux_headshot", fields, call)
            status = reply.get("status")
        except (OSError, HTTPException, ValueError, AttributeError) as exc:
            raise HeadshotError(f"submit: {type(exc).__name__}") from None
        job, bad, early = reply.get("id"), 0, 0
        while True:
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status == "failed" and job and reply.get("message") == "Request not found" and early < 6:
                early += 1
            elif status in ("success", "failed", "error") or not job:
                raise HeadshotError(str(reply.get("message", "no id")).replace(key, "***"))
            if time.monotonic() > end:
                raise HeadshotError(f"job {job}: deadline")
            time.sleep(0.5)
            try:
                reply = post(f"fetch/{job}", {}, call)
                status, bad = reply.get("status"), 0
            except (OSError, HTTPException, ValueError, AttributeError):
                status, bad = None, bad + 1
                if bad > 5:
                    raise HeadshotError(f"job {job}: fetch keeps failing") from None

    return generate
