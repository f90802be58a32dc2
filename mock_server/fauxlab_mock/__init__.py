"""The mock: an engine that decides, and thin adapters around it.

Names load when they are first used (PEP 562), so importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fauxlab_contract._lazy import lazy

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_mock.behaviour.faults import FAULTS
    from fauxlab_mock.behaviour.rules import Rule, RuleGates
    from fauxlab_mock.behaviour.scenarios import SCENARIOS
    from fauxlab_mock.client_check.check import check_client
    from fauxlab_mock.client_check.report import ClientReport
    from fauxlab_mock.client_check.webhook_handler import check_webhook_handler
    from fauxlab_mock.clock.clock import Clock
    from fauxlab_mock.clock.virtual import virtual_time
    from fauxlab_mock.engine.job import Job
    from fauxlab_mock.engine.messages import Call
    from fauxlab_mock.engine.store import Store
    from fauxlab_mock.inprocess.interception import intercepted
    from fauxlab_mock.runtime.answer import Answer
    from fauxlab_mock.runtime.mock import Mock
    from fauxlab_mock.runtime.own_reply import InvalidReplyError
    from fauxlab_mock.runtime.target import MockTarget
    from fauxlab_mock.server.app import create_app
    from fauxlab_mock.server.serving import serve
    from fauxlab_mock.settings import Limits, Settings, SettingsFields

_HOMES = {
    "FAULTS": "fauxlab_mock.behaviour.faults",
    "SCENARIOS": "fauxlab_mock.behaviour.scenarios",
    "Answer": "fauxlab_mock.runtime.answer",
    "Call": "fauxlab_mock.engine.messages",
    "ClientReport": "fauxlab_mock.client_check.report",
    "Clock": "fauxlab_mock.clock.clock",
    "InvalidReplyError": "fauxlab_mock.runtime.own_reply",
    "Job": "fauxlab_mock.engine.job",
    "Limits": "fauxlab_mock.settings",
    "Mock": "fauxlab_mock.runtime.mock",
    "MockTarget": "fauxlab_mock.runtime.target",
    "Rule": "fauxlab_mock.behaviour.rules",
    "RuleGates": "fauxlab_mock.behaviour.rules",
    "Settings": "fauxlab_mock.settings",
    "SettingsFields": "fauxlab_mock.settings",
    "Store": "fauxlab_mock.engine.store",
    "check_client": "fauxlab_mock.client_check.check",
    "check_webhook_handler": "fauxlab_mock.client_check.webhook_handler",
    "create_app": "fauxlab_mock.server.app",
    "intercepted": "fauxlab_mock.inprocess.interception",
    "serve": "fauxlab_mock.server.serving",
    "virtual_time": "fauxlab_mock.clock.virtual",
}
__all__ = [
    "FAULTS",
    "SCENARIOS",
    "Answer",
    "Call",
    "ClientReport",
    "Clock",
    "InvalidReplyError",
    "Job",
    "Limits",
    "Mock",
    "MockTarget",
    "Rule",
    "RuleGates",
    "Settings",
    "SettingsFields",
    "Store",
    "check_client",
    "check_webhook_handler",
    "create_app",
    "intercepted",
    "serve",
    "virtual_time",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(__name__, _HOMES)
