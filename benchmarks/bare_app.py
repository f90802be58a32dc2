"""The opponent: the few lines that one would write without fauxlab.

It validates the request and answers a constant. It runs the way fauxlab runs: uvicorn with
httptools and uvloop, no access log, one process.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import uvicorn
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

# safe
document = yaml.load(
    (Path(__file__).resolve().parents[1] / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader
)
validator = Draft202012Validator(
    document["components"]["schemas"]["FluxHeadshotRequest"], format_checker=FormatChecker()
)
submit = document["paths"]["/image_editing/flux_headshot"]["post"]
REPLY = submit["responses"]["200"]["content"]["application/json"]["examples"]["processing"]["value"]


async def headshot(request: Request) -> JSONResponse:
    try:
        error = next(iter(validator.iter_errors(await request.json())), None)
    except json.JSONDecodeError:
        return JSONResponse({"status": "error", "message": "Invalid API Request"})
    return JSONResponse({"status": "error", "message": error.message} if error else REPLY)


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(
        routes=[Route("/api/v6/image_editing/flux_headshot", headshot, methods=["POST"])]
    )
    Server(uvicorn.Config(app, access_log=False, log_level="critical", lifespan="off")).run(
        [listener]
    )
