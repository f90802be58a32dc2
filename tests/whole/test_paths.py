"""URLs of a document's own kind, through a real server and in process."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import requests

from documents_small import answered, one_operation
from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve

REPLIES = {"200": answered({"type": "object", "properties": {"ok": {"const": True}}})}
MODELS = one_operation("/models/{id}/runs", responses=REPLIES)
UPLOADS = one_operation(responses=REPLIES, servers=[{"url": "https://up.example/v9"}])


def test_an_encoded_slash_arrives_at_a_server(tmp_path: Path) -> None:
    """A segment with `%2F` in it is one segment."""
    file = tmp_path / "models.json"
    file.write_bytes(MODELS.data)

    with serve(document=str(file)) as mock:
        answer = httpx.post(f"{mock.url}/models/acme%2Fface/runs")

    assert answer.json() == {"ok": True}


@pytest.mark.parametrize("post", [httpx.post, requests.post], ids=["httpx", "requests"])
def test_an_encoded_slash_arrives_in_process(post: object) -> None:
    """The same without a server."""
    assert callable(post)
    with intercepted(Mock(document=MODELS)):
        answer = post("https://api.example.com/v1/models/acme%2Fface/runs")

    assert answer.json() == {"ok": True}


@pytest.mark.parametrize("post", [httpx.post, requests.post], ids=["httpx", "requests"])
def test_the_address_of_an_operation_is_answered_in_process(post: object) -> None:
    """A host that only an operation names is the mock's as well; others stay blocked."""
    assert callable(post)
    with intercepted(Mock(document=UPLOADS)):
        answer = post("https://up.example/v9/things")
        with pytest.raises(Exception, match=r"to https://down\.example is not mocked"):
            post("https://down.example/v9/things")

    assert answer.json() == {"ok": True}
