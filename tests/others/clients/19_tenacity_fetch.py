"""tenacity drives the polling: a reply that is no end is a retry, stop_after_delay is the deadline.
Right because only the fetch is inside the retrying, the submit is a bare call, and RetryError becomes its own exception."""
import requests
import tenacity


class HeadshotError(Exception):
    pass


class NotYet(Exception):
    """Internal: poll again."""


class Hiccup(NotYet):
    """Internal: a fetch that went wrong."""


def make(base_url, key):
    base = base_url.rstrip("/") + "/image_editing"

    def post(path, body):
        response = requests.post(base + path, json=body, timeout=9, allow_redirects=False)
        reply = response.json()
        if not isinstance(reply, dict):
            raise ValueError("not an object")
        return response.status_code, reply

    def message(reply):
        return str(reply.get("message", "?")).replace(key, "<key>")

    def poller(job):
        seen = {"hiccups": 0, "unknown": 0}

        @tenacity.retry(retry=tenacity.retry_if_exception_type(NotYet), stop=tenacity.stop_after_delay(40),
                        wait=tenacity.wait_exponential(multiplier=0.2, min=0.2, max=2), reraise=False)
        def poll():
            try:
                code, reply = post(f"/fetch/{job}", {"key": key})
                if code == 429 or code >= 500:
                    raise ValueError
            except (requests.RequestException, ValueError):
                seen["hiccups"] += 1
                if seen["hiccups"] > 6:
                    raise HeadshotError("fetch keeps failing") from None
                raise Hiccup from None
            seen["hiccups"] = 0
            status = reply.get("status")
            if status == "success" and reply.get("output"):
                return reply["output"]
            if status == "failed" and "not found" in message(reply).lower():
                seen["unknown"] += 1
                if seen["unknown"] <= 5:
                    raise NotYet
            if status in ("failed", "error", "success"):
                raise HeadshotError(message(reply))
            raise NotYet

        return poll

    def generate(prompt, face_image, seed, **others):
        body = dict(key=key, prompt=prompt, face_image=face_image, seed=seed, **{k: v for k, v in others.items() if v is not None})
        try:
            code, reply = post("/flux_headshot", body)
        except (requests.RequestException, ValueError):
            raise HeadshotError("submit: no reply") from None
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if code >= 400 or reply.get("status") != "processing" or not reply.get("id"):
            raise HeadshotError("submit: " + message(reply))
        try:
            return poller(reply["id"])()
        except tenacity.RetryError:
            raise HeadshotError(f"job {reply['id']} did not end in 40 s") from None

    return generate
