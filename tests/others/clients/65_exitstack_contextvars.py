"""ExitStack for resources, a ContextVar for the deadline, so that helpers deep down know how much time is left.
Right because the ContextVar is reset for every call and each helper caps its own time-out with it."""
import contextlib
import contextvars
import time

import httpx


class HeadshotError(Exception):
    pass


deadline = contextvars.ContextVar("deadline")


def remaining(most):
    left = deadline.get() - time.monotonic()
    if left <= 0:
        raise HeadshotError("out of time")
    return min(left, most)


@contextlib.contextmanager
def within(seconds):
    token = deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        deadline.reset(token)


def make(base_url, key):
    def post(http, path, body):
        try:
            response = http.post(f"{base_url.rstrip('/')}/image_editing/{path}", json=dict(body, key=key), timeout=remaining(10))
            data = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return data if response.status_code < 500 and response.status_code != 429 and isinstance(data, dict) else None

    def stop(data):
        raise HeadshotError(str(data.get("message", "no result")).replace(key, "***"))

    def generate(prompt, face_image, seed, **kw):
        with contextlib.ExitStack() as stack:
            stack.enter_context(within(40))
            http = stack.enter_context(httpx.Client())
            data = post(http, "flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
            if data is None:
                raise HeadshotError("submit failed")
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") != "processing" or not data.get("id"):
                stop(data)
            job, faults, early = data["id"], 0, 0
            while True:
                time.sleep(remaining(0.5))
                data = post(http, f"fetch/{job}", {})
                if data is None:
                    faults += 1
                    if faults > 5:
                        raise HeadshotError(f"job {job}: fetch failed")
                    continue
                faults = 0
                match data:
                    case {"status": "success", "output": [_, *_] as links}:
                        return links
                    case {"status": "failed", "message": "Request not found"} if early < 6:
                        early += 1
                    case {"status": "success" | "failed" | "error"}:
                        stop(data)

    return generate
