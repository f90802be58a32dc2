"""Another document (33_other_fifteen_operations.yaml): fifteen submit operations that differ in path and required fields; aiohttp.web.
Right: one table names the required fields of each operation, and each operation answers with the same lifecycle."""
import os
import random
import sys
import time
import uuid

from aiohttp import web

PORT = int(sys.argv[1])
BASE = "/api/v1/enterprise"
OPERATIONS = {
    "text2img": ["prompt"], "img2img": ["prompt", "init_image"], "inpaint": ["prompt", "init_image", "mask_image"], "outpaint": ["image", "overlap_width"],
    "headshot": ["prompt", "face_image"], "avatar": ["prompt", "face_image"], "face_swap": ["init_image", "target_image"], "fashion": ["prompt", "cloth_image"],
    "interior": ["prompt", "init_image"], "exterior": ["prompt", "init_image"], "sketch": ["prompt", "init_image"], "relight": ["prompt", "init_image"],
    "super_resolution": ["init_image", "scale"], "remove_object": ["init_image", "mask_image"], "caption": ["init_image"],
}
jobs = {}


async def read(request):
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return None, "Invalid API Request"
    if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
        return None, "Invalid API key"
    return body, None


def error(message):
    return web.json_response({"status": "error", "message": message})


async def submit(request):
    body, problem = await read(request)
    if problem:
        return error(problem)
    for name in OPERATIONS[request.path.rsplit("/", 1)[1]]:
        if body.get(name) in (None, ""):
            return error(f"The {name} field is required.")
    number = random.getrandbits(30)
    jobs[str(number)] = time.monotonic() + float(os.environ.get("JOB_SECONDS", 0.3)), [f"http://127.0.0.1:{PORT}/{uuid.uuid4()}-0.png"]
    return web.json_response({"status": "processing", "eta": 1, "id": number, "output": [], "message": "", "fetch_result": f"http://127.0.0.1:{PORT}{BASE}/fetch/{number}"})


async def fetch(request):
    _, problem = await read(request)
    if problem:
        return error(problem)
    ready, links = jobs.get(request.match_info["id"], (None, None))
    if ready is None:
        return web.json_response({"status": "failed", "id": "", "message": "Request not found", "output": ""})
    if time.monotonic() < ready:
        return web.json_response({"status": "processing", "message": "try again later.", "output": ""})
    return web.json_response({"status": "success", "id": int(request.match_info["id"]), "output": links})


app = web.Application()
for operation in OPERATIONS:
    app.router.add_post(f"{BASE}/{operation}", submit)
app.router.add_post(BASE + "/fetch/{id}", fetch)
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
