"""One poller thread for all calls of a make(): jobs register, the thread asks for each in turn and ends when none is left.
Right because results are kept by job id under a lock, and the thread ends by itself when it has nothing to do."""
import threading
import time

import requests


class HeadshotError(Exception):
    pass


class Ticket:
    def __init__(self):
        self.done = threading.Event()
        self.links = self.problem = None
        self.lost = self.early = 0

    def finish(self, links=None, problem=None):
        self.links, self.problem = links, problem
        self.done.set()


class Poller:
    def __init__(self, fetch, pause=0.4):
        self.fetch, self.pause = fetch, pause
        self.lock, self.tickets, self.thread = threading.Lock(), {}, None

    def watch(self, job):
        ticket = Ticket()
        with self.lock:
            self.tickets[job] = ticket
            if self.thread is None:
                self.thread = threading.Thread(target=self.loop, daemon=True)
                self.thread.start()
        return ticket

    def forget(self, job):
        with self.lock:
            self.tickets.pop(job, None)

    def loop(self):
        while True:
            time.sleep(self.pause)
            with self.lock:
                waiting = [(j, t) for j, t in self.tickets.items() if not t.done.is_set()]
                if not waiting:
                    self.thread = None
                    return
            for job, ticket in waiting:
                try:
                    self.look(job, ticket)
                except Exception as exc:
                    ticket.finish(problem=type(exc).__name__)

    def look(self, job, ticket):
        reply = self.fetch(job)
        if reply is None:
            ticket.lost += 1
            if ticket.lost > 5:
                ticket.finish(problem="fetch failed six times")
            return
        ticket.lost = 0
        if reply.get("status") == "success" and reply.get("output"):
            ticket.finish(reply["output"])
        elif reply.get("status") == "failed" and reply.get("message") == "Request not found" and ticket.early < 6:
            ticket.early += 1
        elif reply.get("status") in ("success", "failed", "error"):
            ticket.finish(problem=str(reply.get("message", "no output")))


def make(base_url, key):
    def post(path, fields):
        try:
            r = requests.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={"key": key, **fields}, timeout=5, allow_redirects=False)
            reply = r.json()
        except (requests.RequestException, ValueError):
            return None
        return reply if isinstance(reply, dict) and r.status_code != 429 and r.status_code < 500 else None

    poller = Poller(lambda job: post(f"fetch/{job}", {}))

    def generate(prompt, face_image, seed, **kw):
        reply = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}})
        if reply is None:
            raise HeadshotError("submit failed")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") != "processing" or not reply.get("id"):
            raise HeadshotError(str(reply.get("message")).replace(key, "***"))
        ticket = poller.watch(reply["id"])
        try:
            if not ticket.done.wait(40):
                raise HeadshotError(f"job {reply['id']}: not done in 40 s")
        finally:
            poller.forget(reply["id"])
        if ticket.problem:
            raise HeadshotError(ticket.problem.replace(key, "***"))
        return ticket.links

    return generate
