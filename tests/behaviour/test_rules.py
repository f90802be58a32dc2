"""Scenarios, faults and delays that a test sets for the calls to come, and their gates."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from driving import KEY, fetch, make_mock, submit
from fauxlab_mock.behaviour.rules import Rule, read_rules
from fauxlab_mock.runtime.mock import Mock


def statuses(mock: Mock, count: int, **fields: Any) -> list[str]:
    return [submit(mock, **fields).body["status"] for _ in range(count)]


def test_a_scenario_holds_for_so_many_calls() -> None:
    """After its times are over, the setting counts again."""
    mock = make_mock()
    mock.scenario("no_credits", times=2)

    assert statuses(mock, 3) == ["error", "error", "processing"]


def test_scenarios_follow_each_other() -> None:
    """The first that was set is used up before the next begins; one without times stays."""
    mock = make_mock()
    mock.scenario("no_credits", times=1)
    mock.scenario("instant")

    assert statuses(mock, 3) == ["error", "success", "success"]


def test_a_scenario_without_an_end_takes_the_place_of_another() -> None:
    """What was set for good can be set otherwise; rules with gates stay."""
    mock = make_mock()
    mock.scenario("no_credits")
    mock.scenario("server_error", times=1)
    mock.scenario("success")

    assert statuses(mock, 3) == ["error", "processing", "processing"]


def test_a_planned_failure_waits_for_a_submit() -> None:
    """A scenario that plans a job is not used up by a fetch; one that refuses is."""
    mock = make_mock(eta=0.0, polls=1)
    first = submit(mock).body["id"]
    mock.scenario("failed", times=1)

    assert fetch(mock, first).body["status"] == "processing"
    second = submit(mock).body["id"]
    assert [fetch(mock, job).body["status"] for job in (second, first, second)] == [
        "processing",
        "success",
        "failed",
    ]

    mock.scenario("rate_limited", times=1)
    assert [fetch(mock, first).body["status"] for _ in range(2)] == ["error", "success"]


def test_what_a_call_chooses_itself_goes_before() -> None:
    """The Prefer header and a scenario key win, and use nothing up."""
    mock = make_mock()
    mock.scenario("no_credits", times=1)

    assert [
        submit(mock, "scenario=instant").body["status"],
        submit(mock, key="mock_instant").body["status"],
    ] == ["success", "success"]
    assert statuses(mock, 2) == ["error", "processing"]


def test_a_rule_can_be_for_some_calls_only() -> None:
    """By a member of the body, key or kind of call: others are not touched and use nothing up."""
    mock = make_mock()
    mock.scenario("no_credits", times=1, body={"prompt": "a cat", "seed": 3})
    mock.scenario("server_error", times=1, key="another-key")
    mock.scenario("unavailable", times=1, kind="fetch")

    assert [
        *statuses(mock, 1),
        *statuses(mock, 1, prompt="a cat"),
        *statuses(mock, 2, prompt="a cat", seed=3),
    ] == [
        "processing",
        "processing",
        "error",
        "processing",
    ]
    assert statuses(mock, 2, key="another-key") == ["error", "processing"]
    assert [fetch(mock, 100_000_001).body["status"] for _ in range(2)] == ["error", "processing"]


def test_the_first_calls_may_pass() -> None:
    """`after` lets that many matching calls through before the rule acts."""
    mock = make_mock()
    mock.scenario("no_credits", times=2, after=2)

    assert statuses(mock, 5) == ["processing", "processing", "error", "error", "processing"]


def test_an_outage_has_a_beginning_and_an_end() -> None:
    """`from_s` and `to_s` count seconds of the mock's clock since its start."""
    mock = make_mock()
    mock.scenario("unavailable", from_s=10, to_s=20)
    seen = []
    for _ in range(5):
        seen += statuses(mock, 1)
        mock.clock.advance(6)

    assert seen == ["processing", "processing", "error", "error", "processing"]


