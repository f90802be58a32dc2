"""Deliver webhooks when the mock's clock says so, and log every attempt.

Addresses are checked where they are dialled; loopback only unless settings allow more.
"""

from __future__ import annotations

from fauxlab_mock.webhooks.delivery import DeliveryOutcome
from fauxlab_mock.webhooks.outbox import Outbox

__all__ = ["DeliveryOutcome", "Outbox"]
