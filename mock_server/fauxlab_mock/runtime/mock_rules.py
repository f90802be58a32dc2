"""The part of a mock that says what is to happen to which calls: its rules."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, fields
from typing import Any, Unpack

from fauxlab_contract.core.text import counted, either, must_be
from fauxlab_contract.openapi.document import Document
from fauxlab_mock.behaviour.rules import Rule, RuleGates, rule_of
from fauxlab_mock.behaviour.scenarios import KEY_PREFIX, SCENARIOS
from fauxlab_mock.engine.store import Store
from fauxlab_mock.settings import Settings, load_rules

__all__ = ["MockRules", "idle"]

__tracebackhide__ = True  # pytest shows the line that gave a wrong rule


def _tell_the_gates(method: Callable[..., Any]) -> None:
    """Let `help` and editors show each gate of a method that takes them all."""
    signature = inspect.signature(method)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    gates = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default={} if one.default is MISSING else one.default,
            annotation=one.type,
        )
        for one in fields(Rule)
        if one.name in RuleGates.__annotations__
    ]
    vars(method)["__signature__"] = signature.replace(parameters=[*own, *gates])


class MockRules:
    """What `Mock` can do with rules; each change is made under its lock."""

    document: Document
    settings: Settings
    store: Store
    _lock: contextlib.AbstractContextManager[object]
    _of_file: frozenset[str] = frozenset()  # the rules that a file gave, as text

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules for calls that choose nothing themselves, in the order in which they act."""
        with self._lock:
            return self.store.rules()

    @property
    def unused_rules(self) -> tuple[Rule, ...]:
        """The rules that have acted on no call; those of the file of `rules` are left out."""
        of_file = self._of_file
        return tuple(rule for rule in self.rules if not rule.used and str(rule) not in of_file)

    def scenario(self, name: str, *, times: int | None = None, **gates: Unpack[RuleGates]) -> None:
        """Give calls that choose no scenario themselves this one, the next `times` of them or all.

        Asked for more than once, the first is used up before the next begins; one without an end
        takes the place of another. `gates` are further fields of `Rule`. ValueError for an unknown
        name, and for what can never happen.
        """
        rule = rule_of({"scenario": name, "times": times, **gates})
        self._check((rule,))
        with self._lock:
            left = self.store.rules()
            if rule.is_plain:
                left = tuple(old for old in left if not old.is_plain)
            self.store.set_rules((*left, rule))

    def fault(self, name: str, *, times: int | None = None, **gates: Unpack[RuleGates]) -> None:
        """Let a fault happen to the next `times` calls, or to all; arguments as for `scenario`."""
        self.add_rule(rule_of({"fault": name, "times": times, **gates}))

    def add_rule(self, rule: Rule | None = None, **fields: object) -> None:
        """Put a rule behind those that are there; ValueError for one that can never act here.

        `fields` are refused with a word that they belong to a `Rule`.
        """
        if fields:
            told = ", ".join(f"{name}=…" for name in fields)
            raise TypeError(f"add_rule takes a rule: mock.add_rule(fauxlab.Rule({told}))")
        if not isinstance(rule, Rule):
            raise TypeError(must_be("rule", "a Rule, such as Rule(scenario='failed')", rule))
        self._check((rule,))
        with self._lock:
            self.store.set_rules((*self.store.rules(), rule))

    def forget_rules(self) -> None:
        """Let only calls themselves and the settings choose from now on."""
        with self._lock:
            self.store.set_rules(())

    def assert_all_used(self) -> None:
        """Raise AssertionError if a rule has acted on no call: the test shows less than it says."""
        __tracebackhide__ = True  # pytest shows the caller's line
        lines = [f"  {idle(rule)}" for rule in self.unused_rules]
        if lines:
            said = f"{counted(len(lines), 'rules')} of the mock never acted:"
            raise AssertionError("\n".join([said, *lines]))

    def _rules_of_file(self) -> tuple[Rule, ...]:
        if self.settings.rules is None:
            return ()
        rules = load_rules(self.settings.rules)
        self._check(rules)
        return rules

    def _begin_with(self, rules: tuple[Rule, ...]) -> None:
        """Let these rules, of the file, be all that there are."""
        self.store.set_rules(rules)
        self._of_file = frozenset(map(str, rules))

    def _check(self, rules: Iterable[Rule]) -> None:
        """Raise ValueError for a rule that no call to this mock can meet."""
        kinds = {operation.kind for operation in self.document.operations}
        for rule in rules:
            for reason in _why_never(rule, kinds, self.settings.keys):
                raise ValueError(f"the rule ({rule}) can never act: {reason}")


_tell_the_gates(MockRules.scenario)
_tell_the_gates(MockRules.fault)


def _why_never(rule: Rule, kinds: Iterable[str], keys: frozenset[str]) -> Iterator[str]:
    scenario = SCENARIOS[rule.scenario] if rule.scenario else None
    met = [kind for kind in kinds if rule.kind in (None, kind)]
    if not any(scenario is None or scenario.acts_on(kind) for kind in met):
        wanted = rule.kind or "submit"
        yield f"the document has no {wanted}, only operations of the kind {either(sorted(kinds))}"
    if rule.key is not None and rule.key not in keys:
        if rule.key.startswith(KEY_PREFIX):
            yield f"a key that begins with {KEY_PREFIX} chooses its scenario itself"
        if keys:
            yield "its key is none of the keys that are accepted"


def idle(rule: Rule) -> str:
    """Return what became of a rule that has not acted."""
    if not rule.seen:
        return f"{rule}: no {'valid ' if rule.needs_valid else ''}call matched it"
    return f"{rule}: it matched {counted(rule.seen, 'calls')}, and acted on none"
