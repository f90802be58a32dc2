"""The mock's time: a clock that tests can move, and virtual time in which waiting is free.

Jobs, webhooks and links read this clock; I/O deadlines never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fauxlab_contract._lazy import lazy

if TYPE_CHECKING:  # what type checkers and editors see; `_HOMES` says the same to the interpreter
    from fauxlab_mock.clock.clock import Clock, ClockMode
    from fauxlab_mock.clock.virtual import virtual_time

_HOMES = {
    "Clock": "fauxlab_mock.clock.clock",
    "ClockMode": "fauxlab_mock.clock.clock",
    "virtual_time": "fauxlab_mock.clock.virtual",
}
__all__ = [
    "Clock",
    "ClockMode",
    "virtual_time",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(__name__, _HOMES)
