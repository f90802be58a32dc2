"""Another document (34_other_header_and_query.yaml): no seed, a required header X-Tenant and a required query parameter model; Starlette.
Right: both are checked as declared, and a job is visible to the tenant that made it only."""
import json
import os
import re
import sys
import time
import uuid

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

jobs = {}


def error(message):
    return JSONResponse({"status": "error", "message": message})


def checked(function):
    async def endpoint(request):
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return error("Invalid API Request")
        if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            return error("Invalid API key")
        tenant = request.headers.get("x-tenant", "")
        if not re.fullmatch(r"[a-z0-9-]{3,20}", tenant):
            return error("The X-Tenant header is required.")
        return await function(request, body, tenant)
    return endpoint


@checked
async def create(request, body, tenant):
    if request.query_params.get("model") not in ("fast", "fine"):
        return error("The model parameter must be fast or fine.")
    if not isinstance(body.get("prompt"), str):
        return error("The prompt field is required.")
    if body.get("style", "studio") not in ("studio", "outdoor", "office"):
        return error("The style is unknown.")
    number = len(jobs) + 1
    jobs[tenant, str(number)] = time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)), f"{request.base_url}{uuid.uuid4()}-0.png"
    return JSONResponse({"status": "processing", "id": number, "eta": 1, "output": []})


@checked
async def fetch(request, body, tenant):
    number = request.path_params["id"]
    if (tenant, number) not in jobs:
        return JSONResponse({"status": "failed", "id": "", "message": "Request not found", "output": ""})
    ready, link = jobs[tenant, number]
    if time.monotonic() < ready:
        return JSONResponse({"status": "processing", "message": "wait", "output": ""})
    return JSONResponse({"status": "success", "id": int(number), "output": [link]})


app = Starlette(routes=[Route("/v2/portraits", create, methods=["POST"]), Route("/v2/portraits/fetch/{id}", fetch, methods=["POST"])])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
