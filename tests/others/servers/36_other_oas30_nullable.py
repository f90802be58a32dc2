"""Another document (36_other_oas30_nullable.yaml): OpenAPI 3.0 with nullable and readOnly members, base address without host; FastAPI.
Right: nullable members are null where there is nothing to say, readOnly ones are accepted from nobody (ignored)."""
import os
import sys
import time
import uuid
from datetime import datetime, timezone
from typing import Any, Optional

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
jobs: dict = {}


def job(status: str, number: Optional[int] = None, message: Optional[str] = None, output: Optional[list] = None, eta: Optional[int] = None, born: Any = None):
    reply = {"status": status, "id": number, "eta": eta, "message": message, "output": output}
    if born:
        reply["created_at"] = born.isoformat().replace("+00:00", "Z")
    return JSONResponse(reply)


async def body_of(request: Request):
    try:
        body = await request.json()
    except ValueError:
        return None, job("error", message="Invalid API Request")
    if not isinstance(body, dict):
        return None, job("error", message="Invalid API Request")
    if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
        return None, job("error", message="Invalid API key")
    return body, None


@app.post("/api/v6/restore/photo")
async def photo(request: Request):
    body, problem = await body_of(request)
    if problem:
        return problem
    if not isinstance(body.get("image"), str):
        return job("error", message="The image field is required.")
    strength = body.get("strength")
    if strength is not None and not (isinstance(strength, (int, float)) and 0 < strength <= 1):
        return job("error", message="The strength must be above 0 and at most 1.")
    number = len(jobs) + 300
    jobs[str(number)] = {"id": number, "born": datetime.now(timezone.utc), "ready": time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)),
                         "output": [f"{request.base_url}restored/{uuid.uuid4()}-0.png"]}
    return job("processing", number, "Restoring.", None, 1, jobs[str(number)]["born"])


@app.post("/api/v6/restore/fetch/{number}")
async def fetch(number: str, request: Request):
    _, problem = await body_of(request)
    if problem:
        return problem
    found = jobs.get(number)
    if found is None:
        return job("failed", message="Request not found")
    if time.monotonic() < found["ready"]:
        return job("processing", found["id"], born=found["born"])
    return job("success", found["id"], output=found["output"], born=found["born"])


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
