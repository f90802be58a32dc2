"""A background thread publishes each reply under a Condition; the caller uses wait_for with what is left of the deadline.
Right because shared state is only touched under the lock, and the thread is told to stop and joined in a finally."""
import threading
import time
from typing import Any, Optional

import httpx


class HeadshotFailed(Exception):
    pass


class Watch:
    def __init__(self, client: httpx.Client, url: str, key: str) -> None:
        self.cond = threading.Condition()
        self.result: Optional[list] = None
        self.fault: Optional[str] = None
        self.closed = False
        self._client, self._url, self._key = client, url, key
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        with self.cond:
            self.closed = True
            self.cond.notify_all()
        self._thread.join(8)

    def _publish(self, result=None, fault=None) -> None:
        with self.cond:
            self.result, self.fault = result, fault
            self.cond.notify_all()

    def _loop(self) -> None:
        failures, born = 0, time.monotonic()
        while True:
            with self.cond:
                if self.cond.wait_for(lambda: self.closed, timeout=0.6):
                    return
            try:
                response = self._client.post(self._url, json={"key": self._key})
                response.status_code in (429, 500, 502, 503, 504) and response.raise_for_status()
                reply = response.json()
                status = reply.get("status")
            except (httpx.HTTPError, ValueError, AttributeError):
                failures += 1
                if failures > 6:
                    return self._publish(fault="fetch is not answered properly")
                continue
            failures = 0
            if status == "success":
                links = reply.get("output")
                return self._publish(links, None) if links and isinstance(links, list) else self._publish(fault="no links")
            if status in ("failed", "error"):
                if reply.get("message") == "Request not found" and time.monotonic() - born < 6:
                    continue
                return self._publish(fault=str(reply.get("message")))


def make(base_url: str, key: str, *, deadline: float = 55.0):
    root = base_url.rstrip("/")

    def generate(prompt: str, face_image: str, seed: int, width: int = None, height: int = None, num_inference_steps: int = None,
                 guidance_scale: float = None, negative_prompt: str = None, webhook: str = None, track_id: int = None) -> list:
        given = dict(locals())
        body = {k: v for k, v in given.items() if v is not None and k not in ("root", "deadline", "key")}
        end = time.monotonic() + deadline
        with httpx.Client(timeout=10) as client:
            try:
                reply = client.post(root + "/image_editing/flux_headshot", json={"key": key} | body).json()
                status = reply.get("status")
            except (httpx.HTTPError, ValueError, AttributeError):
                raise HeadshotFailed("submit not answered") from None
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status != "processing" or not reply.get("id"):
                raise HeadshotFailed(str(reply.get("message", status)).replace(key, "***"))
            with Watch(client, f"{root}/image_editing/fetch/{reply['id']}", key) as watch:
                with watch.cond:
                    ready = watch.cond.wait_for(lambda: watch.result or watch.fault, timeout=end - time.monotonic())
            if not ready:
                raise HeadshotFailed("deadline")
            if watch.fault:
                raise HeadshotFailed(watch.fault.replace(key, "***"))
            return watch.result

    return generate
