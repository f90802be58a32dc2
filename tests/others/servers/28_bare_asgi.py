"""A bare ASGI application, no framework, under uvicorn; strict: content type must be JSON, seed must be there.
Right: the document says `seed` is required and names one content type, so refusing anything else is right (HTTP 200 envelope)."""
import json
import os
import sys
import time
import uuid

import uvicorn

JOBS: dict[str, tuple] = {}


class Refuse(Exception):
    pass


async def body_of(scope, receive):
    raw, more = b"", True
    while more:
        message = await receive()
        raw += message.get("body", b"")
        more = message.get("more_body", False)
    headers = dict(scope["headers"])
    if not headers.get(b"content-type", b"").lower().startswith(b"application/json"):
        raise Refuse("Invalid API Request")
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refuse("Invalid API Request") from None
    if not isinstance(body, dict):
        raise Refuse("Invalid API Request")
    if not isinstance(body.get("key"), str):
        raise Refuse("API key required")
    if os.environ.get("KEY", "any") not in ("any", body["key"]):
        raise Refuse("Invalid API key")
    return body


def submit(body, host):
    for name in ("prompt", "face_image", "seed"):
        if name not in body:
            raise Refuse(f"The {name} field is required.")
    number, link = 42_000_000 + len(JOBS), f"http://{host}/static/{uuid.uuid4()}-0.png"
    JOBS[str(number)] = number, link, time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3))
    return {"status": "processing", "tip": "", "eta": 1, "message": "", "fetch_result": f"http://{host}/api/v6/image_editing/fetch/{number}", "id": number,
            "output": [], "future_links": [link], "proxy_links": [link], "meta": {k: v for k, v in body.items() if k != "key"}}


def fetch(number):
    if number not in JOBS:
        return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
    number, link, ready = JOBS[number]
    if time.monotonic() < ready:
        return {"status": "processing", "message": "try again later.", "output": "", "tip": ""}
    return {"status": "success", "id": number, "output": [link]}


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status = 200
    try:
        if scope["method"] != "POST":
            status = 405
            raise Refuse("Use POST")
        body = await body_of(scope, receive)
        path = scope["path"].rstrip("/")
        if path == "/api/v6/image_editing/flux_headshot":
            reply = submit(body, dict(scope["headers"]).get(b"host", b"127.0.0.1").decode())
        elif path.startswith("/api/v6/image_editing/fetch/"):
            reply = fetch(path.rsplit("/", 1)[1])
        else:
            status = 404
            raise Refuse("Unknown path")
    except Refuse as exc:
        reply = {"status": "error", "message": str(exc)}
    data = json.dumps(reply).encode()
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))]})
    await send({"type": "http.response.body", "body": data})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), lifespan="off", log_level="critical")
