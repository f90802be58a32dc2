"""aiohttp, exponential back-off with a ceiling, session per call, annotated keyword-only signature.
Right because the doubling stops at two seconds and every sleep is cut to the rest of the deadline."""
import asyncio
from typing import List, Optional

import aiohttp


class HeadshotError(RuntimeError):
    pass


def make(base_url: str, key: str):
    async def headshot(*, prompt: str, face_image: str, seed: Optional[int], width: Optional[int] = None, height: Optional[int] = None,
                       num_inference_steps: Optional[int] = None, guidance_scale: Optional[float] = None,
                       negative_prompt: Optional[str] = None, webhook: Optional[str] = None, track_id: Optional[int] = None) -> List[str]:
        optional = dict(width=width, height=height, num_inference_steps=num_inference_steps, guidance_scale=guidance_scale,
                        negative_prompt=negative_prompt, webhook=webhook, track_id=track_id)
        body = dict(key=key, prompt=prompt, face_image=face_image, seed=seed)
        body.update((k, v) for k, v in optional.items() if v is not None)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            reply = await _post(session, "flux_headshot", body)
            if reply is None:
                raise HeadshotError("submit was not answered")
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") != "processing" or not reply.get("id"):
                raise _error(reply)
            return await _wait(session, reply["id"])

    async def _post(session, path, body):
        url = f"{base_url.rstrip('/')}/image_editing/{path}"
        try:
            async with session.post(url, json=body, allow_redirects=False) as response:
                reply = await response.json(content_type=None)
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            return None
        if response.status == 429 or response.status >= 500 or not isinstance(reply, dict):
            return None
        return reply

    def _error(reply):
        return HeadshotError(str(reply.get("message") or "refused").replace(key, "xxx"))

    async def _wait(session, job):
        loop = asyncio.get_running_loop()
        end, delay, nothing, unknown = loop.time() + 60, 0.25, 0, 0
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(delay, left))
            delay = min(delay * 2, 2.0)
            reply = await _post(session, f"fetch/{job}", {"key": key})
            if reply is None:
                nothing += 1
                if nothing > 5:
                    raise HeadshotError(f"job {job}: no contact")
                continue
            nothing = 0
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") == "failed" and reply.get("message") == "Request not found":
                unknown += 1
                if unknown < 5:
                    continue
            if reply.get("status") in ("failed", "error", "success"):
                raise _error(reply)
        raise HeadshotError(f"job {job} exceeded one minute")

    return headshot
