"""The whole polling loop is a task of a ThreadPoolExecutor, and the caller waits with future.result(timeout).
Right because the loop checks a stop flag between short sleeps, so leaving the `with` block never hangs after a time-out."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError as FutureTimeout

import httpx


class HeadshotError(Exception):
    def __init__(self, message, job=None):
        super().__init__(message)
        self.job = job


def _poll(client, url, key, stop):
    strikes, unknown = 0, 0
    while not stop.is_set():
        time.sleep(0.3)
        try:
            res = client.post(url, json={"key": key}, timeout=5.0)
            data = res.json()
            ok = res.status_code < 500 and res.status_code != 429 and isinstance(data, dict)
        except (httpx.TransportError, ValueError):
            ok = False
        if not ok:
            strikes += 1
            if strikes > 4:
                raise HeadshotError("five fetches in a row went wrong")
            continue
        strikes = 0
        match data.get("status"), data.get("output"):
            case "success", [*links] if links:
                return links
            case "success", _:
                raise HeadshotError("success without links")
            case "failed", _ if data.get("id") == "" and unknown < 10:
                unknown += 1
            case ("failed" | "error"), _:
                raise HeadshotError(str(data.get("message")).replace(key, "(key)"))
    return None


def make(base_url, key):
    api = base_url.rstrip("/") + "/image_editing"

    def generate(prompt, face_image, seed, **optional):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        for name in optional:
            if optional[name] is not None:
                body[name] = optional[name]
        until = time.monotonic() + 30
        stop = threading.Event()
        with httpx.Client() as client, ThreadPoolExecutor(max_workers=1) as pool:
            try:
                reply = client.post(api + "/flux_headshot", json=body, timeout=15.0).json()
            except (httpx.TransportError, ValueError):
                raise HeadshotError("no answer to the submit") from None
            match reply:
                case {"status": "success", "output": [*links]} if links:
                    return links
                case {"status": "processing", "id": int() | str() as job} if job != "":
                    pass
                case {"message": message}:
                    raise HeadshotError(str(message).replace(key, "(key)"))
                case _:
                    raise HeadshotError("unreadable answer to the submit")
            future = pool.submit(_poll, client, f"{api}/fetch/{job}", key, stop)
            try:
                return future.result(timeout=until - time.monotonic())
            except FutureTimeout:
                raise HeadshotError("not finished in 30 seconds", job) from None
            finally:
                stop.set()

    return generate
