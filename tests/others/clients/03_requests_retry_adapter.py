"""requests with two sessions: submits go through an adapter without retries, fetches through one with urllib3's Retry.
Right because only the free, repeatable fetch is repeated by the transport; the paid submit never is."""
import time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry


class ApiFailure(Exception):
    pass


def _session(retry):
    s = requests.Session()
    adapter = HTTPAdapter(max_retries=retry)
    s.mount("http://", adapter)
    s.mount("https://", adapter)
    return s


def make(base_url, key):
    root = base_url.rstrip("/") + "/image_editing/"
    fetch_retry = Retry(total=4, backoff_factor=0.1, status_forcelist=(429, 500, 502, 503, 504), allowed_methods={"POST"},
                        redirect=False, respect_retry_after_header=False, raise_on_status=False)

    def text_of(reply):
        return str(reply.get("message", "?")).replace(key, "<redacted>")

    def generate(prompt, face_image, seed, **kw):
        kw = {k: v for k, v in kw.items() if v is not None}
        once, again = _session(Retry(0, redirect=False)), _session(fetch_retry)
        try:
            return _run(once, again, dict(kw, prompt=prompt, face_image=face_image, seed=seed, key=key))
        finally:
            once.close()
            again.close()

    def _run(once, again, body):
        deadline = time.monotonic() + 50
        try:
            first = once.post(root + "flux_headshot", json=body, timeout=20, allow_redirects=False).json()
            status = first["status"]
        except (requests.RequestException, ValueError, KeyError, TypeError):
            raise ApiFailure("submit got no proper reply; not sent again") from None
        if status == "success" and first.get("output"):
            return first["output"]
        if status != "processing" or first.get("id") is None:
            raise ApiFailure(text_of(first))
        url, strange = f"{root}fetch/{first['id']}", 0
        while time.monotonic() < deadline:
            try:
                reply = again.post(url, json={"key": key}, timeout=8, allow_redirects=False).json()
                status = reply["status"]
            except (requests.RequestException, ValueError, KeyError, TypeError):
                strange += 1
                if strange >= 4:
                    raise ApiFailure("the fetch operation is out of order") from None
                time.sleep(0.4)
                continue
            if status == "success":
                if isinstance(reply.get("output"), list) and reply["output"]:
                    return reply["output"]
                raise ApiFailure("success without output")
            if status == "error" or status == "failed":
                not_yet_known = reply.get("id") in ("", None) and "not found" in str(reply.get("message")).lower()
                if not (not_yet_known and time.monotonic() < deadline - 42):
                    raise ApiFailure(text_of(reply))
            time.sleep(0.7)
        raise ApiFailure("deadline passed, job %s still runs" % first["id"])

    return generate
