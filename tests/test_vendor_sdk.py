"""The vendor's Python SDK, unmodified, against the mock: what runs in production runs here."""

from __future__ import annotations

import time
import warnings
from typing import Any

import pytest

from fauxlab_mock.mock import Mock

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK uses a deprecated form of pydantic's configuration
    from modelslab_py.core.apis.image_editing import Image_editing
    from modelslab_py.core.client import Client
    from modelslab_py.schemas.image_editing import FluxHeadshotSchema

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own use of pydantic
FACE = "https://example.com/face.png"


def sdk(base_url: str | None = None) -> Any:
    client = Client(api_key="sdk-key-0123456789")
    if base_url:
        client.base_url = base_url.removesuffix("v6")
    return Image_editing(client=client)


@pytest.mark.fauxlab(validation="coerce")
def test_submit_over_a_socket(fauxlab_server: Mock) -> None:
    """With its base URL set to the mock, the SDK's submit is accepted in coerce mode, with a seed chosen for it."""
    reply = sdk(fauxlab_server.base_url).flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE))

    assert (reply["status"], isinstance(reply["meta"]["seed"], int)) == ("processing", True)


def test_strict_names_what_the_sdk_leaves_out(fauxlab: Mock) -> None:
    """In strict mode the SDK's request is refused: it has no seed."""
    reply = sdk().flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE))

    assert reply == {"status": "error", "message": "The seed field is required."}


def test_a_seed_as_an_extra_field_passes_strict(fauxlab: Mock) -> None:
    """The SDK takes extra fields; with a seed its request keeps the contract, in process at the production address."""
    reply = sdk().flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE, seed=7))

    assert (reply["status"], [exchange.violations for exchange in fauxlab.requests]) == ("processing", [()])


@pytest.mark.fauxlab(eta=120.0)
def test_its_polling_ends_in_success(fauxlab: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK sleeps 60 s after every fetch that is not success; here a sleep moves the mock's clock instead."""
    monkeypatch.setattr(time, "sleep", fauxlab.clock.advance)
    api = sdk()
    job = api.flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE, seed=7))

    result = api.fetch(str(job["id"]))

    assert (result["status"], result["output"]) == ("success", job["future_links"])
