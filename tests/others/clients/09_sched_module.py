"""Polling as events of the standard library's sched.scheduler, with a second event for the deadline.
Right because the scheduler is emptied as soon as the job has an outcome, and nothing outlives the call."""
import json
import sched
import time
import urllib.error
import urllib.request


class HeadshotProblem(Exception):
    pass


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


class Run:
    def __init__(self, post, job, eta, allowed):
        self.post, self.job = post, job
        self.sched = sched.scheduler(time.monotonic, time.sleep)
        self.outcome = None
        self.faults = self.unknown = 0
        self.alarm = self.sched.enter(allowed, 0, self.finish, (HeadshotProblem(f"job {job} ran out of time"),))
        self.sched.enter(eta, 1, self.poll)

    def finish(self, outcome):
        self.outcome = outcome
        for event in self.sched.queue:
            self.sched.cancel(event)

    def again(self):
        self.sched.enter(0.6, 1, self.poll)

    def poll(self):
        reply = self.post(f"fetch/{self.job}", {})
        if reply is None:
            self.faults += 1
            return self.again() if self.faults <= 5 else self.finish(HeadshotProblem("fetch is broken"))
        self.faults = 0
        status, message = reply.get("status"), str(reply.get("message", ""))
        if status == "success":
            self.finish(reply.get("output") or HeadshotProblem("success, but no picture"))
        elif status == "failed" and message == "Request not found" and self.unknown < 6:
            self.unknown += 1
            self.again()
        elif status in ("failed", "error"):
            self.finish(HeadshotProblem(message))
        else:
            self.again()

    def result(self):
        self.sched.run()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def make(base_url, key):
    opener = urllib.request.build_opener(_Stay())
    base = base_url.rstrip("/") + "/image_editing/"

    def post(path, fields):
        request = urllib.request.Request(base + path, json.dumps({"key": key, **fields}).encode("utf-8"))
        request.add_header("Content-Type", "application/json")
        try:
            with opener.open(request, timeout=10) as response:
                raw = response.read()
        except urllib.error.HTTPError as error:
            raw = error.read()
            error.close()
            if error.code == 429 or error.code >= 500:
                return None
        except Exception:
            return None
        try:
            reply = json.loads(raw)
        except ValueError:
            return None
        if not isinstance(reply, dict):
            return None
        if isinstance(reply.get("message"), str):
            reply["message"] = reply["message"].replace(key, "*")
        return reply

    def eta_of(reply):
        eta = reply.get("eta")
        return min(max(eta, 0.2), 8) if isinstance(eta, (int, float)) else 1

    def generate(*, prompt, face_image, seed, **more):
        t0 = time.monotonic()
        reply = post("flux_headshot", {"prompt": prompt, "face_image": face_image, "seed": seed,
                                       **{k: v for k, v in more.items() if v is not None}})
        if reply is None:
            raise HeadshotProblem("submit failed")
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if reply.get("status") != "processing" or reply.get("id") in (None, ""):
            raise HeadshotProblem(str(reply.get("message") or "submit not understood"))
        return Run(post, reply["id"], eta_of(reply), 50 - (time.monotonic() - t0)).result()

    return generate
