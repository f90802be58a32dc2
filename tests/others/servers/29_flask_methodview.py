"""Flask MethodViews, a ThreadPoolExecutor as the GPU, float eta and `proxy_links: ""` as in the vendor's published samples.
Right: both oddities were published by the vendor; a faithful server may show them."""
import itertools
import logging
import os
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, jsonify, request
from flask.views import MethodView

logging.getLogger("werkzeug").setLevel(logging.ERROR)
gpu = ThreadPoolExecutor(8)
futures, numbers = {}, itertools.count(77000000)


def paint(link):
    time.sleep(float(os.environ.get("JOB_SECONDS", "0.3")))
    return [link]


class Base(MethodView):
    init_every_request = False

    def dispatch_request(self, **kwargs):
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            return jsonify(status="error", message="Invalid API Request")
        if not body.get("key"):
            return jsonify(status="error", message="API key required")
        if os.environ.get("KEY", "any") not in ("any", body["key"]):
            return jsonify(status="error", message="Invalid API key")
        return self.post(body, **kwargs)


class Headshot(Base):
    methods = ["POST"]

    def post(self, body):
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return jsonify(status="error", message=f"The {name} field is required.")
        number = next(numbers)
        link = f"{request.url_root}g/{uuid.uuid4()}-0.png"
        futures[number] = gpu.submit(paint, link)
        return jsonify(status="processing", tip="", eta=0.8, message="Painting.", fetch_result=f"{request.url_root}api/v6/image_editing/fetch/{number}", id=number,
                       output=[], future_links=[link], proxy_links="", meta={"prompt": body["prompt"], "seed": body.get("seed")})


class Fetch(Base):
    methods = ["POST"]

    def post(self, body, number):
        future = futures.get(number)
        if future is None:
            return jsonify(status="failed", id="", message="Request not found", output="")
        if not future.done():
            return jsonify(status="processing", message="try again later.", output="", tip="")
        return jsonify(status="success", id=number, output=future.result(), tip="")


app = Flask(__name__)
app.add_url_rule("/api/v6/image_editing/flux_headshot", view_func=Headshot.as_view("headshot"))
app.add_url_rule("/api/v6/image_editing/fetch/<int:number>", view_func=Fetch.as_view("fetch"))
app.add_url_rule("/api/v6/image_editing/fetch/<int:number>/", view_func=Fetch.as_view("fetch2"))
app.register_error_handler(404, lambda exc: (jsonify(status="failed", id="", message="Request not found", output=""), 200))
app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
