"""Webhooks of code under test that names its production receiver, while nothing may leave."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from driving import VALID
from fauxlab_contract.core.records import WebhookAttempt
from fauxlab_mock.inprocess.allowed_hosts import AllowedHosts
from fauxlab_mock.inprocess.no_network import BlockedError, only_loopback
from fauxlab_mock.runtime.mock import Mock
from fauxlab_mock.webhooks.delivery import WebhookDestinations, post

SUBMIT = "https://modelslab.com/api/v6/image_editing/flux_headshot"
HOOKS = ["https://api.mycompany.com/hook", "http://192.0.2.7/hook"]
OFF = [pytest.param(hook, marks=pytest.mark.fauxlab(webhooks="off")) for hook in HOOKS]


def submit(mock: Mock, hook: str, url: str = SUBMIT) -> list[WebhookAttempt]:
    """Submit with a webhook, wait until it was tried, and return what became of it."""
    reply = httpx.post(url, json=VALID | {"webhook": hook}).json()
    assert reply["status"] == "processing"
    mock.clock.advance(1_000)
    mock.clock.advance(1_000)
    return [each for each in mock.webhooks if each.job_id == reply["id"]]


def assert_suppressed(mock: Mock, attempts: list[WebhookAttempt]) -> None:
    """It was not sent once, the reason is told, and neither guard nor verdict holds it against."""
    assert [(each.attempt, each.suppressed, each.code) for each in attempts] == [(1, True, None)]
    assert "webhooks" in attempts[0].error
    assert list(mock.blocked) == []
    found = {finding.rule for finding in mock.verdict().findings}
    assert found.isdisjoint({"webhook-refused", "webhook-answered-late"})


@pytest.mark.fauxlab(clock="manual")
@pytest.mark.parametrize("hook", [*HOOKS, *OFF])
def test_in_process_a_production_webhook_is_suppressed(fauxlab: Mock, hook: str) -> None:
    """A name and an address elsewhere, with webhooks on this machine alone, and off."""
    assert_suppressed(fauxlab, submit(fauxlab, hook))


@pytest.mark.fauxlab(clock="manual")
@pytest.mark.parametrize("hook", [*HOOKS, *OFF])
def test_at_a_server_a_production_webhook_is_suppressed(fauxlab_server: Mock, hook: str) -> None:
    """The same at a server."""
    url = f"{fauxlab_server.url}/image_editing/flux_headshot"
    assert_suppressed(fauxlab_server, submit(fauxlab_server, hook, url))


@pytest.mark.parametrize("hook", HOOKS)
def test_at_a_shared_mock_a_production_webhook_is_suppressed(
    fauxlab_module: Mock, hook: str
) -> None:
    """The same at a mock of a module."""
    assert_suppressed(fauxlab_module, submit(fauxlab_module, hook))


def test_a_named_receiver_passes_the_guard_and_only_for_the_mock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The mock's own delivery may look up and dial what `webhooks` allows; other code may not, and
    the address whose calls are mocked is nobody's.
    """
    connected: list[str] = []

    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 80))]

    def connect(_: Any, address: Any) -> None:
        connected.append(address[0])
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    refused: list[str] = []
    targets = WebhookDestinations.named("api.mycompany.com,modelslab.com", frozenset)
    with only_loopback(refused.append, allowed=AllowedHosts(mocked="modelslab.com")):
        sent = post("http://api.mycompany.com/", b"{}", targets, 5)
        mocked = post("http://modelslab.com/", b"{}", targets, 5)
        with pytest.raises(BlockedError):
            socket.getaddrinfo("api.mycompany.com", 80)

    assert sent.error == "OSError: Network is unreachable"
    assert (mocked.reached, mocked.error.startswith("BlockedError")) == (False, True)
    assert connected == ["192.0.2.7"]
    assert refused == [
        f"a connection to {host}:80" for host in ("modelslab.com", "api.mycompany.com")
    ]
