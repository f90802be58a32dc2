"""A plain (not async) callable that checks its arguments at once and returns a coroutine to await; aiohttp.
Right because wrong arguments fail before anything is awaited or sent, and the coroutine does the whole generation."""
import asyncio
import json

import aiohttp


class HeadshotError(Exception):
    pass


def make(base_url, key):
    url = base_url.rstrip("/") + "/image_editing/"

    def generate(prompt, face_image, seed, **options):
        if not isinstance(prompt, str) or not prompt.strip():
            raise ValueError("the prompt is empty")
        if not isinstance(face_image, str) or not face_image:
            raise ValueError("a face image is needed")
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed}
        fields.update({k: v for k, v in options.items() if v is not None})
        return run(fields)

    async def post(session, path, fields):
        try:
            async with session.post(url + path, json={**fields, "key": key}, allow_redirects=False) as response:
                data = json.loads(await response.text())
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            return None
        return data if isinstance(data, dict) and response.status != 429 and response.status < 500 else None

    async def run(fields):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
            data = await post(session, "flux_headshot", fields)
            if data is None:
                raise HeadshotError("submit failed")
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            job = data.get("id")
            if data.get("status") != "processing" or not job:
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
            lost = early = 0
            for _ in range(90):
                await asyncio.sleep(0.45)
                data = await post(session, f"fetch/{job}", {})
                if data is None:
                    lost += 1
                    if lost > 5:
                        raise HeadshotError(f"job {job}: no contact")
                    continue
                lost = 0
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                if data.get("status") == "failed" and data.get("id") == "" and early < 6:
                    early += 1
                elif data.get("status") in ("success", "failed", "error"):
                    raise HeadshotError(f"job {job}: " + str(data.get("message")).replace(key, "***"))
            raise HeadshotError(f"job {job}: ninety fetches were not enough")

    return generate
