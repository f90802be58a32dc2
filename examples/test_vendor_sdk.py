"""Tests with the vendor's own SDK (`pip install modelslab-py`), unmodified.

Its sync side uses requests; its async side uses aiohttp.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from modelslab_py.core.apis.image_editing import Image_editing
from modelslab_py.core.client import Client
from modelslab_py.schemas.image_editing import FluxHeadshotSchema

from fauxlab import Clock, Mock

ASKED = FluxHeadshotSchema(
    prompt="studio portrait", face_image="https://example.com/face.jpg", seed=7
)


@pytest.mark.fauxlab(clock="manual", eta=90)
def test_sync(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """The SDK sleeps a minute after each fetch that is not a success; here this costs nothing."""
    api = Image_editing(client=Client(api_key="any-key"))

    job = api.flux_headshot(schema=ASKED)
    result = api.fetch(str(job["id"]))

    assert (job["status"], result["status"], len(fauxlab.requests)) == ("processing", "success", 4)


@pytest.mark.fauxlab(clock="manual", eta=90)
def test_async(fauxlab: Mock, fauxlab_time: Clock) -> None:
    """The async side gets its result through aiohttp."""

    async def generate() -> Any:
        async with Client(api_key="any-key") as client:
            api = Image_editing(client=client)
            job = await api.async_flux_headshot(schema=ASKED)
            return await api.async_fetch(str(job["id"]))

    assert asyncio.run(generate())["status"] == "success"
