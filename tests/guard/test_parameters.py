"""The guard judges the parameters of a call as the mock does."""

from __future__ import annotations

from typing import Any

from documents_small import BASE, answered, one_operation
from fauxlab_contract.guard.hooks.watch import WatchedCall
from fauxlab_contract.guard.rules import request_findings

OK = {"200": answered({"type": "object"})}
INTEGER = {"type": "integer"}


def found(url: str, *parameters: dict[str, Any], **headers: str) -> list[tuple[str, str, str]]:
    """(rule, message, place) of what a POST to this path and query has wrong."""
    document = one_operation("/rooms/{room}", parameters=list(parameters), responses=OK)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    call = WatchedCall("POST", f"{BASE}{url}", named, b"")
    path = f"/v1{url.partition('?')[0]}"
    told = request_findings(document, call, path, is_production=False)
    return [(one.rule, one.message, one.place) for one in told]


def test_a_wrong_parameter_is_a_violation_at_its_place() -> None:
    """In the path, in the query and in a header; the document's place is that of the parameter."""
    room = {"name": "room", "in": "path", "required": True, "schema": INTEGER}
    size = {"name": "size", "in": "query", "required": True, "schema": INTEGER}
    tenant = {"name": "X-Tenant", "in": "header", "schema": {"enum": ["acme"]}}
    item = "/paths/~1rooms~1{room}/parameters"

    assert found("/rooms/x", room, size, tenant, x_tenant="other") == [
        (
            "request-violation",
            'header.X-Tenant must be one of "acme", not a text.',
            f"{item}/2",
        ),
        ("request-violation", 'path.room must be an integer, not the text "x".', f"{item}/0"),
        ("request-violation", "The query parameter size is required.", f"{item}/1"),
    ]


def test_what_may_still_be_added_is_not_missing() -> None:
    """An `auth` of httpx adds a header, or a key in the query, after the guard has looked."""
    tenant = {"name": "X-Api-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    token = {"name": "token", "in": "query", "required": True, "schema": {"type": "string"}}

    assert found("/rooms/7", tenant, token) == []


def test_a_required_object_is_sent_as_its_members() -> None:
    """`?page=0` is how Springdoc reads `pageable`, `?filter[a]=1` how deepObject does."""
    page = {"type": "object", "properties": {"page": INTEGER}}
    pageable = {"name": "pageable", "in": "query", "required": True, "schema": page}
    deep = {**pageable, "name": "filter", "style": "deepObject"}

    assert found("/rooms/7?page=0&filter[page]=1", pageable, deep) == []
