"""The first call of a check: a valid body; if it is refused, whether a check makes sense at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from driving import BUNDLED, KEY
from fauxlab.cli.main import main
from fauxlab_contract.check.options import PHASES, Options
from fauxlab_contract.check.phases.single_bodies import cases
from fauxlab_contract.check.run import check
from fauxlab_contract.check.target import TargetError
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import read_document
from fauxlab_contract.validation.bodies import request_violations
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.server.serving import serve
from fauxlab_mock.settings import Settings
from targets import RecordedTarget

SUBMIT = next(operation for operation in BUNDLED.operations if operation.kind == "submit")
Change = Callable[[HttpRequest, HttpResponse], HttpResponse]


def target_of(change: Change = lambda _, came: came, **options: Any) -> RecordedTarget:
    """A mock in process whose answers to submits are changed."""
    target = RecordedTarget(
        Mock(Settings(clock="manual", keys=frozenset({KEY}), **options), document=BUNDLED)
    )
    honest = target.send

    def send(sent: HttpRequest, within_s: float) -> HttpResponse:
        came = honest(sent, within_s)
        return change(sent, came) if sent.url.endswith(SUBMIT.path) else came

    target.send = send  # type: ignore[method-assign] # a server that is broken in one place
    return target


def answer(code: int, body: Any, media: str = "application/json") -> Change:
    """The same answer to each valid submit, and to the others."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _, came: HttpResponse(code, {"content-type": media}, data, at=came.at)


@pytest.mark.parametrize("only", [(phase,) for phase in PHASES] + [PHASES])
@pytest.mark.parametrize("max_calls", [1, 5, None])
def test_the_first_call_is_a_valid_submit(only: tuple[str, ...], max_calls: int | None) -> None:
    """Whatever the phases and the limits, the smallest valid body comes first, and counts."""
    target = target_of()
    report = check(target, BUNDLED, Options(KEY, only=only, max_calls=max_calls))
    target.mock.close()

    smallest = cases(SUBMIT, Options(KEY))[0].body
    assert (json.loads(target.sent[0].body), report.submits >= 1) == (smallest, True)


def _is_json(sent: HttpRequest) -> bool:
    try:
        return isinstance(json.loads(sent.body), dict)
    except ValueError:
        return False


@pytest.mark.parametrize(
    "limit", [{"max_calls": 0}, {"max_submits": 0}, {"max_seconds": 0.0}], ids=str
)
def test_a_check_without_a_valid_body_is_no_green_one(limit: dict[str, Any]) -> None:
    """A budget that does not hold one submit shows nothing, and that is said."""
    target = target_of()

    with pytest.raises(TargetError, match=r" was not judged: .* valid body"):
        check(target, BUNDLED, Options(KEY, **limit))

    target.mock.close()


ERROR = {"status": "error", "message": "no"}


@pytest.mark.parametrize(
    "change, said, calls",
    [
        (
            answer(200, ERROR | {"message": f"Invalid API key {KEY}"}),
            "it refused a valid body with HTTP 200 and 'Invalid API key $KEY'; does it accept this"
            " key?",
            1,
        ),
        (
            answer(403, {"detail": "Forbidden"}),
            "it refused a valid body with HTTP 403; does it accept this key?",
            1,
        ),
        (
            answer(404, {"detail": "Not Found"}),
            f"nothing answers {SUBMIT.name} there (HTTP 404); is this its base address?",
            3,
        ),
        (
            answer(501, b"<html>Unsupported method</html>", "text/html"),
            f"nothing answers {SUBMIT.name} there (HTTP 501); is this its base address?",
            3,
        ),
        (
            answer(405, b"", "text/plain"),
            f"nothing answers {SUBMIT.name} there (HTTP 405); is this its base address?",
            3,
        ),
        (
            answer(200, b"<html>Welcome</html>", "text/html"),
            f"nothing answers {SUBMIT.name} there (HTTP 200); is this its base address?",
            3,
        ),
        (
            answer(308, b"", "text/plain"),
            f"nothing answers {SUBMIT.name} there (HTTP 308); is this its base address?",
            3,
        ),
        (
            answer(422, ERROR | {"message": "The model field is required."}),
            "it refused 3 different valid bodies with HTTP 422 and 'The model field is required.';"
            f" does {BUNDLED.source} describe it, and may this key use it?",
            3,
        ),
    ],
)
def test_a_check_that_makes_no_sense_ends_with_one_sentence(
    change: Change, said: str, calls: int
) -> None:
    """A wrong key, address or document is no finding about the server."""
    target = target_of(change)

    with pytest.raises(TargetError) as caught:
        check(target, BUNDLED, Options(KEY))

    target.mock.close()
    bodies = [json.loads(sent.body) for sent in target.sent]
    assert str(caught.value) == f"{target.url} cannot be checked: {said}"
    assert len(bodies) == len({json.dumps(body) for body in bodies}) == calls
    assert [request_violations(SUBMIT, body) for body in bodies] == [()] * calls


