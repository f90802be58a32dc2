"""Flask blueprint with error handlers, strict types (strings for numbers are refused) and HTTP codes as in the prose.
Right: the document says integer, so refusing '1024' is as right as coercing it; refusals are 400 with the envelope."""
import logging
import os
import sys
import time
import uuid
from random import SystemRandom

from flask import Blueprint, Flask, abort, jsonify, request
from werkzeug.exceptions import HTTPException

logging.getLogger("werkzeug").disabled = True
api = Blueprint("api", __name__, url_prefix="/api/v6/image_editing")
dice = SystemRandom()
JOBS = {}
RULES = {"prompt": str, "face_image": str, "width": int, "height": int, "num_inference_steps": int, "guidance_scale": (int, float), "track_id": int, "webhook": str}
MAXIMA = {"width": 1024, "height": 1024, "num_inference_steps": 26, "guidance_scale": 10}


def check():
    if not request.is_json:
        abort(400, "Invalid API Request")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400, "Invalid API Request")
    secret = os.environ.get("KEY", "any")
    if secret != "any" and body.get("key") != secret:
        abort(401, "Invalid API key" if body.get("key") else "API key required")
    return body


@api.route("/flux_headshot", methods=["POST"])
def flux_headshot():
    body = check()
    for name in ("prompt", "face_image", "seed"):
        if name not in body:
            abort(400, f"The {name} field is required.")
    for name, kind in RULES.items():
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
            abort(400, f"The {name} field has the wrong type.")
        if name in MAXIMA and value is not None and value > MAXIMA[name]:
            abort(400, f"The {name} field must not exceed {MAXIMA[name]}.")
    identifier = dice.randrange(10**8, 10**9)
    link = f"{request.host_url}media/{uuid.uuid4()}-0.png"
    JOBS[identifier] = (time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)), link)
    seed = body["seed"] if body["seed"] is not None else dice.randrange(2**32)
    return jsonify({"id": identifier, "status": "processing", "eta": 2, "output": [], "future_links": [link], "proxy_links": [],
                    "message": "Accepted.", "meta": {"seed": seed, "prompt": body["prompt"]},
                    "fetch_result": f"{request.host_url}api/v6/image_editing/fetch/{identifier}"})


@api.route("/fetch/<int:identifier>", methods=["POST"], strict_slashes=False)
def fetch(identifier):
    check()
    if identifier not in JOBS:
        return unknown()
    ready, link = JOBS[identifier]
    if time.monotonic() < ready:
        return {"status": "processing", "output": "", "message": "Not ready yet."}
    return {"status": "success", "id": identifier, "output": [link]}


@api.route("/fetch/<identifier>", methods=["POST"])
def unknown(identifier=None):
    check()
    return {"status": "failed", "id": "", "message": "Request not found", "output": ""}


def as_envelope(exc: HTTPException):
    return {"status": "error", "message": exc.description}, exc.code


def main():
    app = Flask("headshots")
    app.register_blueprint(api)
    app.register_error_handler(HTTPException, as_envelope)
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)


if __name__ == "__main__":
    main()
