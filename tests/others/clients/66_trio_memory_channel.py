"""trio nursery with a poller task and a memory channel; move_on_after is the deadline; a plain callable that does trio.run.
Right because the nursery cannot exit before the poller has, and exception groups are flattened to one error."""
import httpx
import trio


class HeadshotError(Exception):
    pass


def make(base_url, key):
    url = base_url.rstrip("/") + "/image_editing/"

    async def post(http, path, body):
        try:
            response = await http.post(url + path, json={**body, "key": key})
            data = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return data if isinstance(data, dict) and response.status_code not in (429, 500, 502, 503, 504) else None

    async def poller(http, job, channel):
        async with channel:
            while True:
                await trio.sleep(0.5)
                await channel.send(await post(http, f"fetch/{job}", {}))

    async def decide(replies, job):
        gaps = early = 0
        async for data in replies:
            if data is None:
                gaps += 1
                if gaps > 5:
                    return HeadshotError(f"job {job}: no answers")
                continue
            gaps = 0
            status = data.get("status")
            if status == "success" and data.get("output"):
                return data["output"]
            if status == "failed" and data.get("id") == "" and early < 6:
                early += 1
            elif status in ("success", "failed", "error"):
                return HeadshotError(str(data.get("message")).replace(key, "***"))

    async def main(body):
        async with httpx.AsyncClient(timeout=8) as http:
            data = await post(http, "flux_headshot", body)
            if data is None:
                return HeadshotError("submit failed")
            if data.get("status") == "success" and data.get("output"):
                return data["output"]
            job = data.get("id")
            if data.get("status") != "processing" or not job:
                return HeadshotError(str(data.get("message")).replace(key, "***"))
            outcome = HeadshotError(f"job {job}: late")
            with trio.move_on_after(40):
                async with trio.open_nursery() as nursery:
                    send, receive = trio.open_memory_channel(0)
                    nursery.start_soon(poller, http, job, send)
                    async with receive:
                        outcome = await decide(receive, job)
                    nursery.cancel_scope.cancel()
            return outcome

    def generate(prompt, face_image, seed, **kw):
        outcome = trio.run(main, {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return generate
