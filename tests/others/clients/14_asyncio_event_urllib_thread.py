"""asyncio.Event set by a poll task; the blocking urllib calls run in asyncio.to_thread.
Right because every blocking call has a socket time-out of its own, so no thread can hang behind the event loop's back."""
import asyncio
import contextlib
import json
import urllib.request
from http.client import HTTPException
from urllib.error import HTTPError


class ClientError(Exception):
    pass


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *a):
        return None


def make(base_url, key):
    opener = urllib.request.build_opener(NoRedirects)
    url = base_url.rstrip("/") + "/image_editing/%s"

    def blocking(path, fields):
        request = urllib.request.Request(url % path, json.dumps(fields).encode(), {"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=7) as answer:
                return answer.status, json.load(answer)
        except HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)

    async def call(path, **fields):
        """Returns (code, object), or (0, {}) when there was no readable answer."""
        try:
            code, reply = await asyncio.to_thread(blocking, path, {"key": key, **fields})
        except (OSError, HTTPException, ValueError):
            return 0, {}
        return (code, reply) if isinstance(reply, dict) else (0, {})

    async def watch(job, event, box):
        lost = early = 0
        while "links" not in box and "error" not in box:
            await asyncio.sleep(0.4)
            code, reply = await call(f"fetch/{job}")
            if code in (0, 429) or code >= 500:
                lost += 1
                if lost > 5:
                    box["error"] = "lost contact"
                continue
            lost = 0
            if reply.get("status") == "success":
                box.update(links=reply["output"]) if reply.get("output") else box.update(error="no output")
            elif reply.get("status") == "error":
                box["error"] = str(reply.get("message"))
            elif reply.get("status") == "failed":
                early += reply.get("message") == "Request not found"
                if reply.get("message") != "Request not found" or early > 6:
                    box["error"] = str(reply.get("message"))
        event.set()

    async def generate(prompt, face_image, seed=None, **fields):
        code, reply = await call("flux_headshot", prompt=prompt, face_image=face_image, seed=seed,
                                 **{k: v for k, v in fields.items() if v is not None})
        status = reply.get("status")
        if status == "success" and reply.get("output"):
            return reply["output"]
        if code != 200 or status != "processing" or not reply.get("id"):
            raise ClientError(str(reply.get("message", f"submit failed ({code})")).replace(key, "•"))
        event, box = asyncio.Event(), {}
        task = asyncio.create_task(watch(reply["id"], event, box))
        try:
            await asyncio.wait_for(event.wait(), timeout=45)
        except asyncio.TimeoutError:
            raise ClientError(f"no end of job {reply['id']} within 45 s") from None
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if "error" in box:
            raise ClientError(box["error"].replace(key, "•"))
        return box["links"]

    return generate
