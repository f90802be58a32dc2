"""Habits of the real API that its document forbids: each changes a reply about a job.

Pure functions, one table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from fauxlab_contract.core.conventions import Conventions

__all__ = ["ELSEWHERE", "QUIRKS"]

ReplyFields = Mapping[str, Any]
ELSEWHERE = "https://fetch.elsewhere.example"  # a name that can belong to nobody (RFC 2606)


def _float_eta(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    eta = conventions.fields.eta
    return {**body, eta: body[eta] + 0.5} if eta in body else body


def _string_id(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    name = conventions.fields.id
    return {**body, name: str(body[name])} if name in body else body


def _empty_proxy_links(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    name = conventions.fields.proxy_links
    return {**body, name: ""} if name in body else body


def _legacy_message(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    names = conventions.fields
    return {
        (names.legacy_message if name == names.message else name): value
        for name, value in body.items()
    }


def _output_as_text(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    name = conventions.fields.output
    links = body.get(name)
    if not isinstance(links, list):
        return body
    return {**body, name: links[0] if links else ""}


def _no_output(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    names = conventions.fields
    succeeded = body.get(names.status) == conventions.words.success
    if not succeeded:
        return body
    left_out = (names.output, names.proxy_links)
    return {name: value for name, value in body.items() if name not in left_out}


def _foreign_fetch_result(body: ReplyFields, conventions: Conventions) -> ReplyFields:
    name = conventions.fields.fetch_result
    if name not in body:
        return body
    return {**body, name: ELSEWHERE + urlsplit(body[name]).path}


QUIRKS: Mapping[str, Callable[[ReplyFields, Conventions], ReplyFields]] = {
    "float_eta": _float_eta,
    "string_id": _string_id,
    "empty_proxy_links": _empty_proxy_links,
    "legacy_messege": _legacy_message,
    "output_as_string": _output_as_text,
    "success_without_output": _no_output,
    "foreign_fetch_result": _foreign_fetch_result,
}
