"""A blocking facade over async code: one event loop in a background thread, run_coroutine_threadsafe per call.
Right because the loop thread is started per call and stopped in a finally, so nothing is left behind."""
import asyncio
import concurrent.futures
import threading

import httpx


class HeadshotError(Exception):
    pass


class LoopThread:
    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def run(self, coroutine, timeout):
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise HeadshotError("no result in time") from None

    async def _drain(self):
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __exit__(self, *exc):
        asyncio.run_coroutine_threadsafe(self._drain(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


def make(base_url, key):
    async def work(body):
        async with httpx.AsyncClient(base_url=base_url.rstrip("/") + "/image_editing/", timeout=8) as http:
            async def post(path, fields):
                try:
                    response = await http.post(path, json={"key": key, **fields})
                    reply = response.json()
                except (httpx.HTTPError, ValueError):
                    return None
                return reply if isinstance(reply, dict) and response.status_code < 500 and response.status_code != 429 else None

            reply = await post("flux_headshot", body)
            if reply is None:
                raise HeadshotError("submit failed")
            job, lost, early = reply.get("id"), 0, 0
            while True:
                if reply is None:
                    lost += 1
                    if lost > 5:
                        raise HeadshotError(f"job {job}: lost")
                else:
                    lost = 0
                    if reply.get("status") == "success" and reply.get("output"):
                        return reply["output"]
                    if reply.get("status") == "failed" and reply.get("message") == "Request not found" and job and early < 6:
                        early += 1
                    elif reply.get("status") in ("success", "failed", "error") or not job:
                        raise HeadshotError(str(reply.get("message", "no id")).replace(key, "***"))
                await asyncio.sleep(0.5)
                reply = await post(f"fetch/{job}", {})

    def generate(prompt, face_image, seed, **kw):
        body = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}}
        with LoopThread() as thread:
            return thread.run(work(body), 45)

    return generate
