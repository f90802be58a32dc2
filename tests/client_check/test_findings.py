"""What a finding of `check_client` tells: where, in which trials, after which exchanges."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_mutants.drivers import make_of
from client_mutants.plain import Plain
from documents import with_text_ids
from fauxlab_contract.openapi.document import Document, load_document
from fauxlab_mock.client_check import stage
from fauxlab_mock.client_check.check import KEY, check_client
from fauxlab_mock.client_check.report import ClientObservation, findings_of
from receiving import receiving


def naive(base_url: str, key: str) -> Callable[..., Any]:
    """A client that looks at nothing."""

    def generate(**fields: Any) -> Any:
        url = f"{base_url}/image_editing/flux_headshot"
        return httpx.post(url, json={"key": key, **fields}).json()["future_links"]

    return generate


def line_of(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_a_crash_says_at_which_line_and_after_what() -> None:
    """The innermost line of the client's own, all trials, and the exchanges with the key hidden."""
    report = check_client(naive, trials=["no_credits", "plan_required"])

    (crash,) = [one for one in report.findings if one.rule == "crashed"]
    place = f"test_findings.py:{line_of('json()[' + chr(34) + 'future_links')}."
    assert crash.message.startswith("KeyError: 'future_links', raised at ")
    assert crash.message.endswith(place)
    assert (crash.trials, crash.times) == (("no_credits", "plan_required"), 2)
    (exchange,) = crash.exchanges
    assert exchange.startswith("POST /api/v6/image_editing/flux_headshot {")
    assert '-> 200 {"status": "error", "message": "Insufficient credits' in exchange
    assert KEY not in exchange


def test_the_most_serious_stands_first() -> None:
    """Notes are last, whatever their rules' order."""
    rules = ("bad-argument-sent", "message-lost", "crashed")

    found = findings_of([ClientObservation(rule, "m", "success") for rule in rules])

    assert [one.severity for one in found] == ["error", "warning", "note"]


class SubmitsUntilItIsDone(Plain):
    """Asks for another picture whenever the first is not there, with another seed each time."""

    seeds = 0

    def fetch(self, job: Any) -> Any:
        SubmitsUntilItIsDone.seeds += 1
        body = {"key": self.key, "prompt": "p", "face_image": "https://example.com/f.png"}
        yield self.submit_call({**body, "seed": self.seeds})
        return (yield from super().fetch(job))


def test_one_call_that_pays_twice_is_told_whatever_its_seeds() -> None:
    """The verdict cannot know that both are one wish; the check does, for it made one call."""
    report = check_client(make_of(SubmitsUntilItIsDone, "requests"), trials=["success"])

    assert [one.rule for one in report.findings] == ["duplicate-submit"]


def remembering(base_url: str, key: str) -> Callable[..., Any]:
    """A client with one body for all calls."""
    body: dict[str, Any] = {}

    def generate(**fields: Any) -> Any:
        body.update(fields)
        return make_of(Plain, "requests")(base_url, key)(**body)

    return generate


def test_fields_of_an_earlier_call_do_not_come_back() -> None:
    """What only the second of three calls was given is not sent with the third."""
    report = check_client(remembering, trials=["calls in a row"])

    assert {one.rule for one in report.findings} == {"stale-field"}
    assert [one.field for one in report.findings][:2] == ["width", "height"]


@contextlib.contextmanager
def waiting_for_webhooks() -> Iterator[Callable[..., Any]]:
    """A `make` of clients that return the output of the first webhook, whoever's it is."""
    with receiving() as receiver:

        def make(base_url: str, key: str) -> Callable[..., Any]:
            def generate(prompt: str, face_image: str, seed: int) -> Any:
                fields = {"prompt": prompt, "face_image": face_image, "seed": seed}
                body = {"key": key, "webhook": receiver.url, **fields}
                httpx.post(f"{base_url}/image_editing/flux_headshot", json=body)
                return receiver.next()["output"]

            return generate

        yield make


@pytest.mark.parametrize("document", [load_document(), with_text_ids()], ids=["number", "text"])
def test_a_webhook_of_another_job_is_not_taken_for_ones_own(document: Document) -> None:
    """Who returns what the first delivery says returns somebody else's picture."""
    with waiting_for_webhooks() as make:
        report = check_client(make, trials=["webhook of another job"], document=document)

    assert [(one.rule, one.trial) for one in report.findings] == [
        ("wrong-result", "webhook of another job")
    ]


