"""urllib3 PoolManager and a fixed number of polls instead of a clock.
Right because number, pause and socket time-out are all bounded, and their product is the deadline."""
import json
import time

import urllib3


class HeadshotError(Exception):
    pass


POLLS, PAUSE = 60, 0.5


def make(base_url, key):
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=6), retries=False)
    api = base_url.rstrip("/") + "/image_editing/"

    def post(path, body):
        r = pool.request("POST", api + path, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, redirect=False)
        data = json.loads(r.data)
        return r.status, (data if isinstance(data, dict) else {})

    def generate(prompt, face_image, seed, **kw):
        body = {k: v for k, v in kw.items() if v is not None}
        body.update(key=key, prompt=prompt, face_image=face_image, seed=seed)
        try:
            http, data = post("flux_headshot", body)
        except (urllib3.exceptions.HTTPError, ValueError):
            raise HeadshotError("submit failed") from None
        status = data.get("status")
        if status == "success" and data.get("output"):
            return data["output"]
        if http >= 400 or status != "processing" or not data.get("id"):
            raise HeadshotError(str(data.get("message", "HTTP %d" % http)).replace(key, "***"))
        job = data["id"]
        failures = 0
        for number in range(POLLS):
            time.sleep(PAUSE)
            try:
                http, data = post("fetch/%s" % job, {"key": key})
            except (urllib3.exceptions.HTTPError, ValueError):
                http, data = 500, {}
            if http == 429 or http >= 500:
                failures += 1
                if failures == 6:
                    raise HeadshotError("six failed fetches")
                continue
            status = data.get("status")
            if status == "success":
                if isinstance(data.get("output"), list) and data["output"]:
                    return data["output"]
                raise HeadshotError("no pictures")
            if status == "error" or (status == "failed" and not (number < 6 and data.get("id") == "")):
                raise HeadshotError(str(data.get("message")).replace(key, "***"))
        raise HeadshotError("job %s unfinished after %d polls" % (job, POLLS))

    return generate
