"""concurrent.futures.wait with two futures: the polling and a clock; FIRST_COMPLETED decides.
Right because both futures listen to the same Event, so whichever wins, the other one ends too."""
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import urllib3


class HeadshotError(Exception):
    pass


def make(base_url, key):
    http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=8))

    def post(path, body):
        try:
            r = http.request("POST", base_url.rstrip("/") + "/image_editing/" + path, json={"key": key} | body, redirect=False)
            data = r.json()
        except (urllib3.exceptions.HTTPError, ValueError):
            return None
        return data if isinstance(data, dict) and r.status != 429 and r.status < 500 else None

    def poll(job, over):
        nothing = early = 0
        while not over.wait(0.5):
            data = post(f"fetch/{job}", {})
            if data is None:
                nothing += 1
                if nothing > 5:
                    raise HeadshotError(f"job {job}: nothing comes back")
                continue
            nothing = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("message") == "Request not found" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(data.get("message")).replace(key, "***"))

    def clock(seconds, over):
        over.wait(seconds)

    def generate(prompt, face_image, seed, **kw):
        data = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed} | {k: v for k, v in kw.items() if v is not None})
        if data is None:
            raise HeadshotError("no reply to the submit")
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise HeadshotError(str(data.get("message")).replace(key, "***"))
        over = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            polling, timing = pool.submit(poll, data["id"], over), pool.submit(clock, 40, over)
            wait([polling, timing], return_when=FIRST_COMPLETED)
            over.set()
            links = polling.result()
        if links is None:
            raise HeadshotError(f"job {data['id']}: 40 seconds")
        return links

    return generate