def test_a_webhook_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of the check's own is no failed delivery, and no trial that went well."""

    def broken(*_: object) -> None:
        raise KeyError("id")

    monkeypatch.setattr(stage, "of_another_job", broken)

    with waiting_for_webhooks() as make, pytest.raises(KeyError, match="id"):
        check_client(make, trials=["webhook of another job"])


def test_a_success_that_a_webhook_told_is_one() -> None:
    """Whatever the replies say: the webhook has the output, and the client returns it."""
    with waiting_for_webhooks() as make:
        report = check_client(make, trials=["success_without_output"])

    assert report.findings == ()


class WithFace(Plain):
    """Returns what it was given beside a result, of which it makes letters."""

    def generate(self, **fields: Any) -> Any:
        links = yield from super().generate(**fields)
        return {"pictures": [*"".join(links)], "face": fields["face_image"]}


def test_the_address_of_the_face_is_no_link_of_the_result() -> None:
    """A result that repeats the request is right, also where the output is an odd one."""
    report = check_client(make_of(WithFace, "requests"), trials=["success", "output_as_string"])

    assert report.findings == ()


def test_the_same_client_has_the_same_report() -> None:
    """Whatever the run."""
    trials = ["no_credits", "stuck"]

    first, second = (check_client(naive, trials=trials) for _ in range(2))

    assert first.findings == second.findings
    assert str(first) == str(second)


CRASHES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no eta": lambda job: job["eta"],
    "negative eta": lambda job: [][-1 if job.get("eta", 1) < 0 else slice(0)],
    "id null": lambda job: int(job["id"]),
    "processing without id": lambda job: job["id"],
}


@pytest.mark.parametrize("trial", CRASHES)
def test_odd_promises_make_careless_clients_crash(trial: str) -> None:
    """Each of these trials finds who takes a member for granted."""

    class Careless(Plain):
        def read(self, reply: Any) -> Any:
            members = super().read(reply)
            if members["status"] == "processing":
                CRASHES[trial](dict(members))
            return members

    found = [
        [one.rule for one in check_client(make_of(kind, "requests"), trials=[trial]).findings]
        for kind in (Plain, Careless)
    ]

    assert found == [[], ["crashed"]]


def test_a_lifecycle_that_never_began_is_not_judged() -> None:
    """Where no submit was accepted, that is said, and nobody is told to poll until the end."""

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(prompt: str) -> Any:
            url = f"{base_url}/image_editing/flux_headshot"
            reply = httpx.post(url, data={"key": key, "prompt": prompt}).json()
            if reply["status"] != "processing":
                raise RuntimeError(reply["message"])

        return generate

    report = check_client(make, trials=["success"])

    assert [one.rule for one in report.findings] == ["request-violation"]
    assert report.not_judged[0].startswith("success: no submit was accepted: ")


class FetchesWithoutKey(Plain):
    """Leaves the key of its fetches empty, which the document allows."""

    def fetch_call(self, job: Any) -> Any:
        call = super().fetch_call(job)
        return replace(call, body={"key": ""})


def test_a_fetch_without_the_clients_key_is_told() -> None:
    """The document lets an empty key pass; the check knows which key the client was given."""
    report = check_client(make_of(FetchesWithoutKey, "requests"), trials=["success"])

    told = [(one.rule, one.field) for one in report.findings]
    assert ("wrong-key", "key") in told


def ignoring(base_url: str, key: str) -> Callable[..., Any]:
    """A client with an address of its own."""

    def generate(prompt: str) -> Any:
        url = "https://modelslab.example/api/v6/image_editing/flux_headshot"
        return httpx.post(url, json={"key": key, "prompt": prompt}).json()

    return generate


def test_a_make_that_ignores_base_url_is_told_so() -> None:
    """Nothing was measured: that is neither held against the client nor for it."""
    report = check_client(ignoring, trials=["success", "arguments"])

    assert report.headline() == "nothing was judged: no request came to base_url, in 2 trials"
    assert (report.is_ok, report.is_judged, report.worst) == (False, False, None)
    with pytest.raises(AssertionError, match="nothing was judged"):
        report.assert_ok("error")

    assert report.findings == ()
    (reason,) = report.not_judged
    assert reason.startswith("all trials: no request came to base_url, which make is given; ")
    assert "modelslab.example" in reason
    assert reason.endswith("Use base_url for every address.")


