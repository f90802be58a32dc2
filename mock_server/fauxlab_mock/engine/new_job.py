"""From a checked request to a new job: its plan, its picture, its links, its `meta`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fauxlab_contract.core.secrets import is_secret_name, scrub, secret_in
from fauxlab_contract.core.webhook_url import is_webhook_url
from fauxlab_contract.openapi.operation import Operation
from fauxlab_contract.openapi.schema import Schema
from fauxlab_mock.behaviour.preferences import Preferences
from fauxlab_mock.behaviour.refusals import Refused
from fauxlab_mock.behaviour.scenarios import Plan, Scenario
from fauxlab_mock.engine.job import NOBODY, Job
from fauxlab_mock.engine.pictures import FaceError, Picture, face_size
from fauxlab_mock.engine.request import RequestFacts, random_seed
from fauxlab_mock.settings import Settings

__all__ = ["new_job", "planned"]

DEFAULT_SIDE = 512  # pixels, when neither the request, the face image nor the document names one
MAX_META_BYTES = 8 * 2**10


def new_job(
    facts: RequestFacts,
    operation: Operation,
    scenario: Scenario,
    settings: Settings,
    number: int,
    now: float,
) -> Job:
    """Return the job that a valid submit starts. Raises `Refused` for pictures over the limits."""
    names = operation.conventions.fields
    seed = facts.body.get(names.seed)
    seed = random_seed(settings.seed, number) if seed is None else _whole(seed)
    prefix = _uuid(settings.seed, number)
    plan = Plan(settings.eta, settings.eta, settings.polls)
    picture = _picture(facts, operation, seed, settings)
    return Job(
        id=number,
        owner=facts.owner or NOBODY,
        operation=operation.name,
        created_at=now,
        plan=planned(plan, scenario, facts.preferences),
        files=(f"{prefix}-0.png",),
        meta=_meta(
            facts,
            operation,
            {
                names.seed: seed,
                names.width: picture.width,
                names.height: picture.height,
                names.file_prefix: prefix,
            },
        ),
        picture=picture,
        scenario=scenario.name,
        origin=facts.origin,
        webhook=_webhook(facts.body.get(names.webhook)),
        track_id=facts.body.get(names.track_id),
    )


def _webhook(url: Any) -> str | None:
    """Return where to deliver to.

    None for no address, and for what only a lenient validation let through.
    """
    return url if isinstance(url, str) and is_webhook_url(url) else None


def planned(plan: Plan, scenario: Scenario, preferences: Preferences) -> Plan:
    """Return a plan as a scenario and one call's preferences change it.

    What takes longer than announced takes at least a second.
    """
    if scenario.plan:
        plan = replace(plan, **scenario.plan)
    plan = preferences.over(plan)
    if scenario.stretch == 1:
        return plan
    duration_s = max(plan.announced_eta_s, 1.0) * scenario.stretch
    return replace(plan, duration_s=duration_s)


def _uuid(seed: int, number: int) -> str:
    """Return a version 4 UUID that depends on seed and job alone.

    It is put together by hand because the uuid module takes four times as long.
    """
    digits = hashlib.sha256(f"link:{seed}:{number}".encode()).hexdigest()
    rest = digits[20:32]
    # 4 is the version, 8 the variant
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{rest}"


def _picture(facts: RequestFacts, operation: Operation, seed: Any, settings: Settings) -> Picture:
    names = operation.conventions.fields
    body, declared = facts.body, _declared(operation)
    face = str(body.get(names.face_image) or body.get(names.init_image) or "")
    try:
        face_width, face_height = face_size(face, settings.limits.face_pixels) or (None, None)
    except FaceError as error:
        raise Refused("face_too_large", str(error)) from None
    width = _side(body.get(names.width), declared.get(names.width), face_width)
    height = _side(body.get(names.height), declared.get(names.height), face_height)
    if width * height > settings.limits.picture_pixels:
        raise Refused(
            "picture_too_large",
            f"The mock draws at most {settings.limits.picture_pixels} pixels, not {width} x"
            f" {height}.",
        )
    digest = hashlib.sha256(face.encode()).hexdigest()[:16]
    return Picture(
        prompt=str(body.get(names.prompt, ""))[:2_000],
        seed=seed if isinstance(seed, (int, float)) else str(seed)[:200],
        face=digest,
        width=width,
        height=height,
    )


def _declared(operation: Operation) -> Mapping[str, Schema]:
    return operation.request.properties if operation.request else {}


def _side(asked: Any, schema: Schema | None, of_face: int | None) -> int:
    """Return width or height in pixels, at least 1.

    It is the request's, else the face image's, else the document's default, else ours.
    """
    if isinstance(asked, (int, float)) and not isinstance(asked, bool):
        return max(1, min(int(asked), 2**31))
    if of_face:
        return of_face
    limits = schema.merged.keywords if schema else {}
    ours = min(DEFAULT_SIDE, limits.get("maximum", DEFAULT_SIDE))
    default = limits.get("default", ours)
    return max(1, int(default)) if isinstance(default, (int, float)) else DEFAULT_SIDE


def _meta(
    facts: RequestFacts, operation: Operation, effective: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the request as it took effect, which the API echoes.

    Declared fields come first; the key and the webhook are left out, long values are cut, 8 KiB in
    all.
    """
    names, declared = operation.conventions.fields, _declared(operation)
    shown = {name: facts.body[name] for name in declared if name in facts.body}
    known = {*declared, names.file_prefix}
    shown |= {name: value for name, value in effective.items() if name in known}
    shown |= {name: value for name, value in facts.body.items() if name not in declared}
    secret = secret_in(facts.key)
    meta: dict[str, Any] = {}
    room = MAX_META_BYTES
    for name, value in shown.items():
        if name in (names.key, names.webhook) or is_secret_name(name):
            continue
        value, size = _echo(value, secret)
        room -= len(name) + size
        if room <= 0:
            continue
        shown_name = name if name in declared else scrub(name, secret)
        meta[shown_name] = str(value) if name == names.track_id else value
    return meta


def _echo(value: Any, secret: str | None) -> tuple[Any, int]:
    """Return a value as the API repeats it, and about how many bytes that takes.

    Booleans become yes and no, whole numbers integers; the key is taken out of texts.
    """
    kind = type(value)
    if kind is str:
        value = scrub(value, secret)
        return value, len(value)
    if kind is bool:
        return ("yes" if value else "no"), 3
    if kind is list or kind is dict:
        value = scrub(value, secret)
        return value, len(json.dumps(value))
    return _whole(value), 20


def _whole(value: Any) -> Any:
    """1024.0 -> 1024, as far as it fits into 64 bits."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value
