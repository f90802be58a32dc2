"""A TaskGroup with two tasks, the poller and a watchdog that raises when the time is over.
Right because leaving the group always ends both tasks, and the ExceptionGroup is unpacked into its own exception."""
import asyncio

import httpx


class Overdue(Exception):
    pass


class Rejected(Exception):
    pass


async def watchdog(seconds, job):
    await asyncio.sleep(seconds)
    raise Overdue(f"job {job} is overdue")


def make(base_url, key):
    api = base_url.rstrip("/") + "/image_editing/"

    async def ask(client, path, **fields):
        response = await client.post(api + path, json={**fields, "key": key}, follow_redirects=False)
        reply = response.json()
        if not isinstance(reply, dict):
            raise ValueError("reply is no object")
        reply["_http"] = response.status_code
        if "message" in reply:
            reply["message"] = str(reply["message"]).replace(key, "***")
        return reply

    async def poller(client, job, dog):
        missed, not_found = 0, 0
        try:
            while True:
                await asyncio.sleep(0.5)
                try:
                    reply = await ask(client, f"fetch/{job}")
                    good = reply["_http"] < 500 and reply["_http"] != 429
                except (httpx.TransportError, ValueError):
                    good = False
                if not good:
                    missed += 1
                    if missed >= 5:
                        raise Rejected(f"job {job} is unreachable")
                    continue
                missed = 0
                state = reply.get("status")
                if state == "success":
                    if not reply.get("output"):
                        raise Rejected(f"job {job} came back empty")
                    return reply["output"]
                if state == "failed" and reply.get("id") == "" and not_found < 6:
                    not_found += 1
                elif state in ("failed", "error"):
                    raise Rejected(f"job {job}: {reply.get('message')}")
        finally:
            dog.cancel()

    async def generate(*, prompt, face_image, seed, width=None, height=None, num_inference_steps=None, guidance_scale=None,
                       webhook=None, track_id=None, **undeclared):
        fields = dict(prompt=prompt, face_image=face_image, seed=seed, width=width, height=height, webhook=webhook, track_id=track_id,
                      num_inference_steps=num_inference_steps, guidance_scale=guidance_scale, **undeclared)
        fields = {name: value for name, value in fields.items() if value is not None}
        async with httpx.AsyncClient(timeout=10) as client:
            try:
                reply = await ask(client, "flux_headshot", **fields)
            except (httpx.TransportError, ValueError):
                raise Rejected("submit failed") from None
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") != "processing" or not reply.get("id"):
                raise Rejected(reply.get("message", "submit not accepted"))
            try:
                async with asyncio.TaskGroup() as group:
                    dog = group.create_task(watchdog(40, reply["id"]))
                    job = group.create_task(poller(client, reply["id"], dog))
            except* (Overdue, Rejected) as group_error:
                cause = group_error.exceptions[0]
                error = type(cause)(*cause.args)
            else:
                return job.result()
            raise error

    return generate
