"""Says 'Request not found' for a live job during the first tenth of a second, like a replica that lags behind.
Right: the contract names this moment; after it the job is known and ends normally."""
import json
import os
import sys
import time
import uuid

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse

JOBS = {}
LAG = 0.1
app = Starlette()


def say(**members):
    return JSONResponse(members)


async def parse(request):
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def allowed(body):
    return bool(body.get("key")) and os.environ.get("KEY", "any") in ("any", body["key"])


async def submit(request):
    body = await parse(request)
    if body is None:
        return say(status="error", message="Invalid API Request")
    if not allowed(body):
        return say(status="error", message="Invalid API key")
    for name in ("prompt", "face_image"):
        if not body.get(name):
            return say(status="error", message=f"The {name} field is required.")
    number = 66000000 + len(JOBS)
    link = f"{request.base_url}gen/{uuid.uuid4()}-0.png"
    JOBS[str(number)] = (time.monotonic(), link)
    return say(status="processing", tip="", eta=1, message="", fetch_result=f"{request.base_url}api/v6/image_editing/fetch/{number}", id=number, output=[],
               future_links=[link], proxy_links=[link], meta={"seed": body.get("seed")})


async def fetch(request):
    body = await parse(request)
    if body is None:
        return say(status="error", message="Invalid API Request")
    if not allowed(body):
        return say(status="error", message="Invalid API key")
    born, link = JOBS.get(request.path_params["number"], (None, None))
    age = time.monotonic() - born if born is not None else -1
    if age < LAG:
        return say(status="failed", id="", message="Request not found", output="", tip="")
    if age < LAG + float(os.environ.get("JOB_SECONDS", "0.3")):
        return say(status="processing", message="try again later.", output="", tip="")
    return say(status="success", id=int(request.path_params["number"]), output=[link])


app.add_route("/api/v6/image_editing/flux_headshot", submit, methods=["POST"])
app.add_route("/api/v6/image_editing/fetch/{number}", fetch, methods=["POST"])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
