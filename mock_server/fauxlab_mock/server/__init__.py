"""The mock over HTTP: a Starlette application, a uvicorn server, and `serve()` for a block.

The only room that imports Starlette and uvicorn.
"""

from __future__ import annotations

from fauxlab_mock.server.app import create_app
from fauxlab_mock.server.serving import serve

__all__ = ["create_app", "serve"]
