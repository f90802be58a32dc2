"""`async for reply in replies()` over an async generator that polls; aclosing shuts it down.
Right because the generator is closed deterministically, so no poll happens after the call has ended."""
import asyncio
from contextlib import aclosing

import httpx


class HeadshotError(Exception):
    pass


def make(base_url, key):
    async def post(http, path, body):
        try:
            response = await http.post(base_url.rstrip("/") + "/image_editing" + path, json={"key": key, **body})
            reply = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        if response.status_code in (429, 500, 502, 503, 504) or not isinstance(reply, dict):
            return None
        return reply

    async def replies(http, job, seconds):
        loop = asyncio.get_running_loop()
        end, holes = loop.time() + seconds, 0
        while loop.time() < end:
            await asyncio.sleep(0.45)
            reply = await post(http, f"/fetch/{job}", {})
            if reply is not None:
                holes = 0
                yield reply
            else:
                holes += 1
                if holes > 5:
                    raise HeadshotError(f"job {job}: no readable replies")

    async def generate(prompt, face_image, seed, **options):
        body = {"prompt": prompt, "face_image": face_image, "seed": seed}
        body |= {k: v for k, v in options.items() if v is not None}
        async with httpx.AsyncClient(timeout=8) as http:
            reply = await post(http, "/flux_headshot", body)
            if reply is None:
                raise HeadshotError("submit: no readable reply")
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") != "processing" or not reply.get("id"):
                raise HeadshotError("submit: " + str(reply.get("message")).replace(key, "***"))
            job, early = reply["id"], 0
            async with aclosing(replies(http, job, 42)) as stream:
                async for reply in stream:
                    status = reply.get("status")
                    if status == "success" and reply.get("output"):
                        return reply["output"]
                    if status == "failed" and reply.get("id") == "" and early < 6:
                        early += 1
                    elif status in ("success", "failed", "error"):
                        raise HeadshotError(f"job {job}: " + str(reply.get("message")).replace(key, "***"))
            raise HeadshotError(f"job {job}: did not end in time")

    return generate
