"""A circuit breaker shared by all calls of one make(): after five transport failures in a row it refuses for two seconds.
Right because only transport failures and 5xx count, so a refused argument never blocks the next caller."""
import threading
import time

import requests


class HeadshotError(Exception):
    pass


class CircuitOpen(HeadshotError):
    pass


class Breaker:
    def __init__(self, limit=5, cool=2.0):
        self.limit, self.cool = limit, cool
        self.failures, self.opened = 0, None
        self.lock = threading.Lock()

    def before(self):
        with self.lock:
            if self.opened is not None and time.monotonic() - self.opened < self.cool:
                raise CircuitOpen("the API failed repeatedly; try later")

    def ok(self):
        with self.lock:
            self.failures, self.opened = 0, None

    def bad(self):
        with self.lock:
            self.failures += 1
            if self.failures >= self.limit:
                self.opened = time.monotonic()


def make(base_url, key):
    breaker = Breaker()
    url = base_url.rstrip("/")

    def post(path, body, timeout):
        try:
            r = requests.post(url + path, json={"key": key, **body}, timeout=timeout, allow_redirects=False)
            if r.status_code >= 500:
                raise ValueError
            data = r.json()
            if not isinstance(data, dict):
                raise ValueError
        except (requests.RequestException, ValueError):
            breaker.bad()
            return None
        breaker.ok()
        return None if r.status_code == 429 and "/fetch/" in path else data

    def error(data):
        return HeadshotError(str(data.get("message") or "refused").replace(key, "***"))

    def generate(prompt, face_image, seed, **kw):
        breaker.before()
        end = time.monotonic() + 45
        data = post("/image_editing/flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                     **{k: v for k, v in kw.items() if v is not None}}, 20)
        if data is None:
            raise HeadshotError("submit failed; not repeated")
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise error(data)
        job, silent, early = data["id"], 0, 0
        while time.monotonic() < end:
            time.sleep(0.5)
            data = post(f"/image_editing/fetch/{job}", {}, 6)
            if data is None:
                silent += 1
                if silent > 4:
                    raise HeadshotError(f"job {job}: fetch failed {silent} times")
                continue
            silent = 0
            status = data.get("status")
            if status == "success" and data.get("output"):
                return data["output"]
            if status == "failed" and data.get("message") == "Request not found" and early < 5:
                early += 1
            elif status in ("success", "failed", "error"):
                raise error(data)
        raise HeadshotError(f"job {job}: deadline")

    return generate
