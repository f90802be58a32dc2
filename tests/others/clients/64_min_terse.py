"""The shortest honest version: twenty-five lines, requests, one loop for submit and fetch alike.
Right because the first URL is left after one request, so the loop can only repeat the fetch."""
import time

import requests


class Oops(Exception):
    pass


def make(base_url, key):
    def gen(**kw):
        root, end, bad, early, job = base_url.rstrip("/") + "/image_editing/", time.monotonic() + 40, 0, 6, None
        url, body = root + "flux_headshot", {"key": key, **{k: v for k, v in kw.items() if v is not None}}
        while time.monotonic() < end:
            try:
                r = requests.post(url, json=body, timeout=8, allow_redirects=False)
                d = r.json() if r.status_code < 500 and r.status_code != 429 else {}
                s = d.get("status")
            except (requests.RequestException, ValueError, AttributeError):
                d, s = {}, None
            if s == "success" and d.get("output"):
                return d["output"]
            bad = 0 if s else bad + 1
            early -= (gone := s == "failed" and job is not None and d.get("id") == "")
            if (s in ("failed", "error", "success") and not (gone and early >= 0)) or bad > 5:
                raise Oops(str(d.get("message", "no usable reply")).replace(key, "***"))
            job = job or d.get("id")
            if not job:
                raise Oops("submit failed")
            url, body = f"{root}fetch/{job}", {"key": key}
            time.sleep(0.5)
        raise Oops(f"job {job}: too slow")

    return gen
