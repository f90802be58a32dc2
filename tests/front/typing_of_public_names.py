"""What a type checker knows of the public names. `make check` reads this file; nothing runs it.

Each line holds a name of `fauxlab` against the class in its home: were the front door untyped
(`Any`), `assert_type` would refuse it. The lines with an ignore must be errors, else mypy says that
the ignore is unused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Unpack, assert_type

from hypothesis.strategies import SearchStrategy
from starlette.applications import Starlette

import fauxlab
import fauxlab_client
from fauxlab_client._async_client import AsyncClient
from fauxlab_client._client import Client
from fauxlab_client._contract import GenerateFields
from fauxlab_client._errors import FauxlabError
from fauxlab_client._models import Polling, Result
from fauxlab_client._shared import ClientOptions
from fauxlab_client._webhook import WebhookEvent
from fauxlab_contract.audit.report import Audit, AuditFinding
from fauxlab_contract.audit.samples import Sample
from fauxlab_contract.check.findings import Report, ServerFinding
from fauxlab_contract.check.options import Options
from fauxlab_contract.check.target import HttpTarget, Target, TargetError
from fauxlab_contract.core.conventions import Conventions
from fauxlab_contract.core.gate import Baseline
from fauxlab_contract.core.http import HttpRequest, HttpResponse
from fauxlab_contract.core.records import Exchange, WebhookAttempt
from fauxlab_contract.core.rules import Finding, Findings
from fauxlab_contract.core.violation import Violation
from fauxlab_contract.diff.report import Diff, DocumentChange
from fauxlab_contract.generation.boundaries import RequestCase
from fauxlab_contract.guard.guard import Guard, GuardError, GuardFinding
from fauxlab_contract.openapi.document import Document, DocumentError, Match, Notice
from fauxlab_contract.openapi.operation import Operation, RequestBody, Variant
from fauxlab_contract.verdict.verdict import Verdict, VerdictFinding
from fauxlab_mock.behaviour.rules import Rule, RuleGates
from fauxlab_mock.behaviour.scenarios import Scenario
from fauxlab_mock.client_check.report import ClientFinding, ClientReport
from fauxlab_mock.clock.clock import Clock
from fauxlab_mock.engine.job import Job
from fauxlab_mock.engine.messages import Call
from fauxlab_mock.engine.store import Store
from fauxlab_mock.inprocess.no_network import BlockedError
from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.own_reply import InvalidReplyError
from fauxlab_mock.runtime.target import MockTarget
from fauxlab_mock.settings import Limits, Settings, SettingsFields


def serve_a_mock(mock: fauxlab.Mock, store: fauxlab.Store) -> None:
    assert_type(fauxlab.Mock(), Mock)
    assert_type(fauxlab.MockTarget(fauxlab.Mock()), MockTarget)
    assert_type(fauxlab.Settings(), Settings)
    assert_type(fauxlab.Limits(), Limits)
    assert_type(fauxlab.Clock(), Clock)
    assert_type(fauxlab.Rule(scenario="failed"), Rule)
    assert_type(fauxlab.Call("GET", "/"), Call)
    assert_type(fauxlab.create_app(), Starlette)
    with fauxlab.serve(eta=2.0, scenario="failed") as served:
        assert_type(served, Mock)
    assert_type(fauxlab.SCENARIOS, Mapping[str, Scenario])
    assert_type(fauxlab.FAULTS, Mapping[str, str])
    assert_type(store, Store)
    assert_type(mock.handle(Call("GET", "/")), Answer)
    assert_type(mock.verdict(), Verdict)
    assert_type(mock.verdict().findings, tuple[VerdictFinding, ...])
    assert_type(mock.requests, tuple[Exchange, ...])
    assert_type(mock.webhooks, tuple[WebhookAttempt, ...])
    assert_type([*mock.jobs], list[Job])
    assert_type(mock.job(1), Job | None)
    assert_type(mock.clock.now(), float)
    assert_type(mock.generations, int)
    assert_type(mock.url, str)
    mock.scenario("failed", times=1, kind="submit", probability=0.5)
    mock.fault("HANG", times=2, after=1)
    fauxlab.serve(prot=1)  # type: ignore[call-arg] # misspelt
    fauxlab.serve(validation="lax")  # type: ignore[arg-type] # not a mode
    mock.scenario("failed", tims=1)  # type: ignore[call-arg] # misspelt
    mock.fault("HANG", until=1)  # type: ignore[call-arg] # not a gate
    fauxlab.Mock(1)  # type: ignore[arg-type] # not Settings


def name_its_records(
    answer: fauxlab.Answer,
    attempt: fauxlab.WebhookAttempt,
    exchange: fauxlab.Exchange,
    job: fauxlab.Job,
    mode: fauxlab.ClockMode,
) -> None:
    assert_type(answer, Answer)
    assert_type(attempt, WebhookAttempt)
    assert_type(exchange, Exchange)
    assert_type(job, Job)
    assert_type(mode, Literal["real", "auto", "manual"])


def use_it_in_tests(mock: fauxlab.Mock, document: fauxlab.Document) -> None:
    with (
        fauxlab.intercepted(mock, allow_hosts=["db"]) as given,
        fauxlab.virtual_time(mock.clock) as clock,
    ):
        assert_type(given, fauxlab.Mock)
        assert_type(clock, Clock)
    with fauxlab.guarded(document) as guard:
        assert_type(guard, Guard)
        assert_type(guard.findings, tuple[GuardFinding, ...])
    assert_type(fauxlab.Guard(document), Guard)
    fauxlab.intercepted()  # type: ignore[call-arg] # no mock


def judge_a_client(document: fauxlab.Document) -> None:
    def make(base_url: str, key: str) -> Any: ...

    def make_handler(jobs: frozenset[int], act: Any) -> Any: ...

    report = fauxlab.check_client(make, document=document)
    assert_type(report, ClientReport)
    assert_type(report.findings, tuple[ClientFinding, ...])
    assert_type(fauxlab.check_webhook_handler(make_handler), ClientReport)
    fauxlab.check_client(make, wave={})  # type: ignore[call-arg] # misspelt


def judge_a_server(document: fauxlab.Document, target: fauxlab.Target) -> None:
    assert_type(fauxlab.HttpTarget("http://127.0.0.1:4010/api/v6"), HttpTarget)
    assert_type(fauxlab.Options(key="any"), Options)
    assert_type(fauxlab.check(target, document, fauxlab.Options(key="any")), Report)
    assert_type(fauxlab.check(target, document, Options("any")).findings, tuple[ServerFinding, ...])
    assert_type(target, Target)
    assert_type(target.send(HttpRequest("GET", "/"), 1.0), HttpResponse)
    fauxlab.Options(kye="any")  # type: ignore[call-arg] # misspelt


def read_documents(operation: fauxlab.Operation, document: fauxlab.Document) -> None:
    assert_type(fauxlab.load_document(), Document)
    assert_type(fauxlab.read_document(b""), Document)
    assert_type(document.operations, tuple[Operation, ...])
    assert_type(document.notices, tuple[Notice, ...])
    assert_type(document.conventions, Conventions)
    assert_type(document.match("GET", "/"), Match | None)
    assert_type(operation.variants, Mapping[str, Variant])
    assert_type(operation.reply_for(404), fauxlab.DeclaredReply | None)
    assert_type(operation.request, RequestBody | None)
    assert_type(fauxlab.request_violations(operation, {}), tuple[Violation, ...])
    assert_type(fauxlab.response_violations(operation, {}), tuple[Violation, ...])
    assert_type(fauxlab.job_violations([], document.conventions), tuple[Violation, ...])
    assert_type(fauxlab.audit_document(document), Audit)
    assert_type(fauxlab.audit_document(document).findings, tuple[AuditFinding, ...])
    assert_type(fauxlab.read_samples(b"", "sample.json"), tuple[Sample, ...])
    assert_type(fauxlab.compare_documents(document, document), Diff)
    assert_type(fauxlab.compare_documents(document, document).changes, tuple[DocumentChange, ...])
    assert_type(fauxlab.boundary_requests(operation, key="k"), tuple[RequestCase, ...])
    assert_type(fauxlab.valid_requests(operation, key="k"), SearchStrategy[dict[str, Any]])
    assert_type(fauxlab.invalid_requests(operation, key="k"), SearchStrategy[RequestCase])
    fauxlab.load_document(1)  # type: ignore[arg-type] # not a path


def use_the_client() -> None:
    client = fauxlab.Client("key", timeout_s=60.0, polling=fauxlab.Polling())
    assert_type(client, Client)
    assert_type(fauxlab.Polling(), Polling)
    result = client.generate(prompt="a", face_image=b"", seed=0, width=None, timeout_s=5.0)
    assert_type(result, Result)
    job = client.submit(prompt="a", face_image="face.png", seed=0)
    assert_type(job, fauxlab_client.Job)
    assert_type(client.fetch(job), Result | None)
    assert_type(fauxlab.parse_webhook(b"{}"), WebhookEvent)
    client.generate(nonsense=1)  # type: ignore[call-arg] # no such field
    client.generate(prompt="a", face_image=b"")  # type: ignore[call-arg] # no seed
    client.generate(prompt="a", face_image=1, seed=0)  # type: ignore[arg-type] # not a face
    fauxlab.Client(1, 2, nonsense=True)  # type: ignore[call-arg,arg-type] # nothing is right
    fauxlab.Client("key", timeout=60.0)  # type: ignore[call-arg] # misspelt


async def use_the_async_client() -> None:
    client = fauxlab.AsyncClient("key", base_url="http://127.0.0.1:4010/api/v6")
    assert_type(client, AsyncClient)
    assert_type(await client.generate(prompt="a", face_image=b"", seed=0), Result)
    assert_type(await client.submit(prompt="a", face_image=b"", seed=0), fauxlab_client.Job)
    await client.generate(nonsense=1)  # type: ignore[call-arg] # no such field
    fauxlab.AsyncClient("key", nonsense=True)  # type: ignore[call-arg] # no such option


def wrap_the_keyword_arguments(
    settings: fauxlab.SettingsFields,
    gates: fauxlab.RuleGates,
    options: fauxlab.ClientOptions,
    **fields: Unpack[fauxlab.GenerateFields],
) -> None:
    assert_type(settings, SettingsFields)
    assert_type(gates, RuleGates)
    assert_type(options, ClientOptions)
    assert_type(fields, GenerateFields)
    assert_type(fauxlab.Settings(**settings), Settings)
    assert_type(fauxlab.Client("key", **options).generate(**fields), Result)


def name_what_is_raised(
    blocked: fauxlab.BlockedError,
    client: fauxlab.FauxlabError,
    document: fauxlab.DocumentError,
    guard: fauxlab.GuardError,
    reply: fauxlab.InvalidReplyError,
    target: fauxlab.TargetError,
) -> None:
    assert_type(blocked, BlockedError)
    assert_type(client, FauxlabError)
    assert_type(document, DocumentError)
    assert_type(guard, GuardError)
    assert_type(reply, InvalidReplyError)
    assert_type(target, TargetError)


def name_what_is_returned(
    *,
    audit: fauxlab.Audit,
    audit_finding: fauxlab.AuditFinding,
    baseline: fauxlab.Baseline,
    body: fauxlab.RequestBody,
    case: fauxlab.RequestCase,
    change: fauxlab.DocumentChange,
    client_finding: fauxlab.ClientFinding,
    client_report: fauxlab.ClientReport,
    conventions: fauxlab.Conventions,
    difference: fauxlab.Diff,
    event: fauxlab.WebhookEvent,
    finding: fauxlab.Finding,
    findings: fauxlab.Findings,
    guard_finding: fauxlab.GuardFinding,
) -> None:
    assert_type(audit, Audit)
    assert_type(audit_finding, AuditFinding)
    assert_type(baseline, Baseline)
    assert_type(body, RequestBody)
    assert_type(case, RequestCase)
    assert_type(change, DocumentChange)
    assert_type(client_finding, ClientFinding)
    assert_type(client_report, ClientReport)
    assert_type(conventions, Conventions)
    assert_type(difference, Diff)
    assert_type(event, WebhookEvent)
    assert_type(finding, Finding)
    assert_type(finding.severity, Literal["error", "warning", "note"])
    assert_type(findings, Findings)
    assert_type(guard_finding, GuardFinding)


def name_more_of_what_is_returned(
    *,
    match: fauxlab.Match,
    notice: fauxlab.Notice,
    report: fauxlab.Report,
    request: fauxlab.HttpRequest,
    response: fauxlab.HttpResponse,
    result: fauxlab.Result,
    sample: fauxlab.Sample,
    server_finding: fauxlab.ServerFinding,
    severity: fauxlab.Severity,
    variant: fauxlab.Variant,
    verdict: fauxlab.Verdict,
    verdict_finding: fauxlab.VerdictFinding,
    violation: fauxlab.Violation,
) -> None:
    assert_type(match, Match)
    assert_type(notice, Notice)
    assert_type(report, Report)
    assert_type(request, HttpRequest)
    assert_type(response, HttpResponse)
    assert_type(result, Result)
    assert_type(sample, Sample)
    assert_type(server_finding, ServerFinding)
    assert_type(severity, Literal["error", "warning", "note"])
    assert_type(variant, Variant)
    assert_type(verdict, Verdict)
    assert_type(verdict_finding, VerdictFinding)
    assert_type(violation, Violation)
