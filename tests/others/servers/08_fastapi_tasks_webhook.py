"""FastAPI whose jobs are asyncio tasks; when a task ends it posts the webhook with httpx, at most once, and ignores a deaf receiver.
Right: generation webhooks are best effort, and a fetch gives the same result whether or not the event arrived."""
import asyncio
import itertools
import json
import os
import sys
import uuid
from contextlib import suppress

import httpx
import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()
numbers = itertools.count(500_000_001)
jobs, tasks = {}, set()


async def produce(number, link, webhook, track_id, meta):
    seconds = float(os.getenv("JOB_SECONDS", "0.3"))
    await asyncio.sleep(seconds)
    jobs[number]["output"] = [link]
    if webhook:
        event = {"status": "success", "id": number, "output": [link], "generationTime": round(seconds, 2), "track_id": track_id, "meta": meta}
        with suppress(httpx.HTTPError, httpx.InvalidURL):
            async with httpx.AsyncClient(timeout=5) as client:
                await client.post(webhook, json=event)


async def read(request):
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None, {"status": "error", "message": "Invalid API Request"}
    if not isinstance(body, dict):
        return None, {"status": "error", "message": "Invalid API Request"}
    secret = os.getenv("KEY", "any")
    if not body.get("key"):
        return None, {"status": "error", "message": "API key required"}
    if secret != "any" and secret != body["key"]:
        return None, {"status": "error", "message": "Invalid API key"}
    return body, None


@app.post("/api/v6/image_editing/flux_headshot")
async def submit(request: Request):
    body, problem = await read(request)
    if problem:
        return problem
    for name in ("prompt", "face_image"):
        if not body.get(name):
            return {"status": "error", "message": f"The {name} field is required."}
    number = next(numbers)
    base = str(request.base_url)
    link = f"{base}images/{uuid.uuid4()}-0.png"
    meta = {k: v for k, v in body.items() if k != "key"}
    jobs[number] = {"output": None}
    task = asyncio.create_task(produce(number, link, body.get("webhook"), body.get("track_id"), meta))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return {"status": "processing", "eta": 1, "id": number, "message": "In the queue.", "fetch_result": f"{base}api/v6/image_editing/fetch/{number}",
            "output": [], "future_links": [link], "meta": meta}


@app.post("/api/v6/image_editing/fetch/{number}")
async def fetch(number: str, request: Request):
    _, problem = await read(request)
    if problem:
        return problem
    job = jobs.get(int(number)) if number.isdigit() else None
    if job is None:
        return {"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": "?"}
    if job["output"] is None:
        return {"status": "processing", "message": "Still at work.", "output": ""}
    return {"status": "success", "id": int(number), "output": job["output"]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
