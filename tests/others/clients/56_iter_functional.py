"""Functional: itertools.takewhile over a lazy stream of fetches, next() picks the first final reply.
Right because laziness means one fetch per pause, and the exhausted stream is the deadline."""
import itertools
import time

import requests


class HeadshotError(Exception):
    pass


FINAL = frozenset(("success", "failed", "error"))
EMPTY = {"status": "unreadable"}


def make(base_url, key):
    def post(path, **body):
        try:
            r = requests.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={**body, "key": key}, timeout=8, allow_redirects=False)
            return r.json() if r.status_code < 500 and r.status_code != 429 and r.text.lstrip().startswith("{") else EMPTY
        except (requests.RequestException, ValueError):
            return EMPTY

    def paused(seconds, function):
        time.sleep(seconds)
        return function()

    def patient(replies, early=6, faults=5):
        for reply in replies:
            if reply is EMPTY:
                faults -= 1
                if faults < 0:
                    return
            elif reply.get("status") == "failed" and reply.get("message") == "Request not found" and early:
                early -= 1
            else:
                faults = 5
                yield reply

    def final(reply):
        return reply.get("status") in FINAL

    def links(reply):
        if reply.get("status") == "success" and reply.get("output"):
            return reply["output"]
        raise HeadshotError(str(reply.get("message", reply.get("status"))).replace(key, "***"))

    def generate(prompt, face_image, seed, **kw):
        end = time.monotonic() + 45
        first = post("flux_headshot", prompt=prompt, face_image=face_image, seed=seed, **dict(filter(lambda kv: kv[1] is not None, kw.items())))
        if final(first) or not first.get("id"):
            return links(first)
        stream = (paused(0.5, lambda: post(f"fetch/{first['id']}")) for _ in itertools.count())
        stream = itertools.takewhile(lambda _: time.monotonic() < end, stream)
        last = next(filter(final, patient(stream)), None)
        if last is None:
            raise HeadshotError(f"job {first['id']} had no end")
        return links(last)

    return generate
