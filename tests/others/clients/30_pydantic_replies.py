"""pydantic models for request and replies, lenient where the API is known to be loose (id, eta, output).
Right because a reply that does not fit the model counts as a failed fetch rather than as a crash."""
import time
from typing import Any, List, Optional, Union

import requests
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator


class HeadshotError(Exception):
    pass


class Request(BaseModel):
    model_config = ConfigDict(extra="allow")
    prompt: str
    face_image: str
    seed: Optional[int]
    width: Optional[int] = None
    height: Optional[int] = None
    num_inference_steps: Optional[int] = None
    guidance_scale: Optional[float] = None


class Reply(BaseModel):
    status: str
    id: Union[int, str, None] = None
    eta: Optional[float] = None
    message: Optional[str] = None
    output: Optional[List[str]] = None

    @field_validator("output", mode="before")
    @classmethod
    def empty_string(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("eta", mode="before")
    @classmethod
    def numbers_only(cls, value: Any) -> Any:
        return value if isinstance(value, (int, float)) else None


def make(base_url: str, key: str):
    endpoint = base_url.rstrip("/") + "/image_editing/"

    def post(path: str, body: dict) -> Reply:
        response = requests.post(endpoint + path, json={"key": key, **body}, timeout=(3, 10), allow_redirects=False)
        if response.status_code == 429 or response.status_code >= 500:
            raise ValueError(f"HTTP {response.status_code}")
        return Reply.model_validate(response.json())

    def problem(reply: Reply) -> HeadshotError:
        return HeadshotError((reply.message or reply.status).replace(key, "***"))

    def generate(**fields) -> List[str]:
        try:
            body = Request(**fields).model_dump(exclude_none=True)
        except ValidationError as exc:
            raise HeadshotError("wrong arguments: " + ", ".join(str(e["loc"][0]) for e in exc.errors())) from None
        end = time.monotonic() + 40
        try:
            reply = post("flux_headshot", body)
        except (requests.RequestException, ValueError) as exc:
            raise HeadshotError("submit: " + type(exc).__name__) from None
        if reply.status == "success" and reply.output:
            return reply.output
        if reply.status != "processing" or not reply.id:
            raise problem(reply)
        job, pause, faults, unknown = reply.id, max(0.2, min(reply.eta or 0.5, 5)), 0, 0
        while time.monotonic() < end:
            time.sleep(pause)
            pause = 0.5
            try:
                reply = post(f"fetch/{job}", {})
            except (requests.RequestException, ValueError):     # ValidationError is a ValueError
                faults += 1
                if faults > 6:
                    raise HeadshotError(f"job {job}: replies make no sense") from None
                continue
            faults = 0
            if reply.status == "success" and reply.output:
                return reply.output
            if reply.status == "failed" and not reply.id and unknown < 6:
                unknown += 1
            elif reply.status in ("failed", "error", "success"):
                raise problem(reply)
        raise HeadshotError(f"job {job}: not finished in 40 s")

    return generate
