"""Starlette with an application object that owns the state; codes by the prose, 404 JSON for unknown paths.
Right: state is per application, and each error has both the code and the envelope."""
import os
import secrets
import sys
import time
import uuid

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


class Shop:
    def __init__(self, key, seconds):
        self.key, self.seconds, self.orders = key, seconds, {}

    async def body(self, request):
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return None, self.error("Invalid API Request", 400)
        if self.key != "any" and body.get("key") != self.key:
            return None, self.error("Invalid API key", 401)
        return body, None

    @staticmethod
    def error(message, code):
        return JSONResponse({"status": "error", "message": message}, status_code=code)

    async def order(self, request):
        body, bad = await self.body(request)
        if bad:
            return bad
        for field in ("prompt", "face_image"):
            if not body.get(field):
                return self.error(f"The {field} field is required.", 400)
        number = 1 + secrets.randbelow(10**9)
        link = str(request.url.replace(path=f"/p/{uuid.uuid4()}-0.png"))
        self.orders[str(number)] = (time.monotonic() + self.seconds, link)
        return JSONResponse({
            "status": "processing", "eta": 1, "message": "Come back later.", "tip": "POST to fetch_result", "id": number, "output": [],
            "fetch_result": str(request.url.replace(path=f"/api/v6/image_editing/fetch/{number}")), "future_links": [link], "proxy_links": [link],
            "meta": {k: v for k, v in body.items() if k != "key"}})

    async def pick_up(self, request):
        _, bad = await self.body(request)
        if bad:
            return bad
        number = request.path_params["number"]
        if number not in self.orders:
            return JSONResponse({"status": "failed", "id": "", "message": "Request not found", "output": []})
        ready, link = self.orders[number]
        if time.monotonic() < ready:
            return JSONResponse({"status": "processing", "message": "try again later.", "output": "", "tip": "patience"})
        return JSONResponse({"status": "success", "id": int(number), "output": [link]})


def build():
    shop = Shop(os.environ.get("KEY", "any"), float(os.environ.get("JOB_SECONDS", 0.3)))

    async def not_found(request, exc):
        return shop.error("Not found", 404)

    async def not_allowed(request, exc):
        return shop.error("Method not allowed", 405)

    return Starlette(routes=[Route("/api/v6/image_editing/flux_headshot", shop.order, methods=["POST"]),
                             Route("/api/v6/image_editing/fetch/{number}", shop.pick_up, methods=["POST"])],
                     exception_handlers={404: not_found, 405: not_allowed})


if __name__ == "__main__":
    uvicorn.run(build(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
