"""Exponential back-off with full jitter from an own random.Random, urllib3 for HTTP.
Right because the jitter has a floor (never a busy loop) and a ceiling (never past the deadline)."""
import json
import random
import time

import urllib3
from urllib3.exceptions import HTTPError


class HeadshotError(Exception):
    pass


def make(base_url, key):
    http = urllib3.PoolManager(maxsize=4, retries=False, timeout=8.0)
    dice = random.Random()

    def post(path, body):
        try:
            r = http.request("POST", f"{base_url.rstrip('/')}/image_editing/{path}", json={**body, "key": key}, redirect=False)
            data = json.loads(r.data)
        except (HTTPError, ValueError):
            return None
        if r.status == 429 or r.status >= 500 or not isinstance(data, dict):
            return None
        return data

    def error(data):
        return HeadshotError(str(data.get("message", "no message")).replace(key, "***"))

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 40
        first = post("flux_headshot", {**{k: v for k, v in kw.items() if v is not None}, "prompt": prompt, "face_image": face_image, "seed": seed})
        if first is None:
            raise HeadshotError("submit failed")
        if first.get("status") == "success" and first.get("output"):
            return first["output"]
        if first.get("status") != "processing" or not first.get("id"):
            raise error(first)
        width, holes, early = 0.4, 0, 0
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1 + dice.uniform(0, width)))
            width = min(width * 1.7, 2.5)
            data = post(f"fetch/{first['id']}", {})
            if data is None:
                holes += 1
                if holes > 5:
                    raise HeadshotError(f"job {first['id']}: fetch is dead")
                continue
            holes = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("id") == "" and early < 8:
                early += 1
            elif data.get("status") in ("failed", "error", "success"):
                raise error(data)
        raise HeadshotError(f"job {first['id']}: 40 s are over")

    return generate
