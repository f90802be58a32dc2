"""Tables of what the mock can be told to do: scenarios, faults, quirks, refusals, rules.

Data and pure functions; a new behaviour is usually one new row.
"""

from __future__ import annotations

from fauxlab_mock.behaviour.faults import FAULTS, FaultEffect
from fauxlab_mock.behaviour.refusals import REFUSALS
from fauxlab_mock.behaviour.rules import Rule, RuleGates
from fauxlab_mock.behaviour.scenarios import SCENARIOS, Scenario

__all__ = ["FAULTS", "REFUSALS", "SCENARIOS", "FaultEffect", "Rule", "RuleGates", "Scenario"]
