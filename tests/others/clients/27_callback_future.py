"""Callback style: start() takes on_done and on_error, and the callable wraps them around a concurrent Future.
Right because exactly one of the callbacks is called, once, and the time-out of the Future stops the thread."""
import threading
import time
from concurrent.futures import CancelledError, Future, TimeoutError as Late

import requests


class HeadshotError(Exception):
    pass


class Api:
    def __init__(self, base_url, key):
        self.base_url, self._key = base_url.rstrip("/"), key

    def _post(self, path, body):
        r = requests.post(self.base_url + path, json=dict(body, key=self._key), timeout=6, allow_redirects=False)
        if r.status_code in (429, 500, 502, 503, 504):
            raise requests.HTTPError(str(r.status_code))
        data = r.json()
        if not isinstance(data, dict):
            raise ValueError("list?")
        return data

    def start(self, fields, on_done, on_error):
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(fields, on_done, on_error, stop), daemon=True)
        thread.start()

        def cancel():
            stop.set()
            thread.join(7)

        return cancel

    def _run(self, fields, on_done, on_error, stop):
        try:
            links = self._work(fields, stop)
        except HeadshotError as exc:
            on_error(exc)
        except Exception as exc:
            on_error(HeadshotError("unexpected " + type(exc).__name__))
        else:
            on_done(links)

    def _work(self, fields, stop):
        try:
            data = self._post("/image_editing/flux_headshot", fields)
        except (requests.RequestException, ValueError):
            raise HeadshotError("the submit was not answered") from None
        job, bad, early = data.get("id"), 0, 0
        while not (data.get("status") == "success" and data.get("output")):
            status, message = data.get("status"), str(data.get("message")).replace(self._key, "***")
            if status == "failed" and message == "Request not found" and early < 6:
                early += 1
            elif status in ("success", "failed", "error") or not job:
                raise HeadshotError(message)
            if stop.wait(0.5):
                raise HeadshotError("cancelled")
            try:
                data = self._post(f"/image_editing/fetch/{job}", {})
                bad = 0
            except (requests.RequestException, ValueError):
                bad, data = bad + 1, {}
                if bad > 5:
                    raise HeadshotError(f"job {job}: no fetch succeeded") from None
        return data["output"]


def make(base_url, key):
    api = Api(base_url, key)

    def generate(prompt, face_image, seed, **kw):
        future = Future()
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}}
        cancel = api.start(fields, future.set_result, future.set_exception)
        try:
            return future.result(timeout=50)
        except (Late, CancelledError):
            raise HeadshotError("no result in 50 seconds") from None
        finally:
            cancel()

    return generate
