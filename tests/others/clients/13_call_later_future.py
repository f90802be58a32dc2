"""asyncio with loop.call_later: each poll schedules the next one, a Future carries the outcome.
Right because the pending timer handle and the running poll are cancelled in a finally, and the Future is set once."""
import asyncio

import httpx


class HeadshotError(Exception):
    pass


class LaterPolling:
    def __init__(self, client, url, key):
        self.loop = asyncio.get_running_loop()
        self.future = self.loop.create_future()
        self.client, self.url, self.key = client, url, key
        self.handle = self.task = None
        self.bad = self.early = 0

    def later(self, delay):
        self.handle = self.loop.call_later(delay, self.fire)

    def fire(self):
        self.task = self.loop.create_task(self.poll())

    def settle(self, value):
        if self.future.done():
            return
        if isinstance(value, Exception):
            self.future.set_exception(value)
        else:
            self.future.set_result(value)

    async def poll(self):
        try:
            response = await self.client.post(self.url, json={"key": self.key})
            reply = response.json()
            if response.status_code in (429, 500, 502, 503, 504) or not isinstance(reply, dict):
                raise ValueError
        except (httpx.HTTPError, ValueError):
            self.bad += 1
            if self.bad == 6:
                return self.settle(HeadshotError("fetch does not answer"))
            return self.later(0.5)
        except Exception as exc:
            return self.settle(HeadshotError(type(exc).__name__))
        self.bad = 0
        status = reply.get("status")
        message = str(reply.get("message", "")).replace(self.key, "***")
        if status == "success":
            return self.settle(reply.get("output") or HeadshotError("nothing in output"))
        if status == "failed" and message.lower().startswith("request not found") and self.early < 7:
            self.early += 1
        elif status in ("failed", "error"):
            return self.settle(HeadshotError(message or status))
        self.later(0.5)


def make(base_url, key):
    base = base_url.rstrip("/") + "/image_editing"

    async def generate(prompt, face_image, seed, **more):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        body.update({k: v for k, v in more.items() if v is not None})
        async with httpx.AsyncClient(timeout=8) as client:
            try:
                reply = (await client.post(base + "/flux_headshot", json=body)).json()
                status, job = reply.get("status"), reply.get("id")
            except (httpx.HTTPError, ValueError, AttributeError):
                raise HeadshotError("no proper answer to the submit") from None
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status != "processing" or not job:
                raise HeadshotError(str(reply.get("message")).replace(key, "***"))
            polling = LaterPolling(client, f"{base}/fetch/{job}", key)
            polling.later(0.3)
            try:
                done, _ = await asyncio.wait([polling.future], timeout=40)
                if not done:
                    raise HeadshotError(f"job {job} is late")
                return polling.future.result()
            finally:
                polling.handle.cancel()
                if polling.task and not polling.task.done():
                    polling.task.cancel()
                    await asyncio.gather(polling.task, return_exceptions=True)
                polling.future.cancel()

    return generate
