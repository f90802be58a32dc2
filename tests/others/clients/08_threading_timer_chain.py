"""Every poll is a threading.Timer that starts the next one; an Event wakes the caller.
Right because only one Timer is alive at a time and the last one is cancelled when the caller stops waiting."""
import json
import http.client
import threading
from urllib.parse import urlsplit


class PollError(Exception):
    pass


class Chain:
    """Polls one job by a chain of timers."""

    def __init__(self, fetch, interval=0.5):
        self.fetch = fetch
        self.interval = interval
        self.finished = threading.Event()
        self.lock = threading.Lock()
        self.cancelled = False
        self.timer = None
        self.links = None
        self.error = None
        self.misses = self.early = 0

    def schedule(self):
        with self.lock:
            if self.cancelled:
                return
            self.timer = threading.Timer(self.interval, self.tick)
            self.timer.daemon = True
            self.timer.start()

    def cancel(self):
        with self.lock:
            self.cancelled = True
            timer = self.timer
        if timer:
            timer.cancel()
            timer.join(6)

    def end(self, links=None, error=None):
        self.links, self.error = links, error
        self.finished.set()

    def tick(self):
        reply = self.fetch()
        if reply is None:
            self.misses += 1
            return self.schedule() if self.misses < 6 else self.end(error="fetch does not work")
        self.misses = 0
        status = reply.get("status")
        if status == "success":
            output = reply.get("output")
            return self.end(output) if isinstance(output, list) and output else self.end(error="empty output")
        if status == "failed" and "not found" in str(reply.get("message")).lower() and self.early < 6:
            self.early += 1
        elif status in ("failed", "error"):
            return self.end(error=str(reply.get("message") or status))
        self.schedule()


def make(base_url, key):
    where = urlsplit(base_url)
    cls = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection

    def send(path, fields):
        con = cls(where.hostname, where.port, timeout=5)
        try:
            con.request("POST", where.path.rstrip("/") + path, json.dumps(dict(fields, key=key)), {"Content-Type": "application/json"})
            res = con.getresponse()
            reply = json.loads(res.read())
            return (res.status, reply) if isinstance(reply, dict) else (res.status, None)
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            con.close()

    def fetch(job):
        code, reply = send(f"/image_editing/fetch/{job}", {})
        return None if code == 429 or code >= 500 or code == 0 else reply

    def generate(prompt, face_image, seed, **rest):
        fields = {k: v for k, v in rest.items() if v is not None}
        code, reply = send("/image_editing/flux_headshot", dict(fields, prompt=prompt, face_image=face_image, seed=seed))
        if reply is None:
            raise PollError("submit was not answered; it is not repeated")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") != "processing" or not reply.get("id"):
            raise PollError("submit: %s" % str(reply.get("message")).replace(key, "…"))
        chain = Chain(lambda: fetch(reply["id"]))
        chain.schedule()
        in_time = chain.finished.wait(40)
        chain.cancel()
        if not in_time and not chain.finished.is_set():
            raise PollError("job %s not ready after 40 s" % reply["id"])
        if chain.error:
            raise PollError(chain.error.replace(key, "…"))
        return chain.links

    return generate
