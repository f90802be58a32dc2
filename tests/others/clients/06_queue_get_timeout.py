"""The worker puts one outcome into a queue.Queue; the caller does get(timeout=remaining) and turns queue.Empty into its own error.
Right because exactly one outcome is put in every case, and the worker ends by itself soon after the deadline."""
import queue
import threading
import time

import requests


class Timeout(Exception):
    pass


class Refused(Exception):
    pass


LIMIT = 35


def make(base_url, key):
    def rpc(path, payload, timeout):
        r = requests.post(base_url.rstrip("/") + path, json=payload, timeout=timeout, allow_redirects=False)
        if r.status_code == 429 or r.status_code >= 500:
            r.raise_for_status()
        answer = r.json()
        if not isinstance(answer, dict):
            raise ValueError
        return answer

    def worker(job, box, end, quit_):
        bad = early = 0
        pause = 0.25
        while time.monotonic() < end and not quit_.wait(pause):
            pause = 0.5
            try:
                answer = rpc("/image_editing/fetch/" + str(job), {"key": key}, 6)
            except (requests.RequestException, ValueError):
                bad += 1
                if bad >= 5:
                    box.put(("refused", "fetch unavailable"))
                    return
                continue
            bad = 0
            state = answer.get("status")
            if state == "success":
                out = answer.get("output")
                box.put(("ok", out) if out and not isinstance(out, str) else ("refused", "empty result"))
                return
            if state in ("failed", "error"):
                if "not found" in str(answer.get("message", "")).lower() and early < 8:
                    early += 1
                    continue
                box.put(("refused", str(answer.get("message", state)).replace(key, "***")))
                return

    def generate(**fields):
        for need in ("prompt", "face_image", "seed"):
            if need not in fields:
                raise TypeError("missing argument: " + need)
        end = time.monotonic() + LIMIT
        try:
            answer = rpc("/image_editing/flux_headshot", {"key": key, **{k: v for k, v in fields.items() if v is not None}}, 15)
        except (requests.RequestException, ValueError) as e:
            raise Refused("submit failed: " + type(e).__name__) from None
        if answer.get("status") == "success" and answer.get("output"):
            return answer["output"]
        if answer.get("status") in ("error", "failed") or answer.get("id") in (None, ""):
            raise Refused(str(answer.get("message", "no id")).replace(key, "***"))
        box, quit_ = queue.Queue(1), threading.Event()
        t = threading.Thread(target=worker, args=(answer["id"], box, end, quit_), daemon=True)
        t.start()
        try:
            kind, value = box.get(timeout=max(0.01, end - time.monotonic()))
        except queue.Empty:
            raise Timeout(f"no result for job {answer['id']} in {LIMIT} s") from None
        finally:
            quit_.set()
            t.join(7)
        if kind != "ok":
            raise Refused(value)
        return value

    return generate
