"""A decorator @patient(times, pause) of its own, put on fetch() only; requests with an Accept header.
Right because the decorator re-raises after the last try, and submit() deliberately has no decorator."""
import functools
import time

import requests


class HeadshotError(Exception):
    pass


class Transient(Exception):
    pass


def patient(times, pause):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for attempt in range(times):
                try:
                    return function(*args, **kwargs)
                except Transient:
                    if attempt == times - 1:
                        raise HeadshotError(f"{function.__name__} failed {times} times") from None
                    time.sleep(pause * (attempt + 1))
        return wrapper
    return decorate


class Api:
    def __init__(self, base_url, key):
        self.base_url = base_url.rstrip("/")
        self.key = key

    def __repr__(self):
        return f"Api({self.base_url!r})"

    def _post(self, path, body):
        try:
            response = requests.post(self.base_url + path, json={**body, "key": self.key}, timeout=8, allow_redirects=False,
                                     headers={"Accept": "application/json"})
            if response.status_code == 429 or response.status_code >= 500:
                raise Transient
            data = response.json()
            if not isinstance(data, dict):
                raise Transient
            return data
        except (requests.RequestException, ValueError):
            raise Transient from None

    def submit(self, fields):
        try:
            return self._post("/image_editing/flux_headshot", fields)
        except Transient:
            raise HeadshotError("the submit failed and is not repeated") from None

    @patient(times=5, pause=0.2)
    def fetch(self, job):
        return self._post(f"/image_editing/fetch/{job}", {})

    def links(self, data):
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        raise HeadshotError(str(data.get("message", "no output")).replace(self.key, "***"))

    def headshot(self, prompt, face_image, seed, **options):
        end = time.monotonic() + 50
        data = self.submit({"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in options.items() if v is not None}})
        job, early = data.get("id"), 0
        if data.get("status") != "processing" or not job:
            return self.links(data)
        while time.monotonic() < end:
            time.sleep(0.6)
            data = self.fetch(job)
            if data.get("status") == "failed" and data.get("message") == "Request not found" and early < 5:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                return self.links(data)
        raise HeadshotError(f"job {job} is not done after 50 seconds")


def make(base_url, key):
    return Api(base_url, key).headshot
