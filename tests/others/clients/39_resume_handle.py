"""A deadline gives a StillRunning exception with a resume() method instead of losing the paid job.
Right because resume only fetches; it keeps the id, never the request, so it cannot submit again."""
import time

import requests


class HeadshotError(Exception):
    pass


class StillRunning(HeadshotError):
    def __init__(self, job, resume):
        super().__init__(f"job {job} is still running; call .resume() to keep waiting")
        self.job = job
        self.resume = resume


def make(base_url, key, patience=25.0):
    fetch_url = base_url.rstrip("/") + "/image_editing/fetch/"
    submit_url = base_url.rstrip("/") + "/image_editing/flux_headshot"

    def post(url, **body):
        response = requests.post(url, json={"key": key, **body}, timeout=8, allow_redirects=False)
        data = response.json()
        if response.status_code == 429 or response.status_code >= 500 or type(data) is not dict:
            raise ValueError("unusable")
        return data

    def wait(job, seconds=patience):
        until, bad, early = time.monotonic() + seconds, 0, 0
        while time.monotonic() < until:
            time.sleep(0.5)
            try:
                data = post(fetch_url + str(job))
            except (requests.RequestException, ValueError):
                bad += 1
                if bad >= 6:
                    raise HeadshotError(f"job {job}: six bad fetches") from None
                continue
            bad = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and "not found" in str(data.get("message")).lower() and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(data.get("message", "no output")).replace(key, "***"))
        raise StillRunning(job, lambda seconds=patience: wait(job, seconds))

    def generate(prompt, face_image, seed, **optional):
        try:
            data = post(submit_url, prompt=prompt, face_image=face_image, seed=seed, **{k: v for k, v in optional.items() if v is not None})
        except (requests.RequestException, ValueError):
            raise HeadshotError("submit went wrong; look at your history before sending it again") from None
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise HeadshotError(str(data.get("message")).replace(key, "***"))
        return wait(data["id"])

    return generate
