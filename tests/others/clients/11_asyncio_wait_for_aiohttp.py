"""aiohttp with asyncio.wait_for around the polling coroutine; content type of replies is not trusted.
Right because a JSON body is read whatever its Content-Type, and redirects never carry the key elsewhere."""
import asyncio
import json

import aiohttp


class FluxError(Exception):
    """Anything that kept us from a picture."""


class Flux:
    def __init__(self, base_url: str, key: str):
        self._url = base_url.rstrip("/") + "/image_editing"
        self._secret = key

    async def _post(self, session, path, **fields):
        fields["key"] = self._secret
        async with session.post(self._url + path, json=fields, allow_redirects=False) as response:
            reply = json.loads(await response.text(errors="replace"))
            if not isinstance(reply, dict):
                raise ValueError("no JSON object")
            return response.status, reply

    def _fail(self, reply):
        return FluxError(str(reply.get("message", "unexplained")).replace(self._secret, "<key>"))

    async def _follow(self, session, job):
        errors, delay, early = 0, 0.2, 0
        while errors < 6:
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 2)
            try:
                code, reply = await self._post(session, f"/fetch/{job}")
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
                errors += 1
                continue
            if code == 429 or code >= 500:
                errors += 1
                continue
            errors = 0
            status = reply.get("status")
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status in ("success", "error"):
                raise self._fail(reply)
            if status == "failed":
                early += 1
                if reply.get("id") or early > 5:
                    raise self._fail(reply)
        raise FluxError("the fetch failed six times in a row")

    async def __call__(self, prompt: str, face_image: str, seed: int, **optional):
        fields = {k: v for k, v in optional.items() if v is not None}
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                code, reply = await self._post(session, "/flux_headshot", prompt=prompt, face_image=face_image, seed=seed, **fields)
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
                raise FluxError("submit was not answered in a readable way") from None
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if code != 200 or reply.get("status") != "processing" or not reply.get("id"):
                raise self._fail(reply)
            try:
                return await asyncio.wait_for(self._follow(session, reply["id"]), 40)
            except asyncio.TimeoutError:
                raise FluxError(f"gave up on job {reply['id']}") from None


def make(base_url, key):
    return Flux(base_url, key)
