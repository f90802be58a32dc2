"""Async; a semaphore limits jobs in flight across calls, created lazily per event loop; asyncio.timeout around all waiting.
Right because the semaphore belongs to the running loop, and a submit starts only when a place is free."""
import asyncio
import weakref

import httpx


class HeadshotError(Exception):
    pass


class TooSlow(HeadshotError):
    pass


def make(base_url, key, places=5):
    semaphores = weakref.WeakKeyDictionary()

    def semaphore():
        loop = asyncio.get_running_loop()
        if loop not in semaphores:
            semaphores[loop] = asyncio.Semaphore(places)
        return semaphores[loop]

    async def post(http, path, body):
        try:
            response = await http.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={**body, "key": key})
            data = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return data if isinstance(data, dict) and response.status_code < 500 and response.status_code != 429 else None

    async def finish(http, job):
        silent = early = 0
        while True:
            await asyncio.sleep(0.5)
            data = await post(http, f"fetch/{job}", {})
            if data is None:
                silent += 1
                if silent > 5:
                    raise HeadshotError(f"job {job}: silence")
                continue
            silent = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("id") == "" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(data.get("message")).replace(key, "***"))

    async def generate(*, prompt, face_image, seed, **fields):
        async with semaphore(), httpx.AsyncClient(timeout=8) as http:
            data = await post(http, "flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                      **{k: v for k, v in fields.items() if v is not None}})
            if data is None:
                raise HeadshotError("submit: silence")
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") != "processing" or not data.get("id"):
                raise HeadshotError("submit: " + str(data.get("message")).replace(key, "***"))
            try:
                async with asyncio.timeout(40):
                    return await finish(http, data["id"])
            except TimeoutError:
                raise TooSlow(f"job {data['id']}") from None

    return generate