def swapped(key: str, base_url: str) -> Callable[..., Any]:
    """A client whose `make` takes its arguments the other way round."""

    def generate(prompt: str) -> Any:
        return httpx.post(f"{base_url}/image_editing/flux_headshot", json={"key": key}).json()

    return generate


def test_a_make_with_swapped_arguments_is_told_so() -> None:
    """The key stood where the address belongs: that is no leak, and no refusal of arguments."""
    report = check_client(swapped, trials=["success", "no_credits", "arguments"])

    assert (report.findings, report.is_judged, report.as_dict()["is_judged"]) == ((), False, False)
    assert report.not_judged == (
        "all trials: no request came to base_url, which make is given; instead: the first call"
        " raised UnsupportedProtocol: Request URL is missing an 'http://' or 'https://' protocol."
        " make(base_url, key) is called with base_url first, but takes key, base_url: swap them.",
    )


def exiting(base_url: str, key: str) -> Callable[..., Any]:
    """A script rather than a client."""

    def generate(prompt: str) -> None:
        httpx.head(base_url)
        sys.exit("no")

    return generate


def test_a_client_that_ends_the_process_crashes() -> None:
    """The check goes on, and says where."""
    (finding,) = check_client(exiting, trials=["failed"]).findings

    line = line_of('sys.exit("no")')
    assert finding.rule == "crashed"
    assert finding.message.startswith("It ended the process by sys.exit('no'), at ")
    assert finding.message.endswith(f"test_findings.py:{line}.")


def by_place(prompt: str, /) -> None:
    """A function of which nothing can be given by name."""


def in_pieces(prompt: str) -> Iterator[str]:
    """A function that does nothing until it is iterated."""
    yield prompt


@pytest.mark.parametrize(
    "call, kind, message",
    [
        (by_place, ValueError, "the callable takes prompt by place only, and is called by name"),
        (in_pieces, TypeError, "the callable is a generator, which does nothing until it is"),
    ],
)
def test_what_cannot_be_called_by_name_is_one_sentence(
    call: Callable[..., Any], kind: type[Exception], message: str
) -> None:
    """It says what to do: wrap it."""
    with pytest.raises(kind, match=message):
        check_client(lambda _url, _key: call, trials=["success"])


def test_a_key_that_a_reply_repeats_is_no_leak_of_the_clients_own() -> None:
    """To hand on what the server said is a warning; a client that hides the key there is right."""

    def making(hidden: bool) -> Callable[[str, str], Callable[..., Any]]:
        def make(base_url: str, key: str) -> Callable[..., Any]:
            def generate(prompt: str, face_image: str, seed: int) -> Any:
                body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
                url = f"{base_url}/image_editing/flux_headshot"
                message = httpx.post(url, json=body).json()["message"]
                raise RuntimeError(message.replace(key, "***") if hidden else message)

            return generate

        return make

    careless, careful = [
        check_client(making(hidden), trials=["key in the message"]) for hidden in (False, True)
    ]

    assert [(one.rule, one.severity, one.message) for one in careless.findings] == [
        ("key-repeated", "warning", "The key is in the text of RuntimeError or its cause.")
    ]
    assert KEY not in str(careless.as_dict())
    assert careful.findings == ()


@pytest.mark.parametrize("trial", ["queue_full by status", "fetch 429 for a day"])
def test_a_wait_is_asked_for_in_the_header_as_well(trial: str) -> None:
    """A refusal by status has Retry-After, as that of a server has; who obeys it is right."""
    waits: list[str | None] = []

    def make(base_url: str, key: str) -> Callable[..., Any]:
        def generate(prompt: str, face_image: str, seed: int) -> Any:
            body = {"key": key, "prompt": prompt, "face_image": face_image, "seed": seed}
            came = httpx.post(f"{base_url}/image_editing/flux_headshot", json=body)
            if came.status_code == 200:
                url = f"{base_url}/image_editing/fetch/{came.json()['id']}"
                came = httpx.post(url, json={"key": key})
            waits.append(came.headers.get("retry-after"))
            raise RuntimeError(came.json()["message"])

        return generate

    check_client(make, trials=[trial])

    assert waits == [{"queue_full by status": "30", "fetch 429 for a day": "86400"}[trial]]
