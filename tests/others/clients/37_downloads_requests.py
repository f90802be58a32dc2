"""After success it downloads each picture, retrying until the link is alive, and returns links plus bytes.
Right because downloads are free and may come a little late: a dead link is retried, then noted, and the paid links are never lost."""
import time

import requests


class HeadshotError(Exception):
    pass


class Pictures(list):
    """The links, with .content: link -> bytes (or None when the link stayed dead)."""

    content: dict


def make(base_url, key):
    base = base_url.rstrip("/") + "/image_editing"

    def post(session, path, body):
        r = session.post(base + path, json=dict(body, key=key), timeout=10, allow_redirects=False)
        if r.status_code == 429 or r.status_code >= 500:
            raise ValueError(r.status_code)
        data = r.json()
        if not isinstance(data, dict):
            raise ValueError("not an object")
        return data

    def download(link):
        for attempt in range(4):
            if attempt:
                time.sleep(0.3 * attempt)
            try:
                r = requests.get(link, timeout=3)       # no key here
            except requests.RequestException:
                continue
            if r.status_code == 200 and r.content:
                return r.content
        return None

    def links(session, body):
        end = time.monotonic() + 45
        try:
            data = post(session, "/flux_headshot", body)
        except (requests.RequestException, ValueError):
            raise HeadshotError("submit failed") from None
        job, bad, early = data.get("id"), 0, 0
        while True:
            status = data.get("status")
            if status == "success" and data.get("output"):
                return data["output"]
            if status == "failed" and job and data.get("id") == "" and early < 6:
                early += 1
            elif status in ("success", "failed", "error") or not job:
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
            if time.monotonic() > end:
                raise HeadshotError("timed out")
            time.sleep(0.5)
            try:
                data, bad = post(session, "/fetch/%s" % job, {}), 0
            except (requests.RequestException, ValueError):
                data, bad = {}, bad + 1
                if bad > 5:
                    raise HeadshotError("fetch failed") from None

    def generate(prompt, face_image, seed, **kw):
        body = {"prompt": prompt, "face_image": face_image, "seed": seed, **{k: v for k, v in kw.items() if v is not None}}
        with requests.Session() as session:
            result = Pictures(links(session, body))
        result.content = {link: download(link) for link in result}
        return result

    return generate
