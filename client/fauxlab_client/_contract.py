"""What the client knows of the contract: bounds, and the fields of `generate` with their types.

Generated from openapi.yaml by `make generate`; do not edit.
"""

from typing import Required, TypedDict

from fauxlab_client._models import Contract, FaceImage, Field

__all__ = ["CONTRACT", "SHORTEST_SECRET", "GenerateFields"]

SHORTEST_SECRET = 4  # characters; a shorter key may be a word
CONTRACT = Contract(
    base_url="https://modelslab.com/api/v6",
    submit_path="/image_editing/flux_headshot",
    fetch_path="/image_editing/fetch/{id}",
    required=("key", "prompt", "face_image", "seed"),
    fields={
        "key": Field("string"),
        "prompt": Field("string"),
        "face_image": Field("string"),
        "width": Field("integer", maximum=1024),
        "height": Field("integer", maximum=1024),
        "num_inference_steps": Field("integer", maximum=26),
        "guidance_scale": Field("number", minimum=1, maximum=10),
        "seed": Field("integer"),
        "webhook": Field("string", format="uri"),
        "track_id": Field("integer"),
    },
)


class GenerateFields(TypedDict, total=False):
    """What `generate` and `submit` take; None leaves a field out."""

    prompt: Required[str]
    face_image: Required[FaceImage]
    width: int | None  # at most 1024
    height: int | None  # at most 1024
    num_inference_steps: int | None  # at most 26
    guidance_scale: float | None  # at least 1, at most 10
    seed: Required[int]
    webhook: str | None  # a uri
    track_id: int | None
