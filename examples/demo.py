"""Run one whole headshot generation against the mock, offline; start it with `make demo`.

The mock refuses a body and explains why, then accepts it; the program polls the job and saves the
picture. It uses only the standard library, as a program in any language could.
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
# No proxy of the environment: it would not find this machine's servers.
STRAIGHT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# The sample on the vendor's page has these types: numbers in quotes, null for unused fields, and a
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
    """Run a mock on a free port for the block, and yield its base URL."""
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
                raise SystemExit("The mock did not start; its message is above.")
            yield line.split()[-1]
        finally:
            process.terminate()
            process.communicate(timeout=10)


def post(url: str, body: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Post a body; return the reply and the violations that the mock found in the body."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with STRAIGHT.open(request, timeout=10) as reply:
        return json.load(reply), json.loads(reply.headers.get("X-Mock-Violations", "[]"))


def refused() -> None:
    print(
        "1. The vendor's own sample body, held to the letter of the contract (--validation strict)"
    )
    with serving() as base:
        reply, violations = post(f"{base}/image_editing/flux_headshot", SAMPLE)
    print(f'   HTTP 200, yet "status": "{reply["status"]}": {len(violations)} violations')
    for violation in violations:
        print(
            f"   - {violation['pointer'][1:]:20} must be {violation['expected']}, not"
            f" {violation['found']}. {violation['hint']}"
        )


def accepted(folder: Path) -> None:
    print("\n2. The same body, read the way the live API reads it (--validation coerce)")
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
    with STRAIGHT.open(url, timeout=10) as reply:
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
