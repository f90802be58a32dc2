"""Replies as a NamedTuple and one match statement over (phase, status); http.client underneath.
Right because every combination that is not an end falls through to 'poll again', bounded by the deadline."""
import http.client
import json
import time
from typing import NamedTuple
from urllib.parse import urlsplit


class HeadshotError(Exception):
    pass


class Reply(NamedTuple):
    status: str
    id: object
    output: object
    message: str


def make(base_url, key):
    url = urlsplit(base_url.rstrip("/"))
    Connection = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection

    def post(operation, body):
        connection = Connection(url.hostname, url.port, timeout=8)
        try:
            connection.request("POST", f"{url.path}/image_editing/{operation}", json.dumps({"key": key} | body), {"content-type": "application/json"})
            response = connection.getresponse()
            data = json.loads(response.read())
            if response.status == 429 or response.status >= 500:
                return Reply("unusable", None, None, f"HTTP {response.status}")
            return Reply(str(data.get("status")), data.get("id"), data.get("output"), str(data.get("message", "")).replace(key, "***"))
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as exc:
            return Reply("unusable", None, None, type(exc).__name__)
        finally:
            connection.close()

    def generate(prompt, face_image, seed, **rest):
        end = time.monotonic() + 40
        reply = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed} | {k: v for k, v in rest.items() if v is not None})
        phase, job, tolerance, early = "submit", reply.id, 5, 6
        while True:
            match phase, reply.status:
                case _, "success":
                    if reply.output and isinstance(reply.output, list):
                        return reply.output
                    raise HeadshotError("success without links")
                case "poll", "failed" if reply.message == "Request not found" and early:
                    early -= 1
                case _, "failed" | "error":
                    raise HeadshotError(reply.message or "refused")
                case "submit", "processing" if job:
                    phase = "poll"
                case "submit", _:
                    raise HeadshotError("submit: " + (reply.message or reply.status))
                case "poll", "unusable":
                    tolerance -= 1
                    if tolerance < 0:
                        raise HeadshotError("fetch: " + reply.message)
                case "poll", _:
                    tolerance = 5
            if time.monotonic() >= end:
                raise HeadshotError(f"job {job} is not finished")
            time.sleep(0.5)
            reply = post(f"fetch/{job}", {})

    return generate
