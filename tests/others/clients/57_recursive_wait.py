"""Recursion instead of a loop: wait() calls itself with one try less.
Right because the depth is bounded (60), far below the recursion limit, and each step pauses."""
import time

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    http = httpx.Client()
    http_url = base_url.rstrip("/") + "/image_editing/"

    def post(path, body):
        try:
            res = http.post(http_url + path, json=body, timeout=8)
            data = res.json()
        except (httpx.HTTPError, ValueError):
            return {}
        return data if isinstance(data, dict) and res.status_code != 429 and res.status_code < 500 else {}

    def tell(data, default):
        return HeadshotError(str(data.get("message") or default).replace(key, "***"))

    def wait(job, tries, faults, early):
        if tries == 0:
            raise HeadshotError(f"job {job} did not finish")
        time.sleep(0.6)
        data = post(f"fetch/{job}", {"key": key})
        status = data.get("status")
        if status == "success" and data.get("output"):
            return data["output"]
        if not data:
            if faults == 0:
                raise HeadshotError(f"job {job} can no longer be fetched")
            return wait(job, tries - 1, faults - 1, early)
        if status == "failed" and data.get("id") == "" and early > 0:
            return wait(job, tries - 1, 5, early - 1)
        if status in ("success", "failed", "error"):
            raise tell(data, "no output")
        return wait(job, tries - 1, 5, early)

    def generate(prompt, face_image, seed, **optional):
        data = post("flux_headshot", {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed,
                                      **{k: v for k, v in optional.items() if v is not None}})
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise tell(data, "submit failed")
        return wait(data["id"], 60, 5, 6)

    return generate
