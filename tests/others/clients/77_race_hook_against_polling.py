"""asyncio.wait with FIRST_COMPLETED: one task waits for the webhook, another polls; aiohttp serves the hook and asks the API.
Right because the hook only hastens the next fetch, and both tasks and the little server are gone before the call returns."""
import asyncio
import json

import aiohttp
from aiohttp import web


class HeadshotError(Exception):
    pass


def make(base_url, key):
    api = base_url.rstrip("/") + "/image_editing/"

    async def post(session, path, fields):
        try:
            async with session.post(api + path, json={**fields, "key": key}, allow_redirects=False) as response:
                reply = json.loads(await response.read())
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            return None
        return reply if isinstance(reply, dict) and response.status < 500 and response.status != 429 else None

    async def generate(prompt, face_image, seed, webhook=None, **fields):
        bells = {}

        async def hook(request):
            try:
                event = json.loads(await request.text())
            except ValueError:
                return web.Response(status=400)
            if isinstance(event, dict):
                bells.setdefault(str(event.get("id")), asyncio.Event()).set()
            return web.Response(text="ok")

        app = web.Application()
        app.router.add_post("/hook", hook)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as session:
                reply = await post(session, "flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                              "webhook": webhook or f"http://127.0.0.1:{port}/hook", **{k: v for k, v in fields.items() if v is not None}})
                if reply is None:
                    raise HeadshotError("submit failed")
                if reply.get("status") == "success" and reply.get("output"):
                    return reply["output"]
                if reply.get("status") != "processing" or not reply.get("id"):
                    raise HeadshotError(str(reply.get("message")).replace(key, "***"))
                job = reply["id"]
                return await wait(session, job, bells.setdefault(str(job), asyncio.Event()))
        finally:
            await runner.cleanup()

    async def wait(session, job, bell):
        loop = asyncio.get_running_loop()
        end, lost, early = loop.time() + 45, 0, 0
        while loop.time() < end:
            tasks = {asyncio.create_task(bell.wait()), asyncio.create_task(asyncio.sleep(1.0))}
            _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            bell.clear()
            reply = await post(session, f"fetch/{job}", {})
            if reply is None:
                lost += 1
                if lost > 5:
                    raise HeadshotError(f"job {job}: lost")
                continue
            lost = 0
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") == "failed" and reply.get("id") == "" and early < 6:
                early += 1
            elif reply.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: " + str(reply.get("message")).replace(key, "***"))
        raise HeadshotError(f"job {job}: late")

    return generate
