"""httpx with event hooks: the response hook turns error envelopes into exceptions before the code sees them.
Right because the hook reads `status` in every 200, and 5xx or 429 become a separate, retryable kind."""
import time

import httpx


class ApiError(Exception):
    pass


class NotKnownYet(ApiError):
    pass


class Unsteady(Exception):
    """Worth another fetch."""


def make(base_url, key):
    def hook(response):
        response.read()
        if response.status_code == 429 or response.status_code >= 500:
            raise Unsteady(f"HTTP {response.status_code}")
        try:
            data = response.json()
            status = data.get("status")
        except (ValueError, AttributeError):
            raise Unsteady("no JSON object") from None
        if status in ("error", "failed"):
            text = str(data.get("message", "no message")).replace(key, "[key]")
            raise (NotKnownYet if text == "Request not found" else ApiError)(text)
        if response.status_code >= 300:
            raise ApiError(f"HTTP {response.status_code}")

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 45
        kw = {k: v for k, v in kw.items() if v is not None}
        with httpx.Client(base_url=base_url, timeout=10, event_hooks={"response": [hook]}) as client:
            try:
                data = client.post("/image_editing/flux_headshot", json={**kw, "key": key, "prompt": prompt, "face_image": face_image, "seed": seed}).json()
            except (httpx.HTTPError, Unsteady) as exc:
                raise ApiError(f"submit: {type(exc).__name__}") from None
            bad = early = 0
            job = data.get("id")
            while data.get("status") != "success":
                if not job:
                    raise ApiError("no job id")
                if time.monotonic() > end:
                    raise ApiError(f"job {job}: deadline")
                time.sleep(0.5)
                try:
                    data = client.post(f"/image_editing/fetch/{job}", json={"key": key}).json()
                    bad = 0
                except (httpx.HTTPError, Unsteady) as exc:
                    bad += 1
                    if bad > 5:
                        raise ApiError(f"job {job}: fetch fails ({type(exc).__name__})") from None
                except NotKnownYet:
                    early += 1
                    if early > 6:
                        raise
        if not isinstance(data.get("output"), list) or not data["output"]:
            raise ApiError("success with no links")
        return data["output"]

    return generate
