"""Headers of the user's own, and pauses between the calls."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fauxlab_contract.check.run import Options, check
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.openapi.document import load_document

GIVEN = (("x-tenant", "acme"), ("authorization", "Bearer t-0123456789"))


class Deaf:
    """A server that answers all with a page, and remembers what it was asked and when."""

    url = "http://127.0.0.1:9/api/v6"

    def __init__(self) -> None:
        self.seconds, self.asked = 0.0, list[tuple[float, Mapping[str, str]]]()

    def send(self, sent: HttpRequest, within_s: float) -> HttpResponse:  # noqa: ARG002
        self.asked.append((self.seconds, sent.headers))
        body = b'{"status": "error", "message": "no, Bearer t-0123456789"}'
        return HttpResponse(200, {"content-type": "application/json"}, body, at=self.seconds)

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def test_each_call_has_the_headers_and_comes_after_the_pause() -> None:
    """`headers` go with every request, also the first, and `delay_s` passes between two."""
    target = Deaf()
    options = Options("any-key-01", headers=GIVEN, delay_s=2.0, only=("examples",))

    with pytest.raises(ValueError, match="cannot be checked") as told:
        check(target, load_document(), options)

    assert [seconds for seconds, _ in target.asked] == [2.0 * n for n in range(len(target.asked))]
    assert all(set(GIVEN) <= {*headers.items()} for _, headers in target.asked)
    assert len(target.asked) > 1
    assert "t-0123456789" not in str(told.value)


def test_a_header_that_is_a_secret_is_hidden_like_the_key() -> None:
    """A token has the name of its header in reports and commands; other headers are shown."""
    options = Options("any-key-01", headers=GIVEN)

    assert options.secrets == {
        "Bearer t-0123456789": "AUTHORIZATION",
        "t-0123456789": "AUTHORIZATION",
        "any-key-01": "KEY",
    }
    sent = HttpRequest("GET", "http://127.0.0.1/", dict(GIVEN))
    assert sent.curl(options.secrets) == (
        "curl -sS -X GET http://127.0.0.1/ -H 'x-tenant: acme'"
        " -H 'authorization: '\"$AUTHORIZATION\""
    )
