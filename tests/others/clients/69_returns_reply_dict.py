"""Returns the final reply of the API as it is (a dict with status, id, output); requests, pauses in small slices.
Right because only a success with pictures is returned; every other end is an exception of its own."""
import time

import requests


class ApiError(Exception):
    pass


def nap(seconds, end):
    until = min(time.monotonic() + seconds, end)
    while time.monotonic() < until:
        time.sleep(0.1)


def make(base_url, key):
    def post(path, **body):
        try:
            response = requests.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={"key": key, **body}, timeout=8, allow_redirects=False)
            reply = response.json()
        except (requests.RequestException, ValueError):
            return None
        if not isinstance(reply, dict) or response.status_code >= 500 or response.status_code == 429:
            return None
        return reply

    def headshot(prompt, face_image, seed, **options):
        end = time.monotonic() + 40
        reply = post("flux_headshot", prompt=prompt, face_image=face_image, seed=seed, **{k: v for k, v in options.items() if v is not None})
        if reply is None:
            raise ApiError("the submit was not answered")
        job, empty, early = reply.get("id"), 0, 0
        while True:
            if reply is not None:
                empty = 0
                if reply.get("status") == "success" and reply.get("output"):
                    return reply
                if reply.get("status") == "failed" and job and reply.get("message") == "Request not found" and early < 6:
                    early += 1
                elif reply.get("status") in ("success", "failed", "error") or not job:
                    raise ApiError(str(reply.get("message", "no result")).replace(key, "***"))
            else:
                empty += 1
                if empty > 5:
                    raise ApiError(f"job {job}: not answered")
            if time.monotonic() >= end:
                raise ApiError(f"job {job}: 40 seconds")
            nap(0.5, end)
            reply = post(f"fetch/{job}")

    return headshot
