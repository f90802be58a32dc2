"""The fewest members that make sense, in an unusual order: processing is {id, status}, nothing else; no eta.
Right: no branch of the document has `required`; status and id suffice for a client to go on."""
import itertools
import os
import sys
import time
import uuid

from flask import Flask, request
import logging

logging.getLogger("werkzeug").setLevel("ERROR")
app = Flask(__name__)
app.json.sort_keys = False
serial = itertools.count(1)
jobs = {}


@app.before_request
def authorise():
    body = request.get_json(silent=True, force=True)
    if not isinstance(body, dict):
        return {"message": "Invalid API Request", "status": "error"}
    if "key" not in body or os.environ.get("KEY", "any") not in ("any", body["key"]):
        return {"message": "Invalid API key", "status": "error"}


@app.post("/api/v6/image_editing/flux_headshot")
def submit():
    body = request.get_json(force=True)
    for name in ("prompt", "face_image"):
        if name not in body:
            return {"message": f"The {name} field is required.", "status": "error"}
    number = next(serial)
    jobs[number] = (time.monotonic(), f"{request.url_root}{uuid.uuid4()}-0.png")
    return {"id": number, "status": "processing"}


@app.post("/api/v6/image_editing/fetch/<number>")
def fetch(number):
    if not number.isdecimal() or int(number) not in jobs:
        return {"output": "", "message": "Request not found", "id": "", "status": "failed"}
    born, link = jobs[int(number)]
    if time.monotonic() - born < float(os.environ.get("JOB_SECONDS", 0.3)):
        return {"output": "", "status": "processing"}
    return {"output": [link], "id": int(number), "status": "success"}


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
