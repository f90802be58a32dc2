"""The bundled contract as the client knows it. Generated from openapi.yaml by `make generate`; do not edit."""

from fauxlab_client._models import Contract, Field

__all__ = ["CONTRACT"]

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
