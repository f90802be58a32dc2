"""http.client with one connection per request, deadline by time.perf_counter, strict checks of the arguments first.
Right because wrong arguments never reach the paid API, and each connection is closed in a finally."""
import http.client
import json
from time import perf_counter, sleep
from urllib.parse import quote, urlsplit


class InvalidArgument(ValueError):
    pass


class Failure(Exception):
    pass


LIMITS = {"width": (int, None, 1024), "height": (int, None, 1024), "num_inference_steps": (int, None, 26), "guidance_scale": ((int, float), 1, 10)}


def check(fields):
    for name in ("prompt", "face_image"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise InvalidArgument(f"{name} must be a text")
    if not isinstance(fields.get("seed"), int) or isinstance(fields["seed"], bool):
        raise InvalidArgument("seed must be an integer")
    for name, (kind, low, high) in LIMITS.items():
        if name in fields:
            value = fields[name]
            if not isinstance(value, kind) or isinstance(value, bool):
                raise InvalidArgument(f"{name} must be a number")
            if (low is not None and value < low) or value > high:
                raise InvalidArgument(f"{name} is out of range")


def make(base_url, key):
    parts = urlsplit(base_url)

    def exchange(path, body, timeout):
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=max(timeout, 0.1))
        try:
            connection.request("POST", parts.path.rstrip("/") + path, body=json.dumps(body), headers={"Content-Type": "application/json"})
            response = connection.getresponse()
            data = json.loads(response.read())
            if not isinstance(data, dict):
                raise ValueError("no object")
            return response.status, data
        finally:
            connection.close()

    def fail(data):
        return Failure(str(data.get("message", "unknown reason")).replace(key, "[hidden]"))

    def generate(**fields):
        fields = {k: v for k, v in fields.items() if v is not None}
        check(fields)
        begin = perf_counter()
        try:
            code, data = exchange("/image_editing/flux_headshot", {"key": key, **fields}, 20)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise Failure(f"submit: {exc.__class__.__name__}") from None
        if data.get("status") == "success" and data.get("output"):
            return data["output"]
        if code != 200 or data.get("status") != "processing" or not data.get("id"):
            raise fail(data)
        path, errors, unknown = "/image_editing/fetch/" + quote(str(data["id"]), safe=""), 0, 0
        while (left := 40 - (perf_counter() - begin)) > 0:
            sleep(min(0.5, left))
            try:
                code, data = exchange(path, {"key": key}, min(left, 6))
            except (OSError, http.client.HTTPException, ValueError):
                code = None
            if code is None or code == 429 or code >= 500:
                errors += 1
                if errors > 6:
                    raise Failure("fetch is down")
                continue
            errors = 0
            status = data.get("status")
            if status == "success":
                if not data.get("output"):
                    raise Failure("no output in a success")
                return data["output"]
            if status == "failed" and data.get("message") == "Request not found" and unknown < 6:
                unknown += 1
            elif status in ("failed", "error"):
                raise fail(data)
        raise Failure("deadline of 40 seconds passed")

    return generate