def test_chance_is_the_same_for_the_same_seed() -> None:
    """Half of the calls are refused, each run the same ones; another seed refuses others."""

    def course(seed: int) -> list[str]:
        mock = make_mock(seed=seed)
        mock.scenario("no_credits", probability=0.5)
        return statuses(mock, 60)

    assert course(1) == course(1)
    assert course(1) != course(2)
    assert 15 <= course(1).count("error") <= 45


def test_a_fault_stands_in_the_answer_and_in_the_journal() -> None:
    """A rule's fault and delay come with the answer; whoever sends it does the rest. The job is
    made all the same.
    """
    mock = make_mock()
    mock.fault("HANG", times=1)
    mock.add_rule(Rule(delay="0.1-0.5", times=1))
    first, second, third = submit(mock), submit(mock), submit(mock)

    assert [
        (answer.effect.fault, answer.effect.delay_s > 0) for answer in (first, second, third)
    ] == [
        ("HANG", False),
        (None, True),
        (None, False),
    ]
    assert 0.1 <= second.effect.delay_s <= 0.5
    assert [exchange.fault for exchange in mock.requests] == ["HANG", None, None]
    assert len(list(mock.jobs)) == 3


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"scenario": "nonsense"}, r"there is no scenario 'nonsense'; there are success, "),
        ({"fault": "RESET"}, r"there is no fault 'RESET'; there are EMPTY_RESPONSE, "),
        (
            {"delay": "-1"},
            r"delay must be seconds from 0 to 300, or a range of them such as 0\.1-0\.5",
        ),
        ({"delay": "2-1"}, "delay must be seconds"),
        ({}, "a rule needs a scenario, a fault or a delay"),
        (
            {"scenario": "failed", "times": 0},
            "times must be a whole number from 1, or nothing, not '0'",
        ),
        ({"scenario": "failed", "times": True}, "times must be a whole number"),
        ({"scenario": "failed", "after": -1}, "after must be a whole number from 0"),
        ({"scenario": "failed", "probability": 1.5}, "probability must be a number from 0 to 1"),
        (
            {"scenario": "failed", "kind": "poll"},
            "there is no kind 'poll'; there are submit, fetch, plain",
        ),
        ({"scenario": "fial"}, r"there is no scenario 'fial'; did you mean failed\?"),
        ({"scenario": "failed", "body": []}, "body must be an object"),
    ],
)
def test_nonsense_is_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    """A value that makes no sense raises where the rule is made, and says what would."""
    with pytest.raises(ValueError, match=message):
        Rule(**arguments)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (
            {"scenario": "failed", "kind": "fetch"},
            "the scenario failed acts on calls of the kind submit, not fetch",
        ),
        (
            {"scenario": "redirecting_fetch", "kind": "submit"},
            "the scenario redirecting_fetch acts on calls of the kind fetch, not submit",
        ),
        ({"fault": "HANG", "probability": 0}, "its probability is 0"),
        ({"fault": "HANG", "from_s": 5, "to_s": 5}, r"to_s \(5\) is not after from_s \(5\)"),
    ],
)
def test_a_rule_that_can_never_act_is_refused(arguments: dict[str, Any], reason: str) -> None:
    """Conditions that no call can meet are refused where the rule is made, with the reason."""
    with pytest.raises(ValueError, match=f"^this rule can never act: {reason}$"):
        Rule(**arguments)


