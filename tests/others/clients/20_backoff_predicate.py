"""The backoff library: on_predicate while the job runs, constant interval, max_time as the deadline.
Right because backoff's None at the end of max_time is turned into an error instead of being returned."""
import logging

import backoff
import httpx

logging.getLogger("backoff").addHandler(logging.NullHandler())


class HeadshotError(Exception):
    pass


def make(base_url, key):
    root = base_url.rstrip("/")

    def generate(prompt, face_image, seed, width=None, height=None, num_inference_steps=None, guidance_scale=None, **rest):
        options = {"width": width, "height": height, "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale, **rest}
        payload = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        payload.update({k: v for k, v in options.items() if v is not None})

        with httpx.Client(timeout=10, follow_redirects=False) as client:
            try:
                reply = client.post(f"{root}/image_editing/flux_headshot", json=payload).json()
                status = reply["status"]
            except (httpx.HTTPError, ValueError, LookupError, TypeError):
                raise HeadshotError("could not submit") from None
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status in ("error", "failed", "success") or not reply.get("id"):
                raise HeadshotError(str(reply.get("message", status)).replace(key, "***"))

            job, faults, lost = reply["id"], 0, 0

            @backoff.on_predicate(backoff.constant, lambda done: done is None, interval=0.5, max_time=35, jitter=None, logger=None)
            def fetch():
                nonlocal faults, lost
                try:
                    response = client.post(f"{root}/image_editing/fetch/{job}", json={"key": key})
                    data = response.json()
                    if response.status_code in (429, 500, 502, 503, 504):
                        raise ValueError
                    status = data["status"]
                except (httpx.HTTPError, ValueError, LookupError, TypeError):
                    faults += 1
                    if faults > 5:
                        raise HeadshotError("fetch is out of order") from None
                    return None
                faults = 0
                if status == "success":
                    if not data.get("output"):
                        raise HeadshotError("success, no output")
                    return data["output"]
                if status == "failed" and data.get("message") == "Request not found" and lost < 5:
                    lost += 1
                    return None
                if status in ("failed", "error"):
                    raise HeadshotError(str(data.get("message")).replace(key, "***"))
                return None

            links = fetch()
            if links is None:
                raise HeadshotError(f"job {job} not done after 35 s")
            return links

    return generate
