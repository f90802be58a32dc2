"""Asks at once after the submit and sleeps only after an unfinished reply.
Right because the early 'Request not found' that this habit provokes is tolerated for the first seconds of the job."""
import time

import httpx


class HeadshotError(Exception):
    pass


GRACE = 8.0


def make(base_url, key):
    def generate(prompt, face_image, seed, **kw):
        begin = time.monotonic()
        with httpx.Client(base_url=base_url.rstrip("/") + "/image_editing/", timeout=10) as http:
            try:
                reply = http.post("flux_headshot", json={"key": key, "prompt": prompt, "face_image": face_image, "seed": seed,
                                                         **{k: v for k, v in kw.items() if v is not None}}).json()
                status = reply.get("status")
            except (httpx.HTTPError, ValueError, AttributeError):
                raise HeadshotError("submit failed") from None
            if status == "success" and reply.get("output"):
                return reply["output"]
            job = reply.get("id")
            if status != "processing" or not job:
                raise HeadshotError(str(reply.get("message")).replace(key, "***"))

            trouble = 0
            while True:
                try:
                    response = http.post(f"fetch/{job}", json={"key": key})
                    reply = response.json()
                    if response.status_code == 429 or response.status_code >= 500:
                        raise ValueError
                    status = reply.get("status")
                    trouble = 0
                except (httpx.HTTPError, ValueError, AttributeError):
                    status = None
                    trouble += 1
                    if trouble > 5:
                        raise HeadshotError(f"job {job} cannot be fetched") from None
                age = time.monotonic() - begin
                if status == "success" and reply.get("output"):
                    return reply["output"]
                if status in ("success", "error"):
                    raise HeadshotError(str(reply.get("message", "no output")).replace(key, "***"))
                if status == "failed" and not (age < GRACE and reply.get("message") == "Request not found"):
                    raise HeadshotError(str(reply.get("message")).replace(key, "***"))
                if age > 45:
                    raise HeadshotError(f"job {job} is too slow")
                time.sleep(0.5)

    return generate
