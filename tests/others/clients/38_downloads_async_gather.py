"""httpx async; all pictures are downloaded at the same time with gather, each with its own retries.
Right because a download problem is an exception that carries the links, so the caller can try again for free."""
import asyncio
from dataclasses import dataclass
from typing import Dict, List

import httpx


class HeadshotError(Exception):
    pass


class DownloadError(HeadshotError):
    def __init__(self, links):
        super().__init__("made, but not downloadable")
        self.links = links


@dataclass
class Result:
    links: List[str]
    files: Dict[str, bytes]


def make(base_url, key, download=True):
    api = base_url.rstrip("/") + "/image_editing/"

    async def call(http, path, **body):
        try:
            response = await http.post(api + path, json={"key": key, **body})
            reply = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        if response.status_code >= 500 or response.status_code == 429 or not isinstance(reply, dict):
            return None
        return reply

    async def bytes_of(link):
        async with httpx.AsyncClient(timeout=3, follow_redirects=True) as http:
            for pause in (0.2, 0.4, 0.8, 1.0, 0):
                try:
                    response = await http.get(link)
                    if response.is_success:
                        return response.content
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(pause)
        return None

    async def wait(http, job):
        loop = asyncio.get_running_loop()
        end, nothing, early = loop.time() + 40, 0, 0
        while loop.time() < end:
            await asyncio.sleep(0.5)
            reply = await call(http, f"fetch/{job}")
            if reply is None:
                nothing += 1
                if nothing > 5:
                    raise HeadshotError(f"job {job}: fetch broken")
                continue
            nothing = 0
            status = reply.get("status")
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status == "failed" and reply.get("message") == "Request not found" and early < 6:
                early += 1
            elif status in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(reply.get("message", "empty")).replace(key, "***"))
        raise HeadshotError(f"job {job}: too slow")

    async def generate(prompt, face_image, seed, **fields):
        async with httpx.AsyncClient(timeout=10) as http:
            reply = await call(http, "flux_headshot", prompt=prompt, face_image=face_image, seed=seed,
                               **{k: v for k, v in fields.items() if v is not None})
            if reply is None:
                raise HeadshotError("submit without reply")
            if reply.get("status") == "success" and reply.get("output"):
                links = reply["output"]
            elif reply.get("status") == "processing" and reply.get("id"):
                links = await wait(http, reply["id"])
            else:
                raise HeadshotError(str(reply.get("message")).replace(key, "***"))
        if not download:
            return Result(links, {})
        contents = await asyncio.gather(*map(bytes_of, links))
        if None in contents:
            raise DownloadError(links)
        return Result(links, dict(zip(links, contents)))

    return generate
