"""`fauxlab verdict`: judge the client of a running mock, by asking the mock's control API."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fauxlab.cli.command import UsageError
from fauxlab.cli.gate import Gate, add_gate
from fauxlab.cli.parser import Commands, add_command
from fauxlab.cli.report_files import ReportFiles, add_report
from fauxlab_contract.core.hosts import is_base_url
from fauxlab_mock.settings import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from urllib.error import HTTPError
    from urllib.request import OpenerDirector

__all__ = ["add_verdict"]

TIMEOUT_S = 30
MAX_ERROR_BYTES = 10_000


def add_verdict(commands: Commands) -> None:
    """Add `fauxlab verdict`."""
    parser = add_command(
        commands,
        "verdict",
        _verdict,
        "judge the client of a running mock by the calls that the mock saw",
        example="verdict http://127.0.0.1:4010",
        variables="FAUXLAB_ADMIN_TOKEN  for --token",
    )
    parser.add_argument(
        "url",
        nargs="?",
        default="http://127.0.0.1:4010",
        metavar="URL",
        help="address of the mock (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help="the mock's --admin-token (default: the variable FAUXLAB_ADMIN_TOKEN)",
    )
    add_report(
        parser, ".json (what /__admin/verdict answers), .xml (JUnit: a test for each rule) or .txt"
    )
    add_gate(parser, "warning")


def _verdict(parsed: argparse.Namespace) -> int:
    from fauxlab.cli.verdict_forms import as_json, sheet_of
    from fauxlab_contract.forms.junit import junit
    from fauxlab_contract.forms.text import text
    from fauxlab_contract.verdict.rules import RULES
    from fauxlab_contract.verdict.verdict import Verdict

    gate = Gate(parsed, RULES)
    writers: Mapping[str, Callable[[Verdict], str]] = {
        ".txt": lambda verdict: text(sheet_of(verdict, gate.fail_on), verbose=True),
        ".json": as_json,
        ".xml": lambda verdict: junit(sheet_of(verdict, gate.fail_on)),
    }
    files = ReportFiles(parsed.report, writers)
    token = parsed.token or os.environ.get(f"{ENVIRONMENT_PREFIX}ADMIN_TOKEN")
    reply = _post(parsed.url, "/verdict", {}, token)
    try:
        verdict = Verdict.from_dict(reply)
    except ValueError:
        host = _host(parsed.url)
        raise UsageError(
            f"{host} answered something that is not a verdict; is it a fauxlab mock?"
        ) from None
    if not verdict.findings and not verdict.calls:
        raise UsageError(
            f"no call was seen by {_host(parsed.url)}, so nothing was judged; was the client"
            " configured with its address, and the mock not reset since?"
        )
    verdict = gate.apply(verdict)
    print(verdict)
    files.write(verdict)
    return gate.exit_code(verdict)


def _post(url: str, path: str, body: dict[str, Any], token: str | None) -> Any:
    """Post to the control API of the mock at `url`, and return the JSON of its reply.

    Raises UsageError where there is no mock, or the mock refuses.
    """
    import json
    from urllib.error import HTTPError
    from urllib.request import Request

    if not is_base_url(url):
        raise UsageError(f"{_without_user(url)[:200]!a} is not the http address of a mock")
    parts = urlsplit(url)
    address = f"{parts.scheme}://{_host(url)}/__admin{path}"
    request = Request(address, json.dumps(body).encode())  # noqa: S310 # http only, see above
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = _opener(parts.scheme)
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return json.load(response)
    except HTTPError as error:
        raise UsageError(f"{_host(url)} answered {error.code}: {_reason(error)}") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        reason = getattr(cause, "strerror", None) or cause
        raise UsageError(
            f"{_host(url)} does not answer: {reason}; start the mock with fauxlab serve, and ask"
            " while it runs"
        ) from None


def _opener(scheme: str) -> OpenerDirector:
    """Return what sends without a proxy, and trusts what SSL_CERT_FILE names, or else the usual."""
    import ssl
    from urllib.request import HTTPSHandler, ProxyHandler, build_opener

    from fauxlab_contract.core.certificates import trusted

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for http, where it is not used
    if scheme == "https":
        try:
            context = trusted(ssl.create_default_context)
        except ValueError as error:
            raise UsageError(str(error)) from None
    return build_opener(ProxyHandler({}), HTTPSHandler(context=context))


def _host(url: str) -> str:
    """Return host and port of a URL, without the password that may stand before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _without_user(url: str) -> str:
    return re.sub("//.*@", "//", url)


def _reason(error: HTTPError) -> str:
    """Return what a refusal says, by its member `error` if it has one."""
    import json

    with error:
        text = error.read(MAX_ERROR_BYTES).decode("utf-8", "replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = json.loads(text)["error"]
    return text[:500]
