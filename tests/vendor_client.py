"""The vendor's Python SDK as `check_client` takes a client: submit, then its own fetch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK uses a deprecated form of pydantic's configuration
    from modelslab_py.core.apis.image_editing import Image_editing
    from modelslab_py.core.client import Client
    from modelslab_py.schemas.image_editing import FluxHeadshotSchema

__all__ = ["make", "make_async"]


def _api(base_url: str, key: str) -> Any:
    client = Client(api_key=key)
    client.base_url = base_url.removesuffix("v6")
    return Image_editing(client=client)


def make(base_url: str, key: str) -> Callable[..., Any]:
    api = _api(base_url, key)

    def generate(  # noqa: PLR0917 # the SDK's fields
        prompt: str,
        face_image: str,
        width: int | None = None,
        height: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        webhook: str | None = None,
        track_id: str | None = None,
    ) -> Any:
        given = {name: value for name, value in locals().items() if name != "api"}
        reply = api.flux_headshot(schema=FluxHeadshotSchema(**given))
        return api.fetch(str(reply["id"])) if reply.get("status") == "processing" else reply

    return generate


def make_async(base_url: str, key: str) -> Callable[..., Any]:
    async def generate(
        prompt: str, face_image: str, width: int | None = None, height: int | None = None
    ) -> Any:
        api = _api(base_url, key)
        given = {"width": width, "height": height}
        async with api.client:
            reply = await api.async_flux_headshot(
                schema=FluxHeadshotSchema(prompt=prompt, face_image=face_image, **given)
            )
            return (
                await api.async_fetch(str(reply["id"]))
                if reply.get("status") == "processing"
                else reply
            )

    return generate
