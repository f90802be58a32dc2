"""Judge a Python client by driving it through its arguments and through servers that misbehave.

`check_client` for clients, `check_webhook_handler` for webhook receivers.
"""

from __future__ import annotations

from fauxlab_mock.client_check.check import check_client
from fauxlab_mock.client_check.report import CLIENT_RULES, ClientFinding, ClientReport
from fauxlab_mock.client_check.webhook_handler import check_webhook_handler

__all__ = ["CLIENT_RULES", "ClientFinding", "ClientReport", "check_client", "check_webhook_handler"]
