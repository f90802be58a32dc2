"""Returns a Result object that behaves like a list; unknown status words are an error at once instead of being polled on.
Right because a word outside the contract is reported by name rather than guessed at, and the id lets the caller look later."""
import time
from collections.abc import Sequence

import requests


class HeadshotError(Exception):
    def __init__(self, text, job=None):
        self.job = job
        super().__init__(text if job is None else f"{text} (job {job})")


class Result(Sequence):
    def __init__(self, links, job, meta):
        self.links, self.job, self.meta = list(links), job, meta or {}

    def __getitem__(self, index):
        return self.links[index]

    def __len__(self):
        return len(self.links)

    def __repr__(self):
        return f"<Result job={self.job} links={self.links}>"


def make(base_url, key):
    session = requests.Session()
    session.headers.update({"Accept": "application/json"})

    def post(path, body):
        r = session.post(base_url.rstrip("/") + "/image_editing/" + path, json=body, timeout=10, allow_redirects=False)
        data = r.json()
        if not isinstance(data, dict) or r.status_code >= 500 or r.status_code == 429:
            raise ValueError("unusable")
        return data

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 40
        try:
            data = post("flux_headshot", {**{k: v for k, v in kw.items() if v is not None}, "key": key, "prompt": prompt, "face_image": face_image, "seed": seed})
        except (requests.RequestException, ValueError):
            raise HeadshotError("submit failed") from None
        meta, job, bad, early = data.get("meta"), data.get("id"), 0, 0
        while True:
            status = data.get("status")
            if status == "success":
                if not data.get("output"):
                    raise HeadshotError("success without output", job)
                return Result(data["output"], job, meta)
            if status == "failed" and data.get("message") == "Request not found" and job and early < 6:
                early += 1
            elif status in ("failed", "error"):
                raise HeadshotError(str(data.get("message", "refused")).replace(key, "***"), job)
            elif status not in ("processing", None):
                raise HeadshotError(f"unexpected status {str(status)[:30].replace(key, '***')!r}", job)
            elif not job:
                raise HeadshotError("reply without id")
            if time.monotonic() >= end:
                raise HeadshotError("not ready after 40 s", job)
            time.sleep(0.5)
            try:
                data, bad = post(f"fetch/{job}", {"key": key}), 0
            except (requests.RequestException, ValueError):
                data, bad = {"status": "processing"}, bad + 1
                if bad > 5:
                    raise HeadshotError("fetch failed too often", job) from None

    return generate
