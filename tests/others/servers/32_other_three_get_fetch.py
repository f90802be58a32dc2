"""Another document (32_other_three_get_fetch.yaml): three operations, one merged reply schema, the fetch is a GET with ?key=; Flask.
Right: what the document calls a GET is a GET here, and POST to it is refused with 405."""
import itertools
import logging
import os
import sys
import time
import uuid

from flask import Flask, jsonify, request

logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = Flask(__name__)
jobs, numbers = {}, itertools.count(1)


def bad_key(key):
    return not key or os.environ.get("KEY", "any") not in ("any", key)


@app.post("/api/v3/<any(upscale, remove_background, colorize):operation>")
def start(operation):
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return jsonify(status="error", message="Invalid API Request")
    if bad_key(body.get("key")):
        return jsonify(status="error", message="Invalid API key")
    if not isinstance(body.get("image"), str):
        return jsonify(status="error", message="The image field is required.")
    if operation == "upscale" and body.get("scale") not in (2, 3, 4):
        return jsonify(status="error", message="The scale must be 2, 3 or 4.")
    number = next(numbers)
    jobs[number] = (time.monotonic() + float(os.environ.get("JOB_SECONDS", "0.3")), f"{request.url_root}done/{uuid.uuid4()}-0.png")
    return jsonify(status="processing", id=number, eta=1, message=f"{operation} started", output=[], fetch_result=f"{request.url_root}api/v3/result/{number}")


@app.get("/api/v3/result/<int:number>")
def result(number):
    if bad_key(request.args.get("key")):
        return jsonify(status="error", message="Invalid API key")
    if number not in jobs:
        return jsonify(status="error", message="Request not found")
    ready, link = jobs[number]
    if time.monotonic() < ready:
        return jsonify(status="processing", id=number, eta=1, output=[])
    return jsonify(status="success", id=number, output=[link])


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