@pytest.mark.parametrize(
    "settings, rule, reason",
    [
        (
            {},
            {"fault": "HANG", "kind": "plain"},
            "the rule (fault 'HANG', kind 'plain') can never act: the document has no plain, only"
            " operations of the kind fetch or submit",
        ),
        (
            {},
            {"fault": "HANG", "key": "mock_failed"},
            "the rule (fault 'HANG', key '***') can never act: a key that begins with mock_ chooses"
            " its scenario itself",
        ),
        (
            {"keys": frozenset({KEY})},
            {"scenario": "failed", "key": "another-key-1234"},
            "the rule (scenario 'failed', key '***1234') can never act: its key is none of the keys"
            " that are accepted",
        ),
    ],
)
def test_a_rule_that_can_never_act_in_this_mock_is_refused(
    settings: dict[str, Any], rule: dict[str, Any], reason: str
) -> None:
    """What the document and the settings rule out is refused where the rule is given to a mock."""
    mock = make_mock(**settings)
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        mock.add_rule(Rule(**rule))

    assert mock.rules == ()


def test_rules_that_never_acted_are_listed() -> None:
    """Those that no call matched, and those whose gates let none through; not those of a file."""
    mock = make_mock()
    mock.scenario("no_credits", times=1)
    mock.scenario("failed", after=5, times=2, kind="submit")
    mock.fault("HANG", key="another-key-1234")
    for _ in range(2):
        submit(mock)

    assert [rule.seen for rule in mock.unused_rules] == [1, 0]
    with pytest.raises(AssertionError) as caught:
        mock.assert_all_used()
    assert str(caught.value).splitlines() == [
        "2 rules of the mock never acted:",
        "  scenario 'failed', kind 'submit', times 2, after 5: it matched 1 call, and acted on"
        " none",
        "  fault 'HANG', key '***1234': no call matched it",
    ]
    mock.forget_rules()
    mock.assert_all_used()


def test_the_rules_of_a_file_need_not_act(tmp_path: Path) -> None:
    """A file is for many tests, so its rules are not missed."""
    file = tmp_path / "rules.json"
    file.write_text('[{"scenario": "failed", "after": 3}]')
    mock = make_mock(rules=str(file))
    submit(mock)

    assert (len(mock.rules), mock.unused_rules) == (1, ())


def test_which_rules_are_unused_is_known_without_their_file(tmp_path: Path) -> None:
    """Somebody may have removed the file since the start."""
    file = tmp_path / "rules.json"
    file.write_text('[{"scenario": "failed"}]')
    mock = make_mock(rules=str(file))
    file.unlink()

    assert (len(mock.rules), mock.unused_rules) == (1, ())


@pytest.mark.parametrize("how", ["prefer", "rule", "python"])
@pytest.mark.parametrize("errors", ["envelope", "status"])
def test_a_refusal_says_how_long_to_wait(how: str, errors: str) -> None:
    """Each way of choosing a scenario can choose the wait; the status profile sends the header."""
    mock = make_mock(errors=errors)
    prefer = "scenario=rate_limited, retry_after=5" if how == "prefer" else ""
    if how == "rule":
        mock.add_rule(read_rules([{"scenario": "unavailable", "retry_after": 5}])[0])
    elif how == "python":
        mock.scenario("try_again", retry_after=5)
    reply = submit(mock, prefer)

    assert (reply.body["status"], reply.body["retry_after"]) == ("error", 5)
    assert reply.headers.get("retry-after") == ("5" if errors == "status" else None)


def test_the_wait_is_for_refusals_alone() -> None:
    """Where nothing is refused, nobody can be told to wait: that is said."""
    mock = make_mock(errors="status")

    assert submit(mock, "scenario=rate_limited").headers["retry-after"] == "30"
    assert submit(mock, "scenario=maintenance_html, retry_after=7").headers["retry-after"] == "7"
    for prefer in ("retry_after=5", "scenario=failed, retry_after=5"):
        detail = submit(mock, prefer).body["detail"]
        assert detail == (
            "The preference retry_after needs a scenario that refuses calls, such as rate_limited."
        )
    with pytest.raises(ValueError, match=r"^retry_after needs a scenario that refuses calls"):
        Rule(scenario="failed", retry_after=5)
    with pytest.raises(ValueError, match=r"^retry_after must be a whole number from 0 to 86400"):
        Rule(scenario="rate_limited", retry_after=1.5)  # type: ignore[arg-type]


