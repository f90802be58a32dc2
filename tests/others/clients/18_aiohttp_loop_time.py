"""aiohttp with a deadline by loop.time(); each request gets what is left of it as its own time-out.
Right because neither a slow reply nor a long eta can push the call beyond its deadline."""
import asyncio
import json
import math

import aiohttp


class GaveUp(Exception):
    pass


class Denied(Exception):
    pass


def make(base_url, key):
    prefix = base_url.rstrip("/")

    async def post(session, path, body, seconds):
        limit = aiohttp.ClientTimeout(total=max(0.05, seconds))
        async with session.post(prefix + path, json=body, timeout=limit, allow_redirects=False) as res:
            data = json.loads(await res.read())
        if not isinstance(data, dict):
            raise ValueError
        return res.status, data

    def told(data):
        return str(data.get("message")).replace(key, "***")

    async def generate(prompt, face_image, seed, **extra):
        loop = asyncio.get_running_loop()
        end = loop.time() + 50
        body = {"prompt": prompt, "face_image": face_image, "seed": seed, "key": key}
        body.update((k, v) for k, v in extra.items() if v is not None)
        async with aiohttp.ClientSession() as session:
            try:
                code, data = await post(session, "/image_editing/flux_headshot", body, 20)
            except (aiohttp.ClientError, TimeoutError, ValueError):
                raise Denied("submit failed") from None
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") != "processing" or not data.get("id"):
                raise Denied(f"HTTP {code}: {told(data)}")
            job, tries, missing = data["id"], 0, 0
            nap = data.get("eta", 0.5)
            nap = float(nap) if isinstance(nap, (int, float)) and math.isfinite(nap) and nap > 0 else 0.5
            while loop.time() < end:
                await asyncio.sleep(min(nap, 10, end - loop.time()))
                nap = 0.75
                try:
                    code, data = await post(session, f"/image_editing/fetch/{job}", {"key": key}, min(8, end - loop.time()))
                except (aiohttp.ClientError, TimeoutError, ValueError):
                    code, data = 500, {}
                if code == 429 or code >= 500:
                    tries += 1
                    if tries > 7:
                        raise Denied(f"fetch of job {job} fails all the time")
                    continue
                tries = 0
                match data.get("status"):
                    case "success":
                        if not data.get("output"):
                            raise Denied("success without output")
                        return data["output"]
                    case "failed" if data.get("id", "") == "" and missing < 5:
                        missing += 1
                    case "failed" | "error":
                        raise Denied(told(data))
            raise GaveUp(f"job {job}")

    return generate
