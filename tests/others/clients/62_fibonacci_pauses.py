"""Fibonacci pauses in tenths of a second, capped; aiohttp; deadline by counting the pauses already slept.
Right because the sum of pauses plus the bounded requests is what limits the call."""
import asyncio

import aiohttp


class HeadshotError(Exception):
    pass


def fibonacci(cap=2.0):
    a, b = 0.1, 0.2
    while True:
        yield min(a, cap)
        a, b = b, a + b


def make(base_url, key):
    class Nothing(Exception):
        pass

    async def post(session, path, **body):
        try:
            async with session.post(f"{base_url.rstrip('/')}/image_editing/{path}", json=body | {"key": key}, allow_redirects=False) as r:
                if r.status == 429 or r.status >= 500:
                    raise Nothing
                data = await r.json(content_type=None)
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            raise Nothing from None
        if not isinstance(data, dict):
            raise Nothing
        return data

    async def generate(prompt, face_image, seed, **options):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10, connect=4)) as session:
            try:
                data = await post(session, "flux_headshot", prompt=prompt, face_image=face_image, seed=seed,
                                  **{k: v for k, v in options.items() if v is not None})
            except Nothing:
                raise HeadshotError("submit: no usable answer") from None
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            job = data.get("id")
            if data.get("status") != "processing" or not job:
                raise HeadshotError("submit: " + str(data.get("message")).replace(key, "***"))
            slept = faults = early = 0
            for pause in fibonacci():
                if slept > 40:
                    raise HeadshotError(f"job {job}: waited {slept:.0f} s in vain")
                await asyncio.sleep(pause)
                slept += pause
                try:
                    data = await post(session, f"fetch/{job}")
                except Nothing:
                    faults += 1
                    if faults > 6:
                        raise HeadshotError(f"job {job}: fetch is useless") from None
                    continue
                faults = 0
                if data.get("status") == "success" and data.get("output"):
                    return data["output"]
                if data.get("status") == "failed" and data.get("message") == "Request not found" and early < 10:
                    early += 1
                elif data.get("status") in ("success", "failed", "error"):
                    raise HeadshotError(f"job {job}: " + str(data.get("message")).replace(key, "***"))

    return generate
