"""A producer task polls and puts events into an asyncio.Queue; the consumer reads with wait_for until the final one.
Right because the producer is cancelled and awaited before returning, and an end is always the last event put."""
import asyncio
import contextlib
import json

import aiohttp


class HeadshotError(Exception):
    pass


def make(base_url, key):
    base = base_url.rstrip("/") + "/image_editing/"

    async def post(session, path, body):
        try:
            async with session.post(base + path, json={**body, "key": key}, allow_redirects=False) as response:
                reply = json.loads(await response.read())
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            return None
        return reply if isinstance(reply, dict) and response.status < 500 and response.status != 429 else None

    async def produce(session, job, events):
        nothing = early = 0
        while True:
            await asyncio.sleep(0.5)
            reply = await post(session, f"fetch/{job}", {})
            if reply is None:
                nothing += 1
                if nothing == 6:
                    return await events.put(("error", "no fetch succeeded"))
                continue
            nothing = 0
            status = reply.get("status")
            if status == "success":
                output = reply.get("output")
                return await events.put(("links", output) if output and isinstance(output, list) else ("error", "no links"))
            if status == "failed" and reply.get("id") == "" and early < 6:
                early += 1
            elif status in ("failed", "error"):
                return await events.put(("error", str(reply.get("message"))))
            await events.put(("tick", status))

    async def generate(prompt, face_image, seed, **fields):
        loop = asyncio.get_running_loop()
        end = loop.time() + 45
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=9)) as session:
            reply = await post(session, "flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                                          **{k: v for k, v in fields.items() if v is not None}})
            if reply is None:
                raise HeadshotError("submit failed")
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") != "processing" or not reply.get("id"):
                raise HeadshotError(str(reply.get("message", "refused")).replace(key, "***"))
            events = asyncio.Queue()
            producer = asyncio.create_task(produce(session, reply["id"], events))
            try:
                while True:
                    kind, value = await asyncio.wait_for(events.get(), max(0.01, end - loop.time()))
                    if kind == "links":
                        return value
                    if kind == "error":
                        raise HeadshotError(value.replace(key, "***"))
            except asyncio.TimeoutError:
                raise HeadshotError(f"job {reply['id']}: deadline") from None
            finally:
                producer.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await producer

    return generate
