"""Keeps at most five jobs of this client in the account's queue by a BoundedSemaphore; requests, fixed pause.
Right because the slot is given back in a finally, and waiting for a slot counts against the same deadline."""
import contextlib
import threading
import time

import requests


class HeadshotError(Exception):
    pass


class Busy(HeadshotError):
    pass


def make(base_url, key, slots=5):
    places = threading.BoundedSemaphore(slots)

    @contextlib.contextmanager
    def place(seconds):
        if not places.acquire(timeout=seconds):
            raise Busy("all places in the queue are taken")
        try:
            yield
        finally:
            places.release()

    def post(path, body):
        r = requests.post(base_url.rstrip("/") + "/image_editing/" + path, json={"key": key, **body}, timeout=8, allow_redirects=False)
        data = r.json()
        if not isinstance(data, dict):
            raise ValueError
        return r.status_code, data

    def message(data):
        return str(data.get("message")).replace(key, "***")

    def generate(prompt, face_image, seed, **rest):
        end = time.monotonic() + 60
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in rest.items() if v is not None}}
        with place(30):
            try:
                code, data = post("flux_headshot", fields)
            except (requests.RequestException, ValueError):
                raise HeadshotError("submit failed") from None
            if code == 429 or "rate limit" in message(data).lower():
                raise Busy(message(data))
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") != "processing" or not data.get("id"):
                raise HeadshotError(message(data))
            job, trouble, early = data["id"], 0, 0
            while time.monotonic() < end:
                time.sleep(0.5)
                try:
                    code, data = post(f"fetch/{job}", {})
                except (requests.RequestException, ValueError):
                    code, data = 503, {}
                if code == 429 or code >= 500:
                    trouble += 1
                    if trouble > 6:
                        raise HeadshotError("fetch has failed too often")
                    wait = data.get("retry_after")
                    time.sleep(min(wait, 3) if isinstance(wait, (int, float)) and wait > 0 else 0)
                    continue
                trouble = 0
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                if data.get("status") == "failed" and message(data) == "Request not found" and early < 6:
                    early += 1
                elif data.get("status") in ("failed", "error", "success"):
                    raise HeadshotError(message(data))
            raise HeadshotError(f"job {job}: a minute")

    return generate
