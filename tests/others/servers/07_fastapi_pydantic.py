"""FastAPI with pydantic models; validation errors are turned from 422 into the contract's error envelope.
Right: pydantic only decides what is valid, the words and the shape of the refusal stay those of the API."""
import os
import random
import sys
import time
import uuid
from typing import Optional

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

SECRET = os.environ.get("KEY", "any")
SECONDS = float(os.environ.get("JOB_SECONDS", "0.3"))


class Keyed(BaseModel):
    model_config = ConfigDict(extra="ignore")
    key: str


class Headshot(Keyed):
    prompt: str = Field(min_length=1)
    face_image: str = Field(min_length=1)
    seed: Optional[int] = None
    width: Optional[int] = Field(None, le=1024)
    height: Optional[int] = Field(None, le=1024)
    num_inference_steps: Optional[int] = Field(None, le=26)
    guidance_scale: Optional[float] = Field(None, ge=1, le=10)
    webhook: Optional[str] = None
    track_id: Optional[int] = None


class ApiError(Exception):
    pass


app = FastAPI(openapi_url=None)
jobs: dict[int, dict] = {}


def authorise(item: Keyed) -> None:
    if SECRET not in ("any", item.key):
        raise ApiError("Invalid API key")


@app.exception_handler(ApiError)
async def api_error(request: Request, exc: ApiError):
    return JSONResponse({"status": "error", "message": str(exc)})


@app.exception_handler(RequestValidationError)
async def invalid(request: Request, exc: RequestValidationError):
    first = exc.errors()[0]
    field = first["loc"][-1] if len(first["loc"]) > 1 else None
    if first["type"] == "json_invalid" or field is None:
        return JSONResponse({"status": "error", "message": "Invalid API Request"})
    if field == "key":
        return JSONResponse({"status": "error", "message": "API key required"})
    if first["type"] == "missing":
        return JSONResponse({"status": "error", "message": f"The {field} field is required."})
    return JSONResponse({"status": "error", "message": f"The {field} field is invalid: {first['msg']}."})


@app.exception_handler(HTTPException)
async def http_problem(request: Request, exc: HTTPException):
    if exc.status_code == 400:      # the body is not even text
        return JSONResponse({"status": "error", "message": "Invalid API Request"})
    return JSONResponse({"status": "error", "message": str(exc.detail)}, status_code=exc.status_code)


@app.post("/api/v6/image_editing/flux_headshot")
async def submit(item: Headshot, request: Request):
    authorise(item)
    number = random.randint(1, 2**31 - 1)
    seed = item.seed if item.seed is not None else random.getrandbits(32)
    link = str(request.base_url) + f"generations/{uuid.uuid4()}-0.png"
    jobs[number] = {"link": link, "until": time.monotonic() + SECONDS}
    meta = item.model_dump(exclude={"key", "webhook"}, exclude_none=True) | {"seed": seed, "base64": "no"}
    return {"status": "processing", "tip": "", "eta": 1, "message": "Try to fetch request after seconds estimated",
            "fetch_result": str(request.base_url) + f"api/v6/image_editing/fetch/{number}", "id": number, "output": [], "future_links": [link],
            "proxy_links": [link], "meta": meta}


@app.post("/api/v6/image_editing/fetch/{number}")
@app.post("/api/v6/image_editing/fetch/{number}/", include_in_schema=False)
async def fetch(number: str, item: Keyed):
    authorise(item)
    job = jobs.get(int(number)) if number.isdigit() else None
    if job is None:
        return {"status": "failed", "id": "", "message": "Request not found", "output": ""}
    if time.monotonic() < job["until"]:
        return {"status": "processing", "message": "try again later.", "output": "", "tip": ""}
    return {"status": "success", "id": int(number), "output": [job["link"]]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