def test_rules_are_read_from_plain_data() -> None:
    """A list of objects becomes rules; the place of a bad one is named, and so are the members
    there are.
    """
    assert read_rules([{"scenario": "failed", "times": 2}]) == (Rule("failed", times=2),)
    with pytest.raises(
        ValueError, match=r"rule 2: a rule has no member scenari; did you mean scenario\?"
    ):
        read_rules([{"scenario": "failed"}, {"scenari": "failed"}])
    with pytest.raises(ValueError, match="rules must be a list"):
        read_rules({})


@pytest.mark.parametrize(
    "body",
    [
        {"key": KEY, "prompt": f"with {KEY} inside"},
        {"key": KEY, KEY: 1},
        {"extra": [{"api_key": KEY}], "prompt": KEY},
        {"extra": {"token": [KEY]}, "prompt": {"deep": [KEY]}},
    ],
)
def test_a_key_that_stands_in_the_body_alone_is_hidden_wherever_else_it_stands(
    body: dict[str, Any],
) -> None:
    """A rule without a key of its own shows none either: in values, in names, nested."""
    rule = Rule("no_credits", body=body)

    assert (KEY in repr(rule), KEY in str(rule.as_dict())) == (False, False)


UNGATED = {"after": 0, "probability": 1.0, "from_s": 0.0}


def test_a_rules_key_is_hidden() -> None:
    """Neither its text nor its description shows more than the last four characters of a key."""
    rule = Rule("failed", key=KEY)

    assert (KEY in repr(rule), rule.as_dict()) == (
        False,
        {"scenario": "failed", "key": "***6789", **UNGATED, "seen": 0, "used": 0},
    )


def test_a_key_in_a_rules_body_is_hidden_too() -> None:
    """A rule may match on the body's key: it matches, and shows it nowhere; nor does it show its
    own key in another member.
    """
    rule = Rule("no_credits", key=KEY, body={"key": KEY, "prompt": f"with {KEY} inside"})
    mock = make_mock()
    mock.add_rule(rule)

    assert (KEY in repr(rule), KEY in str(rule.as_dict())) == (False, False)
    assert rule.as_dict()["body"] == {"key": "***", "prompt": "with *** inside"}
    assert statuses(mock, 1, prompt=f"with {KEY} inside") == ["error"]


def test_a_rule_shows_what_it_was_given() -> None:
    """Whatever the numbers are, also one and nothing; what has no value is left out."""
    rule = Rule("failed", times=1, after=1, probability=1, from_s=1, to_s=2.0)

    assert rule.as_dict() == {
        "scenario": "failed",
        "times": 1,
        "after": 1,
        "probability": 1,
        "from_s": 1,
        "to_s": 2.0,
        "seen": 0,
        "used": 0,
    }


@pytest.mark.parametrize("name", [one.name for one in fields(Rule)])
@pytest.mark.parametrize("value", [0, 1, 1.0, 0.0, "0", "1"])
def test_every_member_shows_ones_and_nothings(name: str, value: Any) -> None:
    """Each member that takes such a value shows it just as it came."""
    given: dict[str, Any] = {"scenario": "failed", name: {"n": value} if name == "body" else value}
    try:
        rule = Rule(**given)
    except ValueError:
        return
    shown, expected = rule.as_dict()[name], "***" if name == "key" else getattr(rule, name)

    assert (shown, type(shown)) == (expected, type(expected))


@pytest.mark.parametrize("delay", [0.2, 1, "0.2", "0.1-0.5"])
def test_a_delay_may_be_a_number(delay: Any) -> None:
    """A rules file or the control API says 0.2 as naturally as "0.2"; both delay the answer."""
    mock = make_mock()
    mock.add_rule(Rule(delay=delay))
    answer = submit(mock)

    assert (answer.body["status"], 0 < answer.effect.delay_s <= 1) == ("processing", True)
