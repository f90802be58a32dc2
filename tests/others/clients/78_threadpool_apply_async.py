"""multiprocessing.pool.ThreadPool with apply_async(...).get(timeout); the polling function looks at a stop flag.
Right because the pool is closed after the flag is set, so terminate() never cuts a running request."""
import multiprocessing
import threading
import time
from multiprocessing.pool import ThreadPool

import requests


class HeadshotError(Exception):
    pass


def make(base_url, key):
    def post(path, body):
        try:
            r = requests.post(base_url.rstrip("/") + "/image_editing" + path, json={**body, "key": key}, timeout=6, allow_redirects=False)
            data = r.json()
        except (requests.RequestException, ValueError):
            return None
        return data if isinstance(data, dict) and r.status_code < 500 and r.status_code != 429 else None

    def poll(job, stop):
        gaps = early = 0
        while not stop.wait(0.4):
            data = post("/fetch/" + str(job), {})
            if data is None:
                gaps += 1
                if gaps > 6:
                    raise HeadshotError("job %s: fetch does not get through" % job)
                continue
            gaps = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("message") == "Request not found" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError("job %s: %s" % (job, str(data.get("message")).replace(key, "***")))

    def generate(prompt, face_image, seed, **kw):
        started = time.monotonic()
        data = post("/flux_headshot", dict({k: v for k, v in kw.items() if v is not None}, prompt=prompt, face_image=face_image, seed=seed))
        if data is None:
            raise HeadshotError("submit failed")
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if data.get("status") != "processing" or not data.get("id"):
            raise HeadshotError(str(data.get("message")).replace(key, "***"))
        stop, pool = threading.Event(), ThreadPool(1)
        try:
            return pool.apply_async(poll, (data["id"], stop)).get(timeout=40 - (time.monotonic() - started))
        except multiprocessing.TimeoutError:
            raise HeadshotError("job %s: forty seconds" % data["id"]) from None
        finally:
            stop.set()
            pool.close()
            pool.join()

    return generate
