"""Memory of the server over 30,000 jobs.

It is bounded by `jobs` (10,000) and `journal_entries` (1,000), and flat after them.
"""

from __future__ import annotations

from pathlib import Path

from common import BODY, FAUXLAB, check, connect, read_reply, request, running

STEP, STEPS = 2_500, 12
PROMPTS = {"short prompts": "studio portrait", "prompts of 50 KB": "x" * 50_000}


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def growth(prompt: str) -> list[float]:
    """Resident MB before the first job and after each 2,500 jobs."""
    message = request(BODY | {"prompt": prompt})
    with (
        running([*FAUXLAB, "--eta", "0", "--log-format", "off"]) as (port, pid),
        connect(port) as connection,
    ):
        sizes = [resident_mb(pid)]
        for _ in range(STEPS):
            for _ in range(STEP):
                connection.sendall(message)
                check(read_reply(connection), b'"success"')
            sizes.append(resident_mb(pid))
    return sizes


def main() -> None:
    for name, prompt in PROMPTS.items():
        sizes = growth(prompt)
        print(f"resident MB, {name}, at 0, {STEP}, {2 * STEP}, … {STEP * STEPS} jobs:")
        print("  " + " ".join(f"{size:.0f}" for size in sizes))
        print(
            f"  growth to 12,500 jobs: {sizes[5] - sizes[0]:.0f} MB; from there to 30,000:"
            f" {sizes[-1] - sizes[5]:.0f} MB"
        )


if __name__ == "__main__":
    main()
