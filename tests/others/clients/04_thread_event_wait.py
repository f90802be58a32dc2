"""A polling thread per call that sets an Event; the caller waits on the Event with the overall deadline.
Right because the thread's pauses are waits on a stop Event, so it is gone when the call returns, whatever the outcome."""
import json
import threading
import time
import urllib.error
import urllib.request


class JobError(Exception):
    pass


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


class _Poller(threading.Thread):
    def __init__(self, send, job):
        super().__init__(name=f"headshot-{job}", daemon=True)
        self.send, self.job = send, job
        self.done, self.stop = threading.Event(), threading.Event()
        self.links = self.problem = None

    def run(self):
        try:
            self.poll()
        except Exception as exc:
            self.problem = f"poller stopped ({type(exc).__name__})"
        finally:
            self.done.set()

    def poll(self):
        lost = early = 0
        while not self.stop.wait(0.4):
            code, reply = self.send(f"fetch/{self.job}", {}, 5)
            if code == 429 or code >= 500 or not reply:
                lost += 1
                if lost == 7:
                    self.problem = "fetch failed seven times in a row"
                    return
                continue
            lost = 0
            status = reply.get("status")
            if status == "success" and reply.get("output"):
                self.links = reply["output"]
                return
            if status == "failed" and not reply.get("id") and early < 5:
                early += 1
            elif status in ("failed", "error", "success"):
                self.problem = str(reply.get("message") or "success without output")
                return


def make(base_url, key):
    opener = urllib.request.build_opener(_NoRedirect)

    def send(path, body, timeout):
        data = json.dumps({**body, "key": key}).encode()
        req = urllib.request.Request(f"{base_url.rstrip('/')}/image_editing/{path}", data, {"Content-Type": "application/json"}, method="POST")
        try:
            with opener.open(req, timeout=timeout) as res:
                code, raw = res.status, res.read()
        except urllib.error.HTTPError as err:
            with err:
                code, raw = err.code, err.read()
        except (OSError, ValueError) as err:
            return 599, {}
        except Exception:   # http.client.HTTPException and its family
            return 599, {}
        try:
            reply = json.loads(raw)
        except ValueError:
            return 599, {}
        return code, reply if isinstance(reply, dict) else {}

    def generate(prompt, face_image, seed, **options):
        start = time.monotonic()
        body = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in options.items() if v is not None}}
        code, reply = send("flux_headshot", body, 15)
        if code == 200 and reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        if code != 200 or reply.get("status") != "processing" or not reply.get("id"):
            raise JobError("submit: " + str(reply.get("message", f"HTTP {code}")).replace(key, "***"))
        poller = _Poller(send, reply["id"])
        poller.start()
        try:
            if not poller.done.wait(max(0, 40 - (time.monotonic() - start))):
                raise JobError(f"job {poller.job} took longer than 40 s")
        finally:
            poller.stop.set()
            poller.join(6)
        if poller.problem:
            raise JobError(f"job {poller.job}: " + poller.problem.replace(key, "***"))
        return poller.links

    return generate
