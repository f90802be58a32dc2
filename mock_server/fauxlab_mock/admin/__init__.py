"""The control API under `/__admin/`: journal, jobs, clock, rules, webhooks, settings, reset.

A plain function from call to answer; `server.app` is its only door.
"""

from __future__ import annotations

from fauxlab_mock.admin.api import AdminCall, administer

__all__ = ["AdminCall", "administer"]
