"""The plain client on each HTTP library: what turns its steps into requests and sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import httpx
import requests

from client_mutants.plain import LostError, Plain, Reply, Send, Sleep

__all__ = ["DRIVERS", "Options", "make_of"]

TIMEOUT_S = 10.0
# timeout (None is for ever), follow, verify, leak (sessions stay open), shield (from cancelling),
# adapters, session (one for all)
Options = Mapping[str, Any]
_TLS = httpx.create_ssl_context()  # loading it takes longer than a lifecycle


def _arguments(step: Send) -> dict[str, Any]:
    if step.form is not None:
        return {"data": step.form}
    if step.text is not None:
        return {"headers": {"content-type": step.media}, "data": step.text}
    return {} if step.body is None else {"json": step.body}


def _httpx_arguments(step: Send) -> dict[str, Any]:
    given = _arguments(step)
    if isinstance(given.get("data"), str):
        given["content"] = given.pop("data")
    return given


def _drive(flow: Any, act: Callable[[Any], Any]) -> Any:
    """Run a flow; an error of the transport is thrown into it, where the step was."""
    step = next(flow)
    try:
        while True:
            try:
                answer = act(step)
            except (httpx.HTTPError, requests.RequestException) as error:
                step = flow.throw(LostError(type(error).__name__))
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return stop.value


def with_httpx(client: Plain, options: Options) -> Callable[..., Any]:
    def generate(**fields: Any) -> Any:
        with httpx.Client(
            timeout=options.get("timeout", TIMEOUT_S),
            verify=options.get("verify", _TLS),
            follow_redirects=options.get("follow", False),
            trust_env=False,
        ) as http:

            def act(step: Any) -> Any:
                if isinstance(step, Sleep):
                    return time.sleep(step.seconds)
                reply = http.request(step.method, step.url, **_httpx_arguments(step))
                return Reply(reply.status_code, reply.content)

            return _drive(client.generate(**fields), act)

    return generate


def with_requests(client: Plain, options: Options) -> Callable[..., Any]:
    def generate(**fields: Any) -> Any:
        shared = options.get("session")
        with contextlib.nullcontext(shared) if shared else requests.Session() as http:
            for prefix, adapter in options.get("adapters", {}).items():
                http.mount(prefix, adapter)

            def act(step: Any) -> Any:
                if isinstance(step, Sleep):
                    return time.sleep(step.seconds)
                reply = http.request(
                    step.method,
                    step.url,
                    timeout=options.get("timeout", TIMEOUT_S),
                    verify=options.get("verify", True),
                    allow_redirects=options.get("follow", False),
                    **_arguments(step),
                )
                return Reply(reply.status_code, reply.content)

            return _drive(client.generate(**fields), act)

    return generate


async def _drive_async(flow: Any, act: Callable[[Any], Any]) -> Any:
    step = next(flow)
    try:
        while True:
            try:
                answer = await act(step)
            except (httpx.HTTPError, aiohttp.ClientError, TimeoutError) as error:
                step = flow.throw(LostError(type(error).__name__))
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return stop.value


def with_httpx_async(client: Plain, options: Options) -> Callable[..., Any]:
    async def generate(**fields: Any) -> Any:
        http = httpx.AsyncClient(
            timeout=options.get("timeout", TIMEOUT_S),
            verify=options.get("verify", _TLS),
            follow_redirects=options.get("follow", False),
            trust_env=False,
        )

        async def act(step: Any) -> Any:
            if isinstance(step, Sleep):
                return await asyncio.sleep(step.seconds)
            reply = await http.request(step.method, step.url, **_httpx_arguments(step))
            return Reply(reply.status_code, reply.content)

        return await _run(client, fields, options, act, http.aclose)

    return generate


def with_aiohttp(client: Plain, options: Options) -> Callable[..., Any]:
    async def generate(**fields: Any) -> Any:
        http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(options.get("timeout", TIMEOUT_S))
        )

        async def act(step: Any) -> Any:
            if isinstance(step, Sleep):
                return await asyncio.sleep(step.seconds)
            more = {
                "allow_redirects": options.get("follow", False),
                "ssl": options.get("verify", True),
                **_arguments(step),
            }
            async with http.request(step.method, step.url, **more) as reply:
                return Reply(reply.status, await reply.read())

        return await _run(client, fields, options, act, http.close)

    return generate


async def _run(
    client: Plain,
    fields: Mapping[str, Any],
    options: Options,
    act: Callable[[Any], Any],
    close: Callable[[], Any],
) -> Any:
    """Run one generation and close its session, unless a mutant asks to leave it open."""

    async def whole() -> Any:
        return await _drive_async(client.generate(**fields), act)

    try:
        return await (
            asyncio.shield(asyncio.ensure_future(whole())) if options.get("shield") else whole()
        )
    finally:
        if not options.get("shield") and not options.get("leak"):
            await close()


DRIVERS: Mapping[str, Callable[[Plain, Options], Callable[..., Any]]] = {
    "httpx": with_httpx,
    "requests": with_requests,
    "httpx async": with_httpx_async,
    "aiohttp": with_aiohttp,
}


def make_of(
    kind: type[Plain], library: str, options: Options | None = None
) -> Callable[[str, str], Callable[..., Any]]:
    """What `check_client` takes: a plain client, or a broken one, on a library."""
    return lambda base_url, key: DRIVERS[library](kind(base_url, key), options or {})
