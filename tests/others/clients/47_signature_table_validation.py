"""Allowed fields in a table with converters; wrong or unknown arguments are refused before anything is sent.
Right because numbers are sent as numbers, limits are those of the document, and refusing locally costs nothing."""
import time

import httpx


class HeadshotError(Exception):
    pass


class BadArgument(HeadshotError, ValueError):
    pass


def integer(low=None, high=None):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("an integer is needed")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ValueError("out of range")
        return value
    return check


def number(low, high):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"a number from {low} to {high} is needed")
        return value
    return check


def text(value):
    if not isinstance(value, str):
        raise ValueError("a text is needed")
    return value


def anything(value):
    return value


FIELDS = {
    "prompt": text, "face_image": text, "seed": integer(), "width": integer(high=1024), "height": integer(high=1024),
    "num_inference_steps": integer(high=26), "guidance_scale": number(1, 10), "webhook": text, "track_id": integer(),
    "negative_prompt": text, "samples": integer(1), "base64": anything, "temp": anything, "safety_checker": anything,
}


def make(base_url, key):
    http = httpx.Client()
    def prepare(arguments):
        body = {"key": key}
        for name, value in arguments.items():
            if value is None:
                continue
            if name not in FIELDS:
                raise BadArgument(f"unknown field {name}")
            try:
                body[name] = FIELDS[name](value)
            except ValueError as exc:
                raise BadArgument(f"{name}: {exc}") from None
        missing = {"prompt", "face_image", "seed"} - body.keys()
        if missing:
            raise BadArgument("missing: " + ", ".join(sorted(missing)))
        return body

    def post(path, body):
        try:
            response = http.post(f"{base_url.rstrip('/')}/image_editing/{path}", json=body, timeout=10)
            data = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return data if response.status_code < 500 and response.status_code != 429 and isinstance(data, dict) else None

    def generate(**arguments):
        body = prepare(arguments)
        until = time.monotonic() + 40
        data = post("flux_headshot", body)
        if data is None:
            raise HeadshotError("submit: no answer")
        job = data.get("id")
        misses = early = 0
        while True:
            if data is not None:
                misses = 0
                status = data.get("status")
                if status == "success" and data.get("output"):
                    return data["output"]
                if status == "failed" and job and data.get("message") == "Request not found" and early < 6:
                    early += 1
                elif status in ("success", "failed", "error") or not job:
                    raise HeadshotError(str(data.get("message", "nothing")).replace(key, "***"))
            else:
                misses += 1
                if misses > 5:
                    raise HeadshotError("fetch: no answer")
            if time.monotonic() > until:
                raise HeadshotError(f"job {job}: too late")
            time.sleep(0.6)
            data = post(f"fetch/{job}", {"key": key})

    return generate
