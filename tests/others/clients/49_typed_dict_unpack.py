"""Heavily typed: TypedDict replies, Final constants, a Protocol for the transport; requests does the work.
Right because types are only hints here: what comes from the network is checked at run time before use."""
import time
from typing import Any, Final, List, Mapping, Optional, Protocol, TypedDict

import requests

INTERVAL: Final = 0.5
DEADLINE: Final = 45.0
FAULTS: Final = 5


class Reply(TypedDict, total=False):
    status: str
    id: Any
    message: str
    output: Any
    eta: float


class Transport(Protocol):
    def post(self, path: str, body: Mapping[str, Any]) -> Optional[Reply]: ...


class HeadshotError(Exception):
    def __init__(self, message: str, *, job: Any = None) -> None:
        super().__init__(message)
        self.job = job


class RequestsTransport:
    def __init__(self, base_url: str) -> None:
        self._base_url: Final = base_url.rstrip("/")

    def post(self, path: str, body: Mapping[str, Any]) -> Optional[Reply]:
        try:
            response = requests.post(self._base_url + path, json=dict(body), timeout=10, allow_redirects=False)
            reply: Any = response.json()
        except (requests.RequestException, ValueError):
            return None
        if response.status_code == 429 or response.status_code >= 500 or not isinstance(reply, dict):
            return None
        return reply  # type: ignore[return-value]


def make(base_url: str, key: str):
    transport: Transport = RequestsTransport(base_url)

    def reason(reply: Reply) -> str:
        return str(reply.get("message", "no reason")).replace(key, "***")

    def generate(prompt: str, face_image: str, seed: int, *, width: Optional[int] = None, height: Optional[int] = None,
                 num_inference_steps: Optional[int] = None, guidance_scale: Optional[float] = None, **other: Any) -> List[str]:
        optional = {"width": width, "height": height, "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale, **other}
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        body.update({name: value for name, value in optional.items() if value is not None})
        end = time.monotonic() + DEADLINE
        reply = transport.post("/image_editing/flux_headshot", body)
        if reply is None:
            raise HeadshotError("submit failed")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        job = reply.get("id")
        if reply.get("status") != "processing" or not job:
            raise HeadshotError(reason(reply))
        faults = early = 0
        while time.monotonic() < end:
            time.sleep(INTERVAL)
            fetched = transport.post(f"/image_editing/fetch/{job}", {"key": key})
            if fetched is None:
                faults += 1
                if faults > FAULTS:
                    raise HeadshotError("fetch failed", job=job)
                continue
            faults = 0
            status = fetched.get("status")
            if status == "success":
                if not fetched.get("output"):
                    raise HeadshotError("success without output", job=job)
                return fetched["output"]
            if status == "failed" and fetched.get("id") == "" and early < 6:
                early += 1
            elif status in ("failed", "error"):
                raise HeadshotError(reason(fetched), job=job)
        raise HeadshotError("deadline", job=job)

    return generate
