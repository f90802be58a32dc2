"""One running mock: engine, store, clock, journal and webhooks behind one lock.

`Mock` is what every adapter calls and what tests hold in their hands.
"""

from __future__ import annotations

from fauxlab_mock.runtime.answer import Answer
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.runtime.own_reply import InvalidReplyError
from fauxlab_mock.runtime.target import MockTarget

__all__ = ["Answer", "InvalidReplyError", "Mock", "MockTarget"]
