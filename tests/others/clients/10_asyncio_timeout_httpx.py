"""async httpx under one asyncio.timeout for the whole polling; sleeps one second at most between polls.
Right because the time-out is turned into its own exception with the job id, so the caller can ask later instead of paying again."""
import asyncio

import httpx


class HeadshotTimeout(Exception):
    pass


class HeadshotError(Exception):
    pass


def make(base_url, key):
    base_url = base_url.rstrip("/")

    def say(reply):
        return str(reply.get("message") or reply.get("status")).replace(key, "***")

    async def submit(client, body):
        try:
            response = await client.post(f"{base_url}/image_editing/flux_headshot", json=body)
            reply = response.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise HeadshotError(f"submit: {type(exc).__name__}") from None
        if not isinstance(reply, dict) or response.status_code >= 400:
            raise HeadshotError(f"submit: HTTP {response.status_code} " + (say(reply) if isinstance(reply, dict) else ""))
        return reply

    async def poll(client, job, pause):
        tries = unknown = 0
        while True:
            await asyncio.sleep(pause)
            pause = 0.8
            try:
                response = await client.post(f"{base_url}/image_editing/fetch/{job}", json={"key": key})
                reply = response.json()
                if response.status_code >= 500 or response.status_code == 429 or not isinstance(reply, dict):
                    raise ValueError
            except (httpx.HTTPError, ValueError):
                tries += 1
                if tries > 5:
                    raise HeadshotError(f"job {job} can not be fetched") from None
                continue
            tries = 0
            status = reply.get("status")
            if status == "success":
                if reply.get("output"):
                    return reply["output"]
                raise HeadshotError(f"job {job} has no output")
            if status == "failed" and reply.get("message") == "Request not found" and unknown < 5:
                unknown += 1
                continue
            if status in {"failed", "error"}:
                raise HeadshotError(f"job {job}: {say(reply)}")

    async def generate(prompt, face_image, seed, **options):
        body = {k: v for k, v in options.items() if v is not None} | dict(key=key, prompt=prompt, face_image=face_image, seed=seed)
        async with httpx.AsyncClient(timeout=httpx.Timeout(12)) as client:
            reply = await submit(client, body)
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") != "processing" or not reply.get("id"):
                raise HeadshotError(say(reply))
            eta = reply.get("eta")
            pause = min(eta, 5) if isinstance(eta, (int, float)) and eta > 0 else 0.5
            try:
                async with asyncio.timeout(45):
                    return await poll(client, reply["id"], pause)
            except TimeoutError:
                raise HeadshotTimeout(f"job {reply['id']} not ready after 45 s") from None

    return generate
