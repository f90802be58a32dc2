"""Small free functions tied together with functools.partial; no class, no closure over the key except in the partial.
Right because `submit`, `fetch` and `wait` each have one duty and only `wait` repeats anything."""
import functools
import time

import requests


class HeadshotError(Exception):
    pass


OVER = {"success", "failed", "error"}


def call(base_url, key, path, fields, timeout=10):
    """One POST. None stands for 'ask again later'."""
    try:
        r = requests.post(f"{base_url.rstrip('/')}/image_editing/{path}", json={**fields, "key": key}, timeout=timeout, allow_redirects=False)
        if r.status_code == 429 or r.status_code >= 500:
            return None
        body = r.json()
    except (requests.RequestException, ValueError):
        return None
    if not isinstance(body, dict):
        return None
    if "message" in body:
        body["message"] = str(body["message"]).replace(key, "***")
    return body


def links_of(body):
    if body.get("status") == "success" and body.get("output"):
        return body["output"]
    raise HeadshotError(body.get("message") or "no pictures")


def wait(fetch, end, pause):
    unanswered = too_early = 0
    while time.monotonic() < end:
        time.sleep(pause)
        body = fetch({})
        if body is None:
            unanswered += 1
            if unanswered > 5:
                raise HeadshotError("no answers any more")
            continue
        unanswered = 0
        if body.get("status") == "failed" and body.get("id") == "" and too_early < 6:
            too_early += 1
        elif body.get("status") in OVER:
            return links_of(body)
    raise HeadshotError("out of time")


def generate(api, prompt, face_image, seed, **options):
    end = time.monotonic() + 50
    options = {name: value for name, value in options.items() if value is not None}
    body = api("flux_headshot", dict(options, prompt=prompt, face_image=face_image, seed=seed))
    if body is None:
        raise HeadshotError("submit failed")
    if body.get("status") in OVER or not body.get("id"):
        return links_of(body)
    return wait(functools.partial(api, f"fetch/{body['id']}"), end, 0.5)


def make(base_url, key):
    return functools.partial(generate, functools.partial(call, base_url, key))
