"""A mock in process on a clock that stands still, which checks each of its replies."""

from __future__ import annotations

import json
from typing import Any

from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_mock.engine.messages import Call, TransformReply
from fauxlab_mock.engine.store import Store
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.settings import Settings
from fauxlab_mock.webhooks.outbox import Send

SUBMIT = "/api/v6/image_editing/flux_headshot"
KEY = "test-key-0123456789"
VALID: dict[str, Any] = {
    "key": KEY,
    "prompt": "studio portrait",
    "face_image": "https://example.com/face.png",
    "seed": 7,
}
JSON_TYPE = {"content-type": "application/json"}
BUNDLED = load_document()


def make_mock(
    document: Document = BUNDLED,
    *,
    send: Send | None = None,
    store: Store | None = None,
    transform_reply: TransformReply | None = None,
    **settings: Any,
) -> Mock:
    """A mock on the manual clock that raises before it sends a reply that breaks the contract."""
    return Mock(
        Settings(**{"clock": "manual", **settings}),
        document=document,
        store=store,
        raise_on_invalid_reply=True,
        send=send,
        transform_reply=transform_reply,
    )


def post(mock: Mock, path: str, body: Any, **headers: str) -> Answer:
    """POST a JSON body (or raw bytes); header names with underscores for dashes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return mock.handle(Call("POST", path, JSON_TYPE | named, data))


def submit(mock: Mock, prefer: str = "", **fields: Any) -> Answer:
    """A valid submit with `fields` on top; a field that is `...` is left out."""
    body = {name: value for name, value in (VALID | fields).items() if value is not ...}
    return post(mock, SUBMIT, body, **({"prefer": prefer} if prefer else {}))


def fetch(mock: Mock, job_id: object, key: str = KEY, prefer: str = "") -> Answer:
    return post(
        mock,
        f"/api/v6/image_editing/fetch/{job_id}",
        {"key": key},
        **({"prefer": prefer} if prefer else {}),
    )


def get(mock: Mock, url: str) -> Answer:
    """GET a link that the mock handed out."""
    return mock.handle(Call("GET", url.removeprefix(mock.public_url)))
