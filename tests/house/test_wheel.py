"""The built wheel, installed outside the checkout, starts and answers."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_four_packages_and_the_document(wheel: Path) -> None:
    """The wheel has the four packages, each typed, the data files of the contract, and nothing else
    at its top.
    """
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}

    assert tops == {"fauxlab", "fauxlab_contract", "fauxlab_mock", "fauxlab_client"}
    assert {f"{top}/py.typed" for top in tops} | {
        "fauxlab_contract/openapi.yaml",
        "fauxlab_contract/check/report/page.css",
        "fauxlab_contract/check/report/page.js",
    } <= set(names)


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel, and sees the dependencies but not the
    checkout.
    """
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    dependencies = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return folder / "bin" / "python"


def test_the_wheel_brings_its_own_document(bare: Path, tmp_path: Path) -> None:
    """The installed package finds openapi.yaml inside itself."""
    code = "from fauxlab_contract.openapi.document import bundled_path; print(bundled_path())"

    result = subprocess.run(
        [bare, "-I", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
    )

    assert (
        Path(result.stdout.strip())
        == next(bare.parents[1].glob("lib/python*/site-packages"))
        / "fauxlab_contract"
        / "openapi.yaml"
    )


def test_the_wheel_serves_from_a_bare_environment(bare: Path, tmp_path: Path) -> None:
    """With no checkout in sight, `serve` starts, answers a submit and stops with 0."""
    command = [str(bare), "-I", "-m", "fauxlab", "serve", "--port", "0", "--log-format", "off"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        body = json.dumps({"key": "k", "prompt": "p", "face_image": "f", "seed": 1}).encode()
        request = urllib.request.Request(
            f"{url}/image_editing/flux_headshot", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            answer = json.load(reply)
    finally:
        process.terminate()
        process.communicate(timeout=10)

    assert (answer["status"], process.returncode) == ("processing", 0)
