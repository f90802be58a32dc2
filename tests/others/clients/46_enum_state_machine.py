"""An explicit state machine with an Enum and a table of handlers; requests underneath.
Right because DONE and BROKEN are the only final states, and a counter of ticks bounds the machine as well as the clock."""
import enum
import time

import requests


class State(enum.Enum):
    NEW = enum.auto()
    WAITING = enum.auto()
    DONE = enum.auto()
    BROKEN = enum.auto()


class HeadshotError(Exception):
    pass


class Machine:
    def __init__(self, base_url, key, fields):
        self.root = base_url.rstrip("/") + "/image_editing/"
        self.__key, self.fields = key, fields
        self.state, self.links, self.reason, self.job = State.NEW, None, None, None
        self.lost = self.early = 0
        self.end = time.monotonic() + 45
        self.handlers = {State.NEW: self.on_new, State.WAITING: self.on_waiting}

    def post(self, path, body):
        try:
            r = requests.post(self.root + path, json=dict(body, key=self.__key), timeout=8, allow_redirects=False)
            data = r.json()
        except (requests.RequestException, ValueError):
            return None
        return data if isinstance(data, dict) and r.status_code != 429 and r.status_code < 500 else None

    def broken(self, reason):
        self.reason = str(reason).replace(self.__key, "***")
        return State.BROKEN

    def on_new(self):
        reply = self.post("flux_headshot", self.fields)
        if reply is None:
            return self.broken("submit was not answered")
        if reply.get("status") == "success" and reply.get("output"):
            self.links = reply["output"]
            return State.DONE
        if reply.get("status") == "processing" and reply.get("id"):
            self.job = reply["id"]
            return State.WAITING
        return self.broken(reply.get("message", "submit refused"))

    def on_waiting(self):
        if time.monotonic() > self.end:
            return self.broken(f"job {self.job} exceeded the time allowed")
        time.sleep(0.5)
        reply = self.post(f"fetch/{self.job}", {})
        if reply is None:
            self.lost += 1
            return State.WAITING if self.lost < 6 else self.broken("fetch lost")
        self.lost = 0
        status = reply.get("status")
        if status == "success" and reply.get("output"):
            self.links = reply["output"]
            return State.DONE
        if status == "failed" and reply.get("id", "") == "" and self.early < 6:
            self.early += 1
            return State.WAITING
        if status in ("failed", "error", "success"):
            return self.broken(reply.get("message", "no output"))
        return State.WAITING

    def run(self):
        for _ in range(500):
            if self.state not in self.handlers:
                break
            self.state = self.handlers[self.state]()
        if self.state is not State.DONE:
            raise HeadshotError(self.reason or "too many steps")
        return self.links


def make(base_url, key):
    def generate(prompt, face_image, seed, **kw):
        fields = {"prompt": prompt, "face_image": face_image, "seed": seed}
        fields.update({k: v for k, v in kw.items() if v is not None})
        return Machine(base_url, key, fields).run()

    return generate
