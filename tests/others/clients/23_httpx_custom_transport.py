"""An own httpx transport that repeats fetches on 5xx and connection errors, and passes submits straight through.
Right because the transport looks at the path before repeating, so the paid operation goes out exactly once."""
import time

import httpx


class HeadshotFailure(Exception):
    pass


class FetchRetry(httpx.BaseTransport):
    def __init__(self, inner, attempts=4, pause=0.2):
        self.inner, self.attempts, self.pause = inner, attempts, pause

    def handle_request(self, request):
        attempts = self.attempts if "/fetch/" in request.url.path else 1
        for attempt in range(1, attempts + 1):
            try:
                response = self.inner.handle_request(request)
            except httpx.TransportError:
                if attempt == attempts:
                    raise
            else:
                if response.status_code < 500 or attempt == attempts:
                    return response
                response.close()
            time.sleep(self.pause * attempt)

    def close(self):
        self.inner.close()


def make(base_url, key):
    root = base_url.rstrip("/") + "/image_editing"

    def generate(prompt: str, face_image: str, seed: int, width: int | None = None, height: int | None = None,
                 num_inference_steps: int | None = None, guidance_scale: float | None = None, negative_prompt: str | None = None,
                 samples: int | None = None, base64: bool | None = None, temp: bool | None = None,
                 webhook: str | None = None, track_id: int | None = None) -> list[str]:
        body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
        for name, value in (("width", width), ("height", height), ("num_inference_steps", num_inference_steps), ("guidance_scale", guidance_scale),
                            ("negative_prompt", negative_prompt), ("samples", samples), ("base64", base64), ("temp", temp),
                            ("webhook", webhook), ("track_id", track_id)):
            if value is not None:
                body[name] = value
        with httpx.Client(transport=FetchRetry(httpx.HTTPTransport()), timeout=6) as client:
            def post(path, fields):
                try:
                    response = client.post(root + path, json=fields)
                    data = response.json()
                except (httpx.TransportError, httpx.DecodingError, ValueError) as exc:
                    raise HeadshotFailure(f"{path.split('/')[1]}: {type(exc).__name__}") from None
                if not isinstance(data, dict) or response.status_code == 429:
                    raise HeadshotFailure("refused or unreadable: " + str(data)[:80].replace(key, "***"))
                return data

            data = post("/flux_headshot", body)
            end, unknown, garbage = time.monotonic() + 40, 0, 0
            job = data.get("id")
            while True:
                status = data.get("status")
                if status == "success" and data.get("output"):
                    return data["output"]
                if status == "failed" and data.get("message") == "Request not found" and job and unknown < 5:
                    unknown += 1
                elif status in ("success", "failed", "error"):
                    raise HeadshotFailure(str(data.get("message", "no output")).replace(key, "***"))
                if not job:
                    raise HeadshotFailure("no id in the reply to the submit")
                if time.monotonic() > end:
                    raise HeadshotFailure(f"job {job} takes too long")
                time.sleep(0.6)
                try:
                    data = post(f"/fetch/{job}", {"key": key})
                    garbage = 0
                except HeadshotFailure:
                    garbage += 1
                    if garbage > 4:
                        raise
                    data = {}

    return generate
