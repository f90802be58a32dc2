"""Build a request body and check it by the contract before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fauxlab_client._errors import ValidationError
from fauxlab_client._models import Contract, Field
from fauxlab_client._webhook_url import is_webhook_url

__all__ = ["build_body"]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def build_body(contract: Contract, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body for `arguments`, without those that are None.

    Raises `ValidationError` for the first that breaks a rule.
    """
    body = {name: value for name, value in arguments.items() if value is not None}
    for name in contract.required:
        if name not in body:
            raise ValidationError(f"{name} is required.", field=name)
    for name, value in body.items():
        if name not in contract.fields:
            raise ValidationError(
                f"{name} is not a field of this API. The fields are {', '.join(contract.fields)}.",
                field=name,
            )
        _check(name, value, contract.fields[name], secret=name == "key")
    return body


def _check(name: str, value: Any, rule: Field, *, secret: bool) -> None:
    """Raise `ValidationError` unless `value` keeps `rule`; a secret's value is not repeated."""
    came = "something else" if secret else _shown(value)
    _check_type(name, value, rule, came)
    if isinstance(value, str):
        _check_text(name, value, rule, came)
    elif not isinstance(value, bool):
        _check_number(name, value, rule, came)


def _check_type(name: str, value: Any, rule: Field, came: str) -> None:
    wanted = _PYTHON_TYPES.get(rule.type, (object,))
    is_stray_bool = isinstance(value, bool) and rule.type != "boolean"  # to Python an int
    if is_stray_bool or not isinstance(value, wanted):
        article = "an" if rule.type == "integer" else "a"
        raise ValidationError(f"{name} must be {article} {rule.type}, not {came}.", field=name)


def _check_number(name: str, value: Any, rule: Field, came: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValidationError(f"{name} must be a finite number, not {came}.", field=name)
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        raise ValidationError(f"{name} must fit into 64 bits.", field=name)
    if rule.minimum is not None and value < rule.minimum:
        raise ValidationError(f"{name} must be at least {rule.minimum}, not {came}.", field=name)
    if rule.maximum is not None and value > rule.maximum:
        raise ValidationError(f"{name} must be at most {rule.maximum}, not {came}.", field=name)


def _check_text(name: str, value: str, rule: Field, came: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError(
            f"{name} holds half of a surrogate pair, which cannot be sent.", field=name
        ) from None
    if name == "key" and not value:
        raise ValidationError("key must not be empty.", field=name)
    if rule.format == "uri" and not is_webhook_url(value):
        raise ValidationError(
            f"{name} must be an absolute http or https URL of a host that is not link-local, not"
            f" {came}.",
            field=name,
        )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
