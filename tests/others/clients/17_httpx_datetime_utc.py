"""httpx with a deadline as an aware datetime and pauses as timedelta, and a frozen result object.
Right because all arithmetic is in UTC, the pause follows eta within bounds, and the result carries links, id and seed."""
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from time import sleep
from typing import Any

import httpx


class HeadshotError(Exception):
    pass


class StillRunning(HeadshotError):
    pass


@dataclass(frozen=True)
class Headshot:
    links: tuple
    job_id: Any
    seed: Any


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _eta(reply: dict) -> timedelta:
    try:
        seconds = float(reply.get("eta", 1))
        return timedelta(seconds=max(0.2, min(seconds, 6.0)))
    except (TypeError, ValueError):
        return timedelta(seconds=1)


def make(base_url: str, key: str):
    http = httpx.Client(base_url=base_url.rstrip("/") + "/", timeout=httpx.Timeout(15, connect=5))

    def post(path: str, body: dict) -> dict:
        response = http.post(path, json=body)
        if response.status_code == 429 or response.status_code >= 500:
            response.raise_for_status()
        reply = response.json()
        if not isinstance(reply, dict):
            raise ValueError("expected an object")
        return reply

    def explain(reply: dict) -> str:
        return str(reply.get("message", "no message")).replace(key, "****")

    def generate(prompt: str, face_image: str, seed: int, **options) -> Headshot:
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        body |= {k: v for k, v in options.items() if v is not None}
        deadline = _now() + timedelta(minutes=1)
        try:
            reply = post("image_editing/flux_headshot", body)
        except (httpx.HTTPError, ValueError):
            raise HeadshotError("submit without a usable reply") from None
        used_seed = (reply.get("meta") or {}).get("seed", seed) if isinstance(reply.get("meta"), dict) else seed
        job = reply.get("id")
        if reply.get("status") == "success" and reply.get("output"):
            return Headshot(tuple(reply["output"]), job, used_seed)
        if reply.get("status") != "processing" or not job:
            raise HeadshotError(explain(reply))

        pause, broken, first_poll = _eta(reply), 0, _now()
        while _now() + pause < deadline:
            sleep(pause.total_seconds())
            pause = timedelta(milliseconds=700)
            try:
                reply = post(f"image_editing/fetch/{job}", {"key": key})
            except (httpx.HTTPError, ValueError):
                broken += 1
                if broken > 5:
                    raise HeadshotError(f"cannot fetch job {job}") from None
                continue
            broken = 0
            if reply.get("status") == "success" and isinstance(reply.get("output"), list) and reply["output"]:
                return Headshot(tuple(reply["output"]), job, used_seed)
            if reply.get("status") in ("success", "error"):
                raise HeadshotError(explain(reply))
            if reply.get("status") == "failed":
                young = _now() - first_poll < timedelta(seconds=10)
                if not (young and "not found" in explain(reply).lower()):
                    raise HeadshotError(explain(reply))
        raise StillRunning(f"job {job} is still running")

    return generate
