"""Which declared field an undeclared name was meant to be. Pure."""

from __future__ import annotations

from collections.abc import Collection

from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.core.text import nearest

__all__ = ["meant_field"]

ALIKE = 0.8  # of difflib: guidence_scale and guidance_scale are, prompt and enhance_prompt are not


def meant_field(name: str, declared: Collection[str], sent: Collection[str]) -> str:
    """Return the field that an undeclared member of a request was probably meant to be.

    The result is empty if the name resembles no field, or only one that was `sent` as well. A name
    that adds words to a known one is another field: `safety_checker_type` is not a misspelt
    `safety_checker`.
    """
    if not declared or name in declared or name in UNDECLARED:
        return ""
    candidates = [field for field in (*UNDECLARED, *declared) if field not in sent]
    known = {_plain(field): field for field in candidates}
    near = nearest(_plain(name), known, ALIKE)
    if not near:
        return ""
    field = known[near[0]]
    return "" if _adds_words(name, field) else field


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _adds_words(name: str, known: str) -> bool:
    words, known_words = set(name.split("_")), set(known.split("_"))
    return name.startswith(f"{known}_") or known_words < words
