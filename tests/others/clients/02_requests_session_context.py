"""A class with a requests.Session and a context manager per call; eta decides the first wait, one second each after that.
Right because the session is closed, redirects are not followed, and every end state becomes a value or a GenerationError."""
import math
import time
from contextlib import AbstractContextManager

import requests


class GenerationError(RuntimeError):
    """The generation did not give pictures."""


class HeadshotClient(AbstractContextManager):
    DEADLINE = 60.0

    def __init__(self, base_url: str, key: str) -> None:
        self._base = base_url.rstrip("/") + "/image_editing"
        self.__key = key
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"

    def __exit__(self, *exc_info) -> None:
        self._session.close()

    def _call(self, path: str, body: dict, timeout: float) -> tuple:
        response = self._session.post(self._base + path, json={"key": self.__key, **body}, timeout=(5, timeout), allow_redirects=False)
        payload = response.json()
        if not isinstance(payload, dict):
            raise ValueError("not an object")
        return response.status_code, payload

    def _reason(self, payload: dict) -> str:
        return str(payload.get("message") or "no message").replace(self.__key, "***")

    @staticmethod
    def _seconds(value) -> float:
        try:
            value = float(value)
        except (TypeError, ValueError):
            return 1.0
        return min(max(value, 0.1), 5.0) if math.isfinite(value) else 1.0

    def run(self, fields: dict) -> list:
        started = time.monotonic()
        try:
            code, reply = self._call("/flux_headshot", fields, 30)
        except (requests.RequestException, ValueError) as exc:
            raise GenerationError(f"submit: {type(exc).__name__}") from None
        status = reply.get("status")
        if code == 200 and status == "success" and reply.get("output"):
            return list(reply["output"])
        if code >= 400 or status in ("error", "failed") or reply.get("id") in (None, ""):
            raise GenerationError(f"submit: {self._reason(reply)}")
        return self._wait(reply["id"], self._seconds(reply.get("eta")), started)

    def _wait(self, job, pause: float, started: float) -> list:
        misses = 0
        while True:
            left = self.DEADLINE - (time.monotonic() - started)
            if left <= 0:
                raise GenerationError(f"job {job}: deadline of {self.DEADLINE:.0f} s passed")
            time.sleep(min(pause, left))
            pause = 1.0
            try:
                code, reply = self._call(f"/fetch/{job}", {}, 10)
            except (requests.RequestException, ValueError):
                code, reply = 599, {}
            if code == 429 or code >= 500:
                misses += 1
                if misses >= 6:
                    raise GenerationError(f"job {job}: fetch keeps failing")
                continue
            status, output = reply.get("status"), reply.get("output")
            if status == "success":
                if output and isinstance(output, list):
                    return output
                raise GenerationError(f"job {job}: success, but no links")
            early = time.monotonic() - started < 8 and "not found" in str(reply.get("message", "")).lower()
            if status in ("failed", "error") and not early:
                raise GenerationError(f"job {job}: {self._reason(reply)}")


def make(base_url: str, key: str):
    def headshot(*, prompt: str, face_image: str, seed: int, **options):
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed}
        fields.update((name, value) for name, value in options.items() if value is not None)
        with HeadshotClient(base_url, key) as client:
            return client.run(fields)

    return headshot
