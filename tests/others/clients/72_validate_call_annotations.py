"""pydantic.validate_call with Annotated limits on the signature itself; httpx for HTTP.
Right because the limits are those of the document, and a validation error (a ValueError) comes before the submit."""
import time
from typing import Annotated, Any, List, Optional

import httpx
from pydantic import Field, StrictInt, StrictStr, validate_call


class HeadshotError(Exception):
    pass


Side = Annotated[StrictInt, Field(le=1024)]


def make(base_url: str, key: str):
    http = httpx.Client(timeout=9)

    @validate_call
    def headshot(*, prompt: StrictStr, face_image: StrictStr, seed: StrictInt, width: Optional[Side] = None, height: Optional[Side] = None,
                 num_inference_steps: Annotated[Optional[StrictInt], Field(le=26)] = None,
                 guidance_scale: Annotated[Optional[float], Field(ge=1, le=10)] = None, negative_prompt: Optional[str] = None,
                 samples: Optional[int] = None, base64: Optional[bool] = None, temp: Optional[bool] = None,
                 webhook: Optional[str] = None, track_id: Optional[int] = None) -> List[str]:
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed, "width": width, "height": height, "num_inference_steps": num_inference_steps,
                  "guidance_scale": guidance_scale, "negative_prompt": negative_prompt, "samples": samples, "base64": base64, "temp": temp,
                  "webhook": webhook, "track_id": track_id}
        return run({k: v for k, v in fields.items() if v is not None})

    def ask(path: str, fields: dict) -> Optional[dict]:
        try:
            response = http.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={"key": key, **fields})
            data: Any = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return data if response.status_code < 500 and response.status_code != 429 and isinstance(data, dict) else None

    def run(fields: dict) -> List[str]:
        end = time.monotonic() + 42
        data = ask("flux_headshot", fields)
        if data is None:
            raise HeadshotError("submit: nothing usable came back")
        job, misses, early = data.get("id"), 0, 0
        while True:
            if data is None:
                misses += 1
                if misses > 5:
                    raise HeadshotError(f"job {job}: nothing usable comes back")
            else:
                misses = 0
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                if data.get("status") == "failed" and job and data.get("id") == "" and early < 6:
                    early += 1
                elif data.get("status") in ("success", "failed", "error") or not job:
                    raise HeadshotError(str(data.get("message", "no id")).replace(key, "***"))
            if time.monotonic() > end:
                raise HeadshotError(f"job {job}: more than 42 seconds")
            time.sleep(0.5)
            data = ask(f"fetch/{job}", {})

    return headshot
