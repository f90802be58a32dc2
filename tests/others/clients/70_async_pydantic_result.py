"""async httpx; the result is a pydantic model with job, output and waited seconds; pauses by a table of steps.
Right because the model is built from a checked success only, and its output is the list of the API."""
import asyncio
import itertools
from typing import List, Union

import httpx
from pydantic import BaseModel


class HeadshotError(Exception):
    pass


class Headshot(BaseModel):
    job: Union[int, str]
    output: List[str]
    waited: float = 0.0


STEPS = (0.2, 0.3, 0.5, 0.5, 1.0)


def make(base_url: str, key: str):
    async def call(http, path, fields):
        try:
            response = await http.post(path, json={**fields, "key": key})
            reply = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return reply if isinstance(reply, dict) and response.status_code not in (429, 500, 502, 503, 504) else None

    async def generate(*, prompt: str, face_image: str, seed: int, **fields) -> Headshot:
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with httpx.AsyncClient(base_url=base_url.rstrip("/") + "/image_editing/", timeout=10) as http:
            reply = await call(http, "flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in fields.items() if v is not None}})
            if reply is None:
                raise HeadshotError("submit failed")
            job = reply.get("id")
            if reply.get("status") == "success" and reply.get("output"):
                return Headshot(job=job, output=reply["output"])
            if reply.get("status") != "processing" or not job:
                raise HeadshotError(str(reply.get("message")).replace(key, "***"))
            nothing = early = 0
            for pause in itertools.chain(STEPS, itertools.repeat(1.0)):
                await asyncio.sleep(pause)
                waited = loop.time() - start
                if waited > 45:
                    raise HeadshotError(f"job {job}: not ready")
                reply = await call(http, f"fetch/{job}", {})
                if reply is None:
                    nothing += 1
                    if nothing > 5:
                        raise HeadshotError(f"job {job}: unreachable")
                    continue
                nothing = 0
                if reply.get("status") == "success" and isinstance(reply.get("output"), list) and reply["output"]:
                    return Headshot(job=job, output=reply["output"], waited=round(waited, 3))
                if reply.get("status") == "failed" and reply.get("id") == "" and early < 6:
                    early += 1
                elif reply.get("status") in ("success", "failed", "error"):
                    raise HeadshotError(f"job {job}: " + str(reply.get("message", "no output")).replace(key, "***"))

    return generate
