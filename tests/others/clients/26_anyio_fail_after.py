"""anyio with fail_after, an async callable that also works under trio; replies parsed by a small function.
Right because TimeoutError of fail_after is caught outside the scope, where it can only mean the deadline."""
import anyio
import httpx


class NoPicture(Exception):
    pass


def parse(response):
    """dict of the reply, or None when the reply says nothing about the job."""
    if response.status_code == 429 or response.status_code >= 500:
        return None
    try:
        reply = response.json()
    except ValueError:
        return None
    return reply if isinstance(reply, dict) else None


def make(base_url, key):
    async def generate(prompt, face_image, seed, **options):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        body.update({name: option for name, option in options.items() if option is not None})
        async with httpx.AsyncClient(base_url=base_url, timeout=8.0) as client:
            try:
                reply = parse(await client.post("image_editing/flux_headshot", json=body))
            except httpx.HTTPError as problem:
                raise NoPicture(f"submit: {type(problem).__name__}") from None
            if reply is None:
                raise NoPicture("submit: unusable reply")
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            job = reply.get("id")
            if reply.get("status") in ("error", "failed") or not job:
                raise NoPicture("submit: " + str(reply.get("message")).replace(key, "***"))
            expired = False
            try:
                with anyio.fail_after(45):
                    return await follow(client, job)
            except TimeoutError:
                expired = True
            if expired:
                raise NoPicture(f"job {job} is not finished yet")

    async def follow(client, job):
        silence = unknown = 0
        while True:
            await anyio.sleep(0.5)
            try:
                reply = parse(await client.post(f"image_editing/fetch/{job}", json={"key": key}))
            except httpx.HTTPError:
                reply = None
            if reply is None:
                silence += 1
                if silence >= 6:
                    raise NoPicture(f"job {job} does not answer")
                continue
            silence = 0
            if reply.get("status") == "success" and isinstance(reply.get("output"), list) and reply["output"]:
                return reply["output"]
            if reply.get("status") == "failed" and reply.get("id") == "":
                unknown += 1
                if unknown < 8:
                    continue
            if reply.get("status") in ("failed", "error", "success"):
                raise NoPicture(f"job {job}: " + str(reply.get("message", "no output")).replace(key, "***"))

    return generate
