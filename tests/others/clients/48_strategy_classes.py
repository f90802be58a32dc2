"""Back-off as a strategy object (Fixed, Doubling) chosen at construction; abstract base class, injected clock and sleep.
Right because strategies only name pauses; the deadline and the counting of faults stay in one place."""
import time
from abc import ABC, abstractmethod
from typing import Callable, Iterator

import requests


class HeadshotError(Exception):
    pass


class Pauses(ABC):
    @abstractmethod
    def __iter__(self) -> Iterator[float]:
        ...


class Fixed(Pauses):
    def __init__(self, seconds: float):
        self.seconds = seconds

    def __iter__(self):
        while True:
            yield self.seconds


class Doubling(Pauses):
    def __init__(self, start: float, most: float):
        self.start, self.most = start, most

    def __iter__(self):
        pause = self.start
        while True:
            yield pause
            pause = min(pause * 2, self.most)


class Generator:
    def __init__(self, base_url: str, key: str, pauses: Pauses, clock: Callable[[], float] = time.monotonic, sleep=time.sleep, limit: float = 50):
        self._base, self._key = base_url.rstrip("/"), key
        self.pauses, self.clock, self.sleep, self.limit = pauses, clock, sleep, limit

    def _post(self, path, body):
        try:
            response = requests.post(self._base + path, json={**body, "key": self._key}, timeout=8, allow_redirects=False)
            data = response.json()
        except (requests.RequestException, ValueError):
            return {"status": "?"}
        if response.status_code == 429 or response.status_code >= 500 or not isinstance(data, dict):
            return {"status": "?"}
        return data

    def _links(self, data):
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        raise HeadshotError(str(data.get("message", "no result")).replace(self._key, "***"))

    def __call__(self, prompt, face_image, seed, **fields):
        end = self.clock() + self.limit
        data = self._post("/image_editing/flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                           **{k: v for k, v in fields.items() if v is not None}})
        if data.get("status") != "processing" or not data.get("id"):
            return self._links(data)
        job, bad, early = data["id"], 0, 0
        for pause in self.pauses:
            left = end - self.clock()
            if left <= 0:
                break
            self.sleep(min(pause, left))
            data = self._post(f"/image_editing/fetch/{job}", {})
            status = data.get("status")
            if status == "?":
                bad += 1
                if bad > 5:
                    raise HeadshotError("fetch is not usable")
                continue
            bad = 0
            if status == "failed" and data.get("message") == "Request not found" and early < 6:
                early += 1
            elif status in ("success", "failed", "error"):
                return self._links(data)
        raise HeadshotError(f"job {job}: limit of {self.limit} s")


def make(base_url, key):
    return Generator(base_url, key, Doubling(0.25, 2))
