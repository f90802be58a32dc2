"""One line of the log for each exchange."""

from __future__ import annotations

import pytest

from driving import SUBMIT, fetch, get, make_mock, submit
from fauxlab_mock.runtime.journal import line_of

FIRST = 100_000_001  # the id of a mock's first job


@pytest.mark.parametrize(
    "prefer, fields, line",
    [
        ("", {}, f"200 processing job {FIRST}"),
        ("scenario=failed", {}, f"200 processing job {FIRST} scenario failed"),
        ("delay=1.5", {}, f"200 processing job {FIRST} delay 1.5 s"),
        ("scenario=no_credits", {}, "200 error scenario no_credits"),
        ("fault=TRUNCATED_JSON", {}, f"200 processing job {FIRST} fault TRUNCATED_JSON"),
        ("", {"width": 2_000}, "200 error 1 violation: width"),
        (
            "",
            {"width": "512", "seed": None},
            "200 error 2 violations: seed, width (--validation coerce would take it: seed null as"
            " absent, width '512' as 512)",
        ),
        (
            "",
            {"seed": ...},
            "200 error 1 violation: seed (--validation coerce would take it: no seed as any)",
        ),
        ("scenario=fial", {}, "501 misuse (There is no scenario 'fial'; did you mean failed?)"),
        ("", {"width": 2_000, "height": "x"}, "200 error 2 violations: height, width"),
    ],
)
def test_a_line_says_what_became_of_a_submit(
    prefer: str, fields: dict[str, object], line: str
) -> None:
    """Code, outcome and job; a scenario, a fault and the fields that broke a rule, if any."""
    mock = make_mock()
    submit(mock, prefer, **fields)

    assert line_of(mock.requests[0], mock.document.conventions) == f"POST {SUBMIT} -> {line}"


def test_a_line_names_the_refusal_that_the_code_does_not_tell() -> None:
    """An unknown id answered with 200 is told in brackets; a 404 speaks for itself."""
    mock = make_mock()
    fetch(mock, 5)
    get(mock, "/nowhere")

    assert [line_of(exchange, mock.document.conventions) for exchange in mock.requests] == [
        "POST /api/v6/image_editing/fetch/5 -> 200 failed (unknown_id)",
        "GET /nowhere -> 404 error",
    ]


def test_a_picture_is_called_one() -> None:
    """A link that is read after the success has the outcome `picture`, and names its job."""
    mock = make_mock(eta=0.0)
    link = submit(mock, width=8, height=8).body["output"][0]
    get(mock, link)

    path = link.removeprefix(mock.public_url)
    assert (
        line_of(mock.requests[1], mock.document.conventions)
        == f"GET {path} -> 200 picture job {FIRST}"
    )
