"""Logs every step with the logging module; a filter removes the key from records, arguments included.
Right because nothing that reaches a handler can contain the key, and bodies are never logged."""
import logging
import time

import httpx

for noisy in ("httpx", "httpcore"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


class HeadshotError(Exception):
    pass


class Redact(logging.Filter):
    def __init__(self, secret):
        super().__init__()
        self.secret = secret

    def filter(self, record):
        record.msg, record.args = record.getMessage().replace(self.secret, "***"), ()
        return True


def make(base_url, key):
    http = httpx.Client()
    log = logging.Logger("headshot." + base_url.rpartition("/")[2])
    log.parent = logging.getLogger("headshot")
    log.addFilter(Redact(key))
    base = base_url.rstrip("/") + "/image_editing"

    def post(path, body):
        try:
            response = http.post(base + path, json={"key": key, **body}, timeout=9)
            reply = response.json()
        except (httpx.HTTPError, ValueError) as exc:
            log.warning("%s: %s", path, type(exc).__name__)
            return None
        log.info("%s: HTTP %s", path, response.status_code)
        if response.status_code == 429 or response.status_code >= 500 or not isinstance(reply, dict):
            return None
        log.debug("%s: status %r, message %r", path, reply.get("status"), reply.get("message"))
        return reply

    def failure(reply):
        text = str(reply.get("message", "unexplained")).replace(key, "***")
        log.error("given up: %s", text)
        return HeadshotError(text)

    def generate(prompt, face_image, seed, **more):
        end = time.monotonic() + 40
        log.info("submit, prompt of %d characters", len(prompt or ""))
        reply = post("/flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in more.items() if v is not None}})
        if reply is None:
            raise HeadshotError("submit: no usable answer")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") != "processing" or not reply.get("id"):
            raise failure(reply)
        job, gaps, early = reply["id"], 0, 0
        while time.monotonic() < end:
            time.sleep(0.5)
            reply = post(f"/fetch/{job}", {})
            if reply is None:
                gaps += 1
                if gaps > 5:
                    raise HeadshotError(f"job {job}: no answer to fetch")
                continue
            gaps = 0
            if reply.get("status") == "success" and reply.get("output"):
                return reply["output"]
            if reply.get("status") == "failed" and reply.get("message") == "Request not found" and early < 6:
                log.info("job %s not known yet", job)
                early += 1
            elif reply.get("status") in ("failed", "error", "success"):
                raise failure(reply)
        raise HeadshotError(f"job {job}: forty seconds passed")

    return generate
