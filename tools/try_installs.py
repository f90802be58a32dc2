"""Install the wheel as users do, each time into a new environment, and use what they use.

`make installs` runs this; it needs a package index. Each kind of install gets the commands of
README.md; where pytest is, its first test as well, with every warning an error.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["KINDS", "main"]

ROOT = Path(__file__).resolve().parents[1]
# What is said -> what is installed first, and the extra that the wheel is then installed with.
KINDS: dict[str, tuple[list[str], str]] = {
    "plain": ([], ""),
    "pytest": ([], "[pytest]"),
    "check (no longer needed)": ([], "[check]"),
    "beside a service of 2024": (["fastapi==0.115.0", "httpx==0.27.0", "pytest==8.3.0"], ""),
    "beside a service of 2025": (
        ["fastapi==0.115.*", "pillow<12", "pytest<9", "starlette<1", "uvicorn[standard]<0.35"],
        "",
    ),
    "beside a service of today": (["fastapi", "httpx", "pytest", "requests"], ""),
}
BODY = '{"key": "any", "prompt": "p", "face_image": "https://example.com/f.jpg", "seed": 7}'


def run(*command: str | Path, folder: Path, expected: int = 0) -> str:
    """Return what a command prints; end the run unless its exit code is `expected`."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    said = done.stdout + done.stderr
    if done.returncode != expected or "Traceback" in said:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{said}")
    return done.stdout


def install(folder: Path, wheel: Path, first: list[str], extra: str) -> Path:
    """Return the folder of the commands of a new environment that holds the wheel."""
    venv.create(folder / "env", with_pip=True)
    commands = folder / "env" / "bin"
    pip: list[str | Path] = [
        commands / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    if first:
        run(*pip, *first, folder=folder)
    run(*pip, *first, f"fauxlab{extra} @ {wheel.as_uri()}", folder=folder)
    run(commands / "python", "-m", "pip", "check", folder=folder)
    return commands


def use(commands: Path, folder: Path) -> None:
    """Run each command against a mock that is served by the same environment."""
    fauxlab, ready = commands / "fauxlab", folder / "ready"
    (folder / "body.json").write_text(BODY)
    server = subprocess.Popen(
        [fauxlab, "serve", "--port", "0", "--ready-file", ready, "--log-format", "off"],
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        for _ in range(300):
            if ready.exists() or server.poll() is not None:
                break
            time.sleep(0.1)
        url = ready.read_text().split()[-1]
        check: list[str | Path] = [
            fauxlab,
            "check",
            url,
            "--key",
            "any",
            "--any-key",
            "--max-calls",
            "60",
        ]
        run(*check, folder=folder)
        run(fauxlab, "verdict", url, folder=folder, expected=1)  # the check is no good client
        for arguments in (["scenarios"], ["routes"], ["validate", "body.json"], ["--version"]):
            run(fauxlab, *arguments, folder=folder)
        run(fauxlab, "audit", folder=folder, expected=1)  # the bundled document has findings
    finally:
        server.terminate()
        server.wait(10)


def test(commands: Path, folder: Path) -> None:
    """Run the test of README.md."""
    page = (ROOT / "README.md").read_text("utf-8")
    [code] = re.findall(r"<!-- run: pytest -->\n```python\n(.*?)```", page, re.DOTALL)
    (folder / "test_readme.py").write_text(code)
    run(commands / "python", "-m", "pytest", "-W", "error", "test_readme.py", folder=folder)


def main() -> None:
    """Build the wheel and try each kind of install."""
    with tempfile.TemporaryDirectory(prefix="fauxlab-") as name:
        top = Path(name)
        build: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
        run(*build, "--outdir", top, ROOT, folder=top)
        wheel = next(top.glob("*.whl"))
        with ThreadPoolExecutor(2) as pool:  # an install waits for the package index
            tries = [pool.submit(try_kind, kind, top, wheel) for kind in KINDS]
        for each in tries:
            print(each.result(), flush=True)


def try_kind(kind: str, top: Path, wheel: Path) -> str:
    """Install in one way, use it, and return what worked."""
    first, extra = KINDS[kind]
    folder = Path(tempfile.mkdtemp(dir=top))
    began = time.monotonic()
    commands = install(folder, wheel, first, extra)
    use(commands, folder)
    has_pytest = (commands / "pytest").exists()
    if has_pytest:
        test(commands, folder)
    tested = "commands and README's test" if has_pytest else "commands"
    return f"{kind}: {tested} work ({time.monotonic() - began:.0f} s)"


if __name__ == "__main__":
    main()
