"""Waits as long as Retry-After (header) or retry_after (body) asks after a refused fetch, within the deadline; thread-local sessions.
Right because the wish of the API is honoured up to the remaining time, and each thread has a Session of its own."""
import threading
import time

import requests


class HeadshotError(Exception):
    pass


def asked_pause(response, reply):
    for value in (response.headers.get("Retry-After"), reply.get("retry_after") if isinstance(reply, dict) else None):
        try:
            if value is not None and float(value) > 0:
                return float(value)
        except (TypeError, ValueError):
            pass
    return 0.8


def make(base_url, key):
    local = threading.local()
    base = base_url.rstrip("/") + "/image_editing"

    def session():
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return local.session

    def post(path, body):
        response = session().post(base + path, json=dict(body, key=key), timeout=8, allow_redirects=False)
        try:
            return response, response.json()
        except ValueError:
            return response, None

    def words(reply):
        return str(reply.get("message", "no message")).replace(key, "***")

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 60
        try:
            response, reply = post("/flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        except requests.RequestException as exc:
            raise HeadshotError(f"submit: {type(exc).__name__}") from None
        if not isinstance(reply, dict):
            raise HeadshotError(f"submit: HTTP {response.status_code}")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        job = reply.get("id")
        if response.status_code != 200 or reply.get("status") != "processing" or not job:
            raise HeadshotError(f"submit: {words(reply)}")
        pause, troubles, early = 0.5, 0, 0
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = 0.5
            try:
                response, reply = post(f"/fetch/{job}", {})
            except requests.RequestException:
                response = reply = None
            if response is None or response.status_code == 429 or response.status_code >= 500 or not isinstance(reply, dict):
                troubles += 1
                if troubles > 6:
                    raise HeadshotError(f"job {job}: fetch is refused again and again")
                pause = asked_pause(response, reply) if response is not None else 0.8
                continue
            troubles = 0
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") == "failed" and reply.get("id") == "" and early < 6:
                early += 1
            elif reply.get("status") in ("success", "failed", "error"):
                raise HeadshotError(f"job {job}: {words(reply)}")
        raise HeadshotError(f"job {job}: a minute is over")

    return generate
