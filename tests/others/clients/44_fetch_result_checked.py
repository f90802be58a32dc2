"""Uses the address in fetch_result, but only when scheme, host and port are those of the base address; else builds it from the id.
Right because the key is never posted to a host that the caller did not configure."""
import time
from urllib.parse import urlsplit

import requests


class HeadshotError(Exception):
    pass


class ForeignAddress(HeadshotError):
    pass


def origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def make(base_url, key):
    home = origin(base_url)

    def post(url, body):
        assert origin(url) == home
        r = requests.post(url, json=body, timeout=9, allow_redirects=False)
        if r.status_code == 429 or r.status_code >= 500:
            raise ValueError("HTTP %d" % r.status_code)
        data = r.json()
        if not isinstance(data, dict):
            raise ValueError("no object")
        return data

    def address(reply):
        offered, job = reply.get("fetch_result"), reply.get("id")
        try:
            if isinstance(offered, str) and offered and origin(offered) == home:
                return offered
        except ValueError:
            pass
        if job not in (None, ""):
            return f"{base_url.rstrip('/')}/image_editing/fetch/{job}"
        if offered:
            raise ForeignAddress("the reply points to another host")
        raise HeadshotError("neither an id nor an address to fetch from")

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 45
        fields = {k: v for k, v in kw.items() if v is not None}
        try:
            reply = post(base_url.rstrip("/") + "/image_editing/flux_headshot", {**fields, "key": key, "prompt": prompt, "face_image": face_image, "seed": seed})
        except (requests.RequestException, ValueError):
            raise HeadshotError("submit failed") from None
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") != "processing":
            raise HeadshotError(str(reply.get("message")).replace(key, "***"))
        where, bad, early = address(reply), 0, 0
        while time.monotonic() < end:
            time.sleep(0.5)
            try:
                reply = post(where, {"key": key})
            except (requests.RequestException, ValueError):
                bad += 1
                if bad > 5:
                    raise HeadshotError("fetch failed") from None
                continue
            bad = 0
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") == "failed" and not reply.get("id") and early < 6:
                early += 1
            elif reply.get("status") in ("failed", "error", "success"):
                raise HeadshotError(str(reply.get("message", "no links")).replace(key, "***"))
        raise HeadshotError("not ready in 45 s")

    return generate
