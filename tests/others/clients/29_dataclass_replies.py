"""Replies become dataclasses (Done, Running, Refused) by one classifying function; httpx, fixed pause.
Right because the classifier looks at `status` first and has a fourth class for replies that say nothing."""
import time
from dataclasses import dataclass, field

import httpx


@dataclass
class Done:
    links: list


@dataclass
class Running:
    job: object = None
    eta: float = 0.5


@dataclass
class Refused:
    message: str
    unknown_job: bool = False


@dataclass
class Nonsense:
    detail: str = field(default="no usable reply")


class HeadshotError(Exception):
    pass


def classify(response):
    if response.status_code == 429 or response.status_code >= 500:
        return Nonsense(f"HTTP {response.status_code}")
    try:
        data = response.json()
    except ValueError:
        return Nonsense("no JSON")
    if not isinstance(data, dict):
        return Nonsense("no object")
    status, output = data.get("status"), data.get("output")
    if status == "success":
        return Done(output) if isinstance(output, list) and output else Refused("success without output")
    if status in ("failed", "error"):
        message = data.get("message") or "no reason given"
        return Refused(str(message), unknown_job=str(message).lower() == "request not found")
    eta = data.get("eta")
    return Running(data.get("id"), eta if isinstance(eta, (int, float)) and 0 < eta < 1e6 else 0.5)


def make(base_url, key, deadline=48):
    def post(client, path, body):
        try:
            return classify(client.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={"key": key, **body}))
        except httpx.HTTPError as e:
            return Nonsense(type(e).__name__)

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + deadline
        body = dict(prompt=prompt, face_image=face_image, seed=seed) | {k: v for k, v in kw.items() if v is not None}
        with httpx.Client(timeout=10) as client:
            state = post(client, "flux_headshot", body)
            if isinstance(state, Nonsense):
                raise HeadshotError("submit: " + state.detail)
            job = getattr(state, "job", None)
            nonsense = early = 0
            while not isinstance(state, Done):
                if isinstance(state, Refused):
                    early += 1
                    if not state.unknown_job or not job or early > 6:
                        raise HeadshotError(state.message.replace(key, "***"))
                elif isinstance(state, Nonsense):
                    nonsense += 1
                    if nonsense > 5:
                        raise HeadshotError("fetch: " + state.detail)
                elif not job:
                    raise HeadshotError("no id came back")
                else:
                    nonsense = 0
                left = end - time.monotonic()
                if left <= 0:
                    raise HeadshotError(f"job {job}: deadline")
                time.sleep(min(getattr(state, "eta", 0.5), 4, left))
                state = post(client, f"fetch/{job}", {})
        return state.links

    return generate
