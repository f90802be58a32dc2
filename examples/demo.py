"""One whole headshot generation against the mock, offline; run it with `make demo`.

A body is refused, explained, accepted, polled and saved. The program uses the standard library
alone, the way any program in any language would talk to the API.
"""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEY = "your_api_key"
# The types and habits of the sample that the vendor's page publishes: numbers in quotes, null for
# what is not wanted, and a
# field that the contract does not declare.
SAMPLE: dict[str, Any] = {
    "key": KEY,
    "prompt": "studio portrait in soft window light, friendly smile",
    "negative_prompt": "cartoon, blurry, low quality",
    "face_image": "https://example.com/face.jpg",
    "width": "1024",
    "height": "1024",
    "num_inference_steps": "21",
    "seed": None,
    "guidance_scale": 7.5,
    "webhook": None,
    "track_id": None,
}


@contextlib.contextmanager
def serving(*options: str) -> Iterator[str]:
    """A mock on a free port; yields its base URL and stops it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "fauxlab",
            "serve",
            "--port",
            "0",
            "--log-format",
            "off",
            *options,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemExit("The mock did not start; what it said stands above.")
            yield line.split()[-1]
        finally:
            process.terminate()
            process.communicate(timeout=10)


def post(url: str, body: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(reply, the violations that the mock found in the request)"""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply), json.loads(reply.headers.get("X-Mock-Violations", "[]"))


def refused() -> None:
    print(
        "1. The vendor's own sample body, taken to the letter of the contract (--validation strict)"
    )
    with serving() as base:
        reply, violations = post(f"{base}/image_editing/flux_headshot", SAMPLE)
    print(f'   HTTP 200, yet "status": "{reply["status"]}": {len(violations)} violations')
    for violation in violations:
        print(
            f"   - {violation['pointer'][1:]:20} must be {violation['expected']}, came"
            f" {violation['found']}. {violation['hint']}"
        )


def accepted(folder: Path) -> None:
    print("\n2. The same body, taken the way the live API does (--validation coerce)")
    with serving("--validation", "coerce", "--eta", "2") as base:
        started = time.monotonic()
        job, _ = post(f"{base}/image_editing/flux_headshot", SAMPLE)
        print(
            f"   {job['status']}: job {job['id']}, ready in about {job['eta']} s, seed"
            f" {job['meta']['seed']} chosen for you"
        )
        while True:
            time.sleep(0.5)
            result, _ = post(job["fetch_result"], {"key": KEY})
            print(f"   {time.monotonic() - started:.1f} s  {result['status']}")
            if result["status"] != "processing":
                break
        save(result["output"][0], folder / f"demo-{job['id']}.png")


def save(url: str, file: Path) -> None:
    with urllib.request.urlopen(url, timeout=10) as reply:
        data = reply.read()
    file.write_bytes(data)
    width, height = struct.unpack(">II", data[16:24])
    print(
        f"\n3. Saved {file.name}: a real PNG of {width} x {height} pixels, {len(data) // 1024} KiB."
        " Have a look at it!"
    )


def main() -> None:
    print("fauxlab demo: no network, no credits, no account\n")
    refused()
    accepted(Path.cwd())


if __name__ == "__main__":
    main()
