"""aiohttp.web with a middleware for key and errors, jobs ended by loop.call_later.
Right: the middleware is the only place that refuses, so no route can forget the envelope."""
import asyncio
import json
import os
import random
import sys
import uuid

from aiohttp import web

routes = web.RouteTableDef()
KEY, SECONDS, PORT = os.environ.get("KEY", "any"), float(os.environ.get("JOB_SECONDS", "0.3")), int(sys.argv[1])


class Refused(Exception):
    pass


@web.middleware
async def guard(request, handler):
    try:
        if request.method == "POST":
            try:
                body = json.loads(await request.text())
            except ValueError:
                raise Refused("Invalid API Request") from None
            if not isinstance(body, dict):
                raise Refused("Invalid API Request")
            if not body.get("key"):
                raise Refused("API key required")
            if KEY not in ("any", body["key"]):
                raise Refused("Invalid API key")
            request["body"] = body
        return await handler(request)
    except Refused as exc:
        return web.json_response({"status": "error", "message": str(exc)})
    except web.HTTPException as exc:
        return web.json_response({"status": "error", "message": exc.reason}, status=exc.status)


@routes.post("/api/v6/image_editing/flux_headshot")
async def submit(request):
    body, jobs = request["body"], request.app["jobs"]
    for name in ("prompt", "face_image"):
        if name not in body:
            raise Refused(f"The {name} field is required.")
    job = {"id": random.randint(10**8, 10**9), "link": f"http://127.0.0.1:{PORT}/gen/{uuid.uuid4()}-0.png", "done": False}
    jobs[str(job["id"])] = job
    asyncio.get_running_loop().call_later(SECONDS, job.__setitem__, "done", True)
    seed = body.get("seed")
    return web.json_response({"status": "processing", "tip": "t", "eta": 1, "message": "m", "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{job['id']}",
                              "id": job["id"], "output": [], "future_links": [job["link"]], "proxy_links": [job["link"]],
                              "meta": {"prompt": body["prompt"], "seed": random.getrandbits(32) if seed is None else seed}})


@routes.post("/api/v6/image_editing/fetch/{id}")
@routes.post("/api/v6/image_editing/fetch/{id}/")
async def fetch(request):
    job = request.app["jobs"].get(request.match_info["id"])
    if job is None:
        return web.json_response({"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": "…"})
    if not job["done"]:
        return web.json_response({"status": "processing", "message": "try again later.", "output": "", "tip": "…"})
    return web.json_response({"status": "success", "id": job["id"], "output": [job["link"]]})


app = web.Application(middlewares=[guard])
app["jobs"] = {}
app.add_routes(routes)
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
