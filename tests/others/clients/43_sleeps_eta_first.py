"""Sleeps the whole eta first, as the reply asks, then polls every second and a half.
Right because eta is only believed when it is a sensible number, and never beyond the deadline."""
import math
import time

import requests


class HeadshotError(Exception):
    pass


def believable(eta, most):
    if isinstance(eta, bool) or not isinstance(eta, (int, float)) or not math.isfinite(eta) or eta < 0:
        return 1.0
    return min(float(eta), most)


def make(base_url, key):
    def post(path, body):
        res = requests.post(f"{base_url.rstrip('/')}/image_editing/{path}", json=body, timeout=10, allow_redirects=False,
                            headers={"User-Agent": "headshots/1.4"})
        return res.status_code, res.json()

    def generate(prompt, face_image, seed, width=None, height=None, num_inference_steps=None, guidance_scale=None,
                 negative_prompt=None, samples=None, base64=None, temp=None, webhook=None, track_id=None):
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed, "width": width, "height": height,
                "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale, "negative_prompt": negative_prompt,
                "samples": samples, "base64": base64, "temp": temp, "webhook": webhook, "track_id": track_id}
        body = {name: value for name, value in body.items() if value is not None or name == "seed"}
        deadline = time.monotonic() + 60
        try:
            code, reply = post("flux_headshot", body)
            status = reply.get("status")
        except (requests.RequestException, ValueError, AttributeError):
            raise HeadshotError("submit: no usable answer") from None
        if status == "success" and reply.get("output"):
            return reply["output"]
        if code != 200 or status != "processing" or reply.get("id") in (None, ""):
            raise HeadshotError(f"submit: {str(reply.get('message')).replace(key, '***')} (HTTP {code})")

        job = reply["id"]
        time.sleep(believable(reply.get("eta"), 20))
        bad = early = 0
        while time.monotonic() < deadline:
            try:
                code, reply = post(f"fetch/{job}", {"key": key})
                status = reply.get("status") if code < 500 and code != 429 else None
                bad = 0 if status else bad + 1
            except (requests.RequestException, ValueError, AttributeError):
                status, bad = None, bad + 1
            if bad > 4:
                raise HeadshotError(f"job {job}: five bad replies to fetch")
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status == "failed" and reply.get("message") == "Request not found" and early < 3:
                early += 1
            elif status in ("failed", "error", "success"):
                raise HeadshotError(f"job {job}: " + str(reply.get("message", "without output")).replace(key, "***"))
            time.sleep(min(1.5 if bad == 0 and early == 0 else 0.7, max(0.0, deadline - time.monotonic())))
        raise HeadshotError(f"job {job}: a minute is over")

    return generate
