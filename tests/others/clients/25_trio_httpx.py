"""trio with httpx: trio.move_on_after is the deadline; the caller gets a plain function that does trio.run.
Right because the cancel scope tells whether time ran out, and that becomes an exception of its own."""
import httpx
import trio


class HeadshotError(Exception):
    pass


def make(base_url, key):
    base = base_url.rstrip("/") + "/image_editing"

    def why(reply):
        return str(reply.get("message", "no reason")).replace(key, "***")

    async def poll(client, job):
        fails = early = 0
        while True:
            await trio.sleep(0.4)
            try:
                response = await client.post(f"{base}/fetch/{job}", json={"key": key})
                reply = response.json()
                broken = response.status_code >= 500 or response.status_code == 429 or not isinstance(reply, dict)
            except (httpx.HTTPError, ValueError):
                broken = True
            if broken:
                fails += 1
                if fails > 5:
                    raise HeadshotError(f"job {job}: fetch is broken")
                continue
            fails = 0
            status = reply.get("status")
            if status == "success":
                if not reply.get("output"):
                    raise HeadshotError(f"job {job}: nothing in it")
                return reply["output"]
            if status == "failed" and "not found" in why(reply).lower() and early < 6:
                early += 1
            elif status in ("failed", "error"):
                raise HeadshotError(f"job {job}: {why(reply)}")

    async def main(body):
        async with httpx.AsyncClient(timeout=10) as client:
            try:
                reply = (await client.post(f"{base}/flux_headshot", json=body)).json()
                status = reply.get("status")
            except (httpx.HTTPError, ValueError, AttributeError):
                raise HeadshotError("submit failed") from None
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status != "processing" or not reply.get("id"):
                raise HeadshotError(f"submit: {why(reply)}")
            with trio.move_on_after(40) as scope:
                links = await poll(client, reply["id"])
            if scope.cancelled_caught:
                raise HeadshotError(f"job {reply['id']}: 40 seconds are over")
            return links

    def generate(prompt, face_image, seed, **more):
        body = {k: v for k, v in more.items() if v is not None}
        body |= {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        return trio.run(main, body)

    return generate
