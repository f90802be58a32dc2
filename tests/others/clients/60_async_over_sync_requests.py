"""An async callable around blocking requests in run_in_executor with an own small pool; asyncio.sleep between polls.
Right because the loop never blocks, every request has a socket time-out, and the pool is shut down at the end."""
import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor

import requests


class HeadshotError(Exception):
    pass


def make(base_url, key):
    def blocking(path, body):
        try:
            r = requests.post(base_url.rstrip("/") + path, json=dict(body, key=key), timeout=(3, 7), allow_redirects=False)
            data = r.json()
        except (requests.RequestException, ValueError):
            return None
        return data if isinstance(data, dict) and r.status_code != 429 and r.status_code < 500 else None

    async def generate(prompt, face_image, seed, **kw):
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1)
        try:
            run = functools.partial(loop.run_in_executor, pool, blocking)
            body = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}}
            data = await run("/image_editing/flux_headshot", body)
            if data is None:
                raise HeadshotError("submit was not answered well")
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") != "processing" or not data.get("id"):
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
            return await wait(run, data["id"], loop.time() + 40)
        finally:
            pool.shutdown(wait=False)

    async def wait(run, job, end):
        loop, blanks, early = asyncio.get_running_loop(), 0, 0
        while loop.time() < end:
            await asyncio.sleep(0.5)
            data = await run(f"/image_editing/fetch/{job}", {})
            if data is None:
                blanks += 1
                if blanks > 5:
                    raise HeadshotError(f"job {job}: six times nothing")
                continue
            blanks = 0
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            if data.get("status") == "failed" and data.get("id") == "" and early < 6:
                early += 1
            elif data.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(data.get("message")).replace(key, "***"))
        raise HeadshotError(f"job {job}: it is too late")

    return generate
