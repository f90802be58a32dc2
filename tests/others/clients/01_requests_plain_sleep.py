"""Plain requests functions, fixed half-second sleep, deadline by time.monotonic.
Right because it submits once, reads `status` rather than the HTTP code, forgives a few bad fetches and gives up in the end."""
import time

import requests


class HeadshotError(Exception):
    pass


def make(base_url, key):
    base = base_url.rstrip("/")

    def post(path, body):
        return requests.post(base + path, json=body, timeout=10, allow_redirects=False)

    def clean(text):
        return str(text).replace(key, "[key]")

    def generate(prompt, face_image, seed, width=None, height=None, num_inference_steps=None, guidance_scale=None, **extra):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed, "width": width, "height": height,
                "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale}
        body.update(extra)
        body = {k: v for k, v in body.items() if v is not None}
        end = time.monotonic() + 45

        try:
            reply = post("/image_editing/flux_headshot", body).json()
        except (requests.RequestException, ValueError):
            # the job may or may not exist: sending it again could cost twice
            raise HeadshotError("no usable answer to the submit") from None
        if not isinstance(reply, dict):
            raise HeadshotError("the submit was answered with something that is no object")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") != "processing" or not reply.get("id"):
            raise HeadshotError("submit refused: " + clean(reply.get("message", "no reason given")))

        job, bad, unknown = reply["id"], 0, 0
        while time.monotonic() < end:
            time.sleep(0.5)
            try:
                r = post("/image_editing/fetch/%s" % job, {"key": key})
                if r.status_code >= 500 or r.status_code == 429:
                    raise ValueError("HTTP %d" % r.status_code)
                reply = r.json()
                status = reply.get("status")
            except (requests.RequestException, ValueError, AttributeError):
                bad += 1
                if bad > 5:
                    raise HeadshotError("too many failed fetches of job %s" % job) from None
                continue
            bad = 0
            if status == "success":
                if isinstance(reply.get("output"), list) and reply["output"]:
                    return reply["output"]
                raise HeadshotError("job %s succeeded without pictures" % job)
            if status == "failed" and reply.get("message") == "Request not found" and unknown < 6:
                unknown += 1        # too early
                continue
            if status in ("failed", "error"):
                raise HeadshotError("job %s: %s" % (job, clean(reply.get("message"))))
        raise HeadshotError("job %s is not ready after 45 seconds" % job)

    return generate
