"""Many jobs, keys and moments at once, compared with a model of a few lines; in process and over a
real socket.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from driving import JSON_TYPE, SUBMIT, VALID, make_mock
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.runtime.mock import Mock
from serving import raw, request, serving

KEYS = ("first-key-000000", "second-key-11111")


@dataclass
class Expected:
    """What the model knows of a job: whole seconds, so that no rounding blurs the moment of its
    end.
    """

    key: str
    end: int
    outcome: str
    links: list[str]
    polls_left: int
    last_eta: int
    seen: list[str] = field(default_factory=list)


class Lifecycles(RuleBasedStateMachine):
    """Submits, fetches and passing time in any order. `connect` is replaced for the run over a
    socket.
    """

    jobs = Bundle("jobs")
    stack: contextlib.ExitStack
    over_socket: ClassVar[bool] = False

    @initialize()
    def start(self) -> None:
        self.stack = contextlib.ExitStack()
        self.expected: dict[int, Expected] = {}
        self.time = 0
        if self.over_socket:
            self.server = self.stack.enter_context(serving())
            self.mock: Mock = self.server.mock
        else:
            self.mock = make_mock()

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()

    def post(self, path: str, body: Any, prefer: str = "") -> Any:
        if self.over_socket:
            return raw(
                self.server.address,
                request(body, path=path, headers=[f"Prefer: {prefer}"] if prefer else []),
            ).json
        headers = JSON_TYPE | ({"prefer": prefer} if prefer else {})
        return self.mock.handle(Call("POST", path, headers, json.dumps(body).encode())).body

    def get(self, url: str) -> tuple[int, bytes]:
        path = url.removeprefix(self.mock.public_url)
        if self.over_socket:
            answer = raw(self.server.address, request(b"", method="GET", path=path))
            return answer.code, answer.body
        reply = self.mock.handle(Call("GET", path))
        return reply.code, reply.content

    def state(self, job_id: int) -> str:
        job = self.expected[job_id]
        return job.outcome if self.time >= job.end and job.polls_left <= 0 else "processing"

    @rule(
        target=jobs,
        key=st.sampled_from(KEYS),
        eta=st.integers(0, 5),
        polls=st.integers(0, 2),
        outcome=st.sampled_from(["success", "failed"]),
    )
    def submit(self, key: str, eta: int, polls: int, outcome: str) -> int | None:
        """A new job has a new id, announces its eta and promises links that no other job has."""
        reply = self.post(
            SUBMIT,
            VALID | {"key": key, "width": 2, "height": 2},
            f"scenario={outcome}, eta={eta}, polls={polls}",
        )
        if outcome == "failed" and eta == 0 and polls == 0:
            assert reply["status"] == "error"
            return None
        assert reply["id"] not in self.expected
        now_done = eta == 0 and polls == 0
        links = reply["output"] if now_done else reply["future_links"]
        assert all(links != job.links for job in self.expected.values())
        assert (reply["status"], reply.get("eta", 0)) == (
            "success" if now_done else "processing",
            eta,
        )
        self.expected[reply["id"]] = Expected(key, self.time + eta, outcome, links, polls, eta)
        return int(reply["id"])

    @rule(job_id=jobs, key=st.sampled_from(KEYS))
    def fetch(self, job_id: int | None, key: str) -> None:
        """A fetch shows the state of the model; another key's job is not found."""
        if job_id is None:
            return
        reply = self.post(f"/api/v6/image_editing/fetch/{job_id}", {"key": key})
        job = self.expected[job_id]
        if key != job.key:
            assert (reply["status"], reply["id"], reply["message"]) == (
                "failed",
                "",
                "Request not found",
            )
            return
        assert reply["status"] == self.state(job_id)
        job.seen.append(reply["status"])
        job.polls_left -= reply["status"] == "processing"
        expected = {"processing": "", "success": job.links, "failed": ""}[reply["status"]]
        assert reply["output"] == expected
        assert reply.get("id", job_id) == job_id

    @rule(seconds=st.integers(0, 4))
    def wait(self, seconds: int) -> None:
        self.mock.clock.advance(seconds)
        self.time += seconds

    @rule(job_id=jobs)
    def follow_link(self, job_id: int | None) -> None:
        """The promised link serves a PNG exactly when the job has ended in success."""
        if job_id is None:
            return
        code, content = self.get(self.expected[job_id].links[0])
        alive = self.state(job_id) == "success"
        assert (code, content.startswith(b"\x89PNG")) == ((200, True) if alive else (404, False))

    @rule(number=st.integers(0, 10**9))
    def fetch_unknown(self, number: int) -> None:
        if number not in self.expected:
            reply = self.post(f"/api/v6/image_editing/fetch/{number}", {"key": KEYS[0]})
            assert reply["message"] == "Request not found"

    @invariant()
    def states_only_go_forward(self) -> None:
        """No job was ever seen processing after its end, nor with two different ends."""
        for job in getattr(self, "expected", {}).values():
            ends = [status for status in job.seen if status != "processing"]
            assert job.seen == ["processing"] * (len(job.seen) - len(ends)) + ends
            assert len(set(ends)) <= 1


class LifecyclesOverASocket(Lifecycles):
    over_socket = True


@pytest.mark.parametrize(
    "machine, examples",
    [
        pytest.param(Lifecycles, 60, id="in-process"),
        pytest.param(LifecyclesOverASocket, 8, id="socket"),
    ],
)
def test_lifecycles_agree_with_the_model(machine: type[Lifecycles], examples: int) -> None:
    """Whatever is done in whatever order, the mock and a model of a few lines agree."""
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None)
    )