def first_only(change: Change) -> Change:
    """The change, for the smallest body alone."""
    smallest = json.dumps(dict(cases(SUBMIT, Options(KEY))[0].body))

    def changed(sent: HttpRequest, came: HttpResponse) -> HttpResponse:
        is_smallest = _is_json(sent) and json.loads(sent.body) == json.loads(smallest)
        return change(sent, came) if is_smallest else came

    return changed


@pytest.mark.parametrize(
    "change",
    [
        first_only(answer(200, ERROR | {"message": "The width field is required."})),
        first_only(answer(400, ERROR | {"message": "The width field is required."})),
        lambda sent, came: HttpResponse(
            400,
            {"content-type": "application/json"},
            json.dumps(ERROR | {"message": f"no: {len(sent.body)} bytes"}).encode(),
            at=came.at,
        ),
    ],
    ids=["refuses one body", "refuses one body by 400", "refuses each for another reason"],
)
def test_a_server_that_refuses_one_valid_body_is_judged(change: Change) -> None:
    """A defect of a right server is a finding: the check goes on."""
    target = target_of(change)
    report = check(target, BUNDLED, Options(KEY, only=("examples", "boundaries")))
    target.mock.close()

    assert "valid-refused" in {finding.rule for finding in report.findings}
    assert report.calls > 50


@pytest.mark.parametrize("name", [*SUBMIT.request.properties] if SUBMIT.request else [])
def test_a_server_that_wants_an_optional_field_is_judged(name: str) -> None:
    """The bodies that decide differ enough: one has every field."""

    def without(sent: HttpRequest, came: HttpResponse) -> HttpResponse:
        is_there = _is_json(sent) and name in json.loads(sent.body)
        return came if is_there else answer(200, ERROR)(sent, came)

    target = target_of(without)
    report = check(target, BUNDLED, Options(KEY, only=("examples",)))
    target.mock.close()

    assert report.calls >= 3


@pytest.mark.parametrize("change", [answer(500, ERROR), answer(200, b"{,}"), answer(200, [])])
def test_a_server_that_breaks_down_is_judged(change: Change) -> None:
    """What is neither accepted nor refused is a fault of the server, not of the command."""
    target = target_of(change)
    report = check(target, BUNDLED, Options(KEY, only=("examples",)))
    target.mock.close()

    assert {finding.rule for finding in report.findings} & {"crash", "reply-not-json"}
    assert report.calls == 3


def test_the_command_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on stderr, nothing on stdout, for a key that is not accepted."""
    with serve(keys=frozenset({"the-right-key"})) as mock:
        code = main(["check", mock.url, "--key", "a-wrong-key", "--max-calls", "5"])

    assert (code, capsys.readouterr()) == (
        2,
        (
            "",
            f"fauxlab: {mock.url} cannot be checked: it refused a valid body with HTTP 200 and"
            " 'Invalid API key'; does it accept this key?\n",
        ),
    )


def test_a_forgotten_base_path_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The address without its path is answered by a server all the same."""
    with serve() as mock:
        url = mock.url.removesuffix("/api/v6")
        code = main(["check", url, "--key", "any", "--any-key"])

    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err == (
        f"fauxlab: {url} cannot be checked: nothing answers {SUBMIT.name} there (HTTP 404"
        " and 'There is no"
        f" such path. Did you mean POST /api/v6{SUBMIT.path}?'); is this its base address?\n"
    )


def test_another_document_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A server that takes other fields refuses all valid bodies alike."""
    other = b"""
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /image_editing/flux_headshot:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [n]
              properties: {n: {type: integer}, m: {type: number}}
            example: {n: 5, m: 1}
      responses: {'200': {description: d, content: {application/json: {schema: {type: object}}}}}
"""
    target = target_of()

    with pytest.raises(TargetError, match=r"cannot be checked: it refused"):
        check(target, read_document(other), Options(KEY))

    target.mock.close()
