"""aiohttp.web that also serves the pictures under /files: 404 until the job is done, a real one-pixel PNG after that.
Right: future_links are known at once but not downloadable before the end, exactly as described."""
import base64
import os
import sys
import time
import uuid

from aiohttp import web

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
PORT = int(sys.argv[1])
SECONDS = float(os.environ.get("JOB_SECONDS", 0.3))


class Studio:
    def __init__(self):
        self.by_id, self.by_file = {}, {}

    async def body(self, request):
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise web.HTTPOk(text='{"status": "error", "message": "Invalid API Request"}', content_type="application/json")
        if not body.get("key") or os.environ.get("KEY", "any") not in ("any", body["key"]):
            raise web.HTTPOk(text='{"status": "error", "message": "Invalid API key"}', content_type="application/json")
        return body

    async def submit(self, request):
        body = await self.body(request)
        for name in ("prompt", "face_image"):
            if not body.get(name):
                return web.json_response({"status": "error", "message": f"The {name} field is required."})
        number, count = 31000000 + len(self.by_id), int(body.get("samples") or 1)
        files = [f"{uuid.uuid4()}-{i}.png" for i in range(count)]
        job = {"id": number, "ready": time.monotonic() + SECONDS, "links": [f"http://127.0.0.1:{PORT}/files/{f}" for f in files]}
        self.by_id[str(number)] = job
        self.by_file.update((f, job) for f in files)
        return web.json_response({"status": "processing", "tip": "", "eta": 1, "message": "", "fetch_result": f"http://127.0.0.1:{PORT}/api/v6/image_editing/fetch/{number}",
                                  "id": number, "output": [], "future_links": job["links"], "proxy_links": job["links"], "meta": {"seed": body.get("seed")}})

    async def fetch(self, request):
        await self.body(request)
        job = self.by_id.get(request.match_info["id"])
        if job is None:
            return web.json_response({"status": "failed", "id": "", "message": "Request not found", "output": ""})
        if time.monotonic() < job["ready"]:
            return web.json_response({"status": "processing", "message": "try again later.", "output": "", "tip": ""})
        return web.json_response({"status": "success", "id": job["id"], "output": job["links"]})

    async def file(self, request):
        job = self.by_file.get(request.match_info["name"])
        if job is None or time.monotonic() < job["ready"]:
            raise web.HTTPNotFound
        return web.Response(body=PNG, content_type="image/png")


studio = Studio()
app = web.Application()
app.router.add_post("/api/v6/image_editing/flux_headshot", studio.submit)
app.router.add_post("/api/v6/image_editing/fetch/{id:[^/]+}{tail:/?}", studio.fetch)
app.router.add_get("/files/{name}", studio.file)
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
