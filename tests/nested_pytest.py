"""Runs a small pytest suite inside this process, which spares the start of another one."""

from __future__ import annotations

import importlib

import pytest

import fauxlab

__all__ = ["run_pytest"]

# What an inner run is the first to import is forgotten after it, and then imported a second time.
for name in (
    "aiohttp",
    "requests",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.http.httptools_impl",
    "fauxlab_contract.guard.guard",
    "fauxlab_contract.guard.hooks.aiohttp_hook",
    "fauxlab_contract.guard.hooks.httpx_hook",
    "fauxlab_contract.guard.hooks.requests_hook",
    "fauxlab_mock.inprocess.interception",
    "fauxlab_mock.runtime.mock",
    "fauxlab_mock.server.serving",
):
    importlib.import_module(name)
for name in fauxlab.__all__:  # each is imported when it is first asked for
    getattr(fauxlab, name)


def run_pytest(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run the files that `pytester` made, in their order."""
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", *options)
