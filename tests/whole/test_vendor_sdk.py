"""The vendor's Python SDK, unmodified, against the mock: what runs in production runs here."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.runtime.mock import Mock

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK uses a deprecated form of pydantic's configuration
    from modelslab_py.core.apis.image_editing import Image_editing
    from modelslab_py.core.client import Client
    from modelslab_py.schemas.image_editing import FluxHeadshotSchema

# the SDK's own use of pydantic
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FACE = "https://example.com/face.png"


def sdk(base_url: str | None = None) -> Any:
    client = Client(api_key="sdk-key-0123456789")
    if base_url:
        client.base_url = base_url.removesuffix("v6")
    return Image_editing(client=client)


async def async_submit(api: Any) -> Any:
    async with api.client:
        return await api.async_flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE))


@pytest.mark.fauxlab(validation="coerce")
def test_submit_over_a_socket(fauxlab_server: Mock) -> None:
    """With its base URL set to the mock, the SDK's submit is accepted in coerce mode, with a seed
    chosen for it.
    """
    reply = sdk(fauxlab_server.url).flux_headshot(
        schema=FluxHeadshotSchema(prompt="p", face_image=FACE)
    )

    assert (reply["status"], isinstance(reply["meta"]["seed"], int)) == ("processing", True)


def test_strict_names_what_the_sdk_leaves_out(fauxlab: Mock) -> None:
    """In strict mode the SDK's request is refused: it has no seed."""
    reply = sdk().flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE))

    assert reply == {"status": "error", "message": "The seed field is required."}


def test_a_seed_as_an_extra_field_passes_strict(fauxlab: Mock) -> None:
    """The SDK takes extra fields; with a seed its request keeps the contract, in process at the
    production address.
    """
    reply = sdk().flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE, seed=7))

    assert (reply["status"], [exchange.violations for exchange in fauxlab.requests]) == (
        "processing",
        [()],
    )


@pytest.mark.fauxlab(eta=120.0, clock="manual")
def test_its_polling_ends_in_success(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """The SDK sleeps 60 s after every fetch that is not success; two of those are over at once."""
    started = fauxlab_time.now()
    api = sdk()
    job = api.flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE, seed=7))

    result = api.fetch(str(job["id"]))

    assert (result["status"], result["output"], fauxlab_time.now() - started) == (
        "success",
        job["future_links"],
        120.0,
    )


@pytest.mark.fauxlab(scenario="failed")
def test_its_polling_does_not_see_a_failure(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """A job that failed is asked for ten times, a minute apart, for the SDK knows no end but
    success.
    """
    api = sdk()
    job = api.flux_headshot(schema=FluxHeadshotSchema(prompt="p", face_image=FACE, seed=7))

    result = api.fetch(str(job["id"]))

    assert (result["status"], len(fauxlab.requests)) == ("failed", 1 + 10)
    assert [round(exchange.at - fauxlab.requests[0].at) for exchange in fauxlab.requests[-2:]] == [
        8 * 60,
        9 * 60,
    ]


@pytest.mark.fauxlab(validation="coerce")
def test_a_refusal_reaches_its_caller(fauxlab: Mock) -> None:
    """Out of credits: the SDK hands the error envelope to its caller."""
    fauxlab.scenario("no_credits", times=1)
    schema = FluxHeadshotSchema(prompt="p", face_image=FACE)

    assert [sdk().flux_headshot(schema=schema)["status"] for _ in range(2)] == [
        "error",
        "processing",
    ]


@pytest.mark.fauxlab(eta=120.0, clock="manual")
def test_the_async_side_too(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """With aiohttp: submit at the production address, two minutes of polling, success."""
    started = fauxlab_time.now()

    async def whole() -> tuple[Any, Any]:
        api = sdk()
        async with api.client:
            job = await api.async_flux_headshot(
                schema=FluxHeadshotSchema(prompt="p", face_image=FACE, seed=7)
            )
            return job, await api.async_fetch(str(job["id"]))

    job, result = asyncio.run(whole())

    assert job["fetch_result"] == f"https://modelslab.com/api/v6/image_editing/fetch/{job['id']}"
    assert (result["status"], result["output"], fauxlab_time.now() - started) == (
        "success",
        job["future_links"],
        120.0,
    )


def test_the_async_side_is_told_what_it_leaves_out(fauxlab: Mock) -> None:
    """Strict mode refuses the async submit for the same reason."""
    reply = asyncio.run(async_submit(sdk()))

    assert reply == {"status": "error", "message": "The seed field is required."}


@pytest.mark.fauxlab(validation="coerce")
def test_the_async_side_over_a_socket(fauxlab_server: Mock) -> None:
    """With its base URL set to the mock, links lead back to the mock's own address."""
    reply = asyncio.run(async_submit(sdk(fauxlab_server.url)))

    assert reply["fetch_result"].startswith(fauxlab_server.url + "/")
