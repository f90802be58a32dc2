"""Which declared field an undeclared name was meant to be. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from fauxlab_contract.core.conventions import UNDECLARED
from fauxlab_contract.core.secrets import hide_tokens
from fauxlab_contract.core.text import SHORT, nearest

__all__ = ["Misspelt", "meant_field", "misspelt_fields"]

ALIKE = 0.8  # of difflib: guidence_scale and guidance_scale are, prompt and enhance_prompt are not


class Misspelt(NamedTuple):
    """A field of a request (in at most 60 ASCII characters), and the one that it means."""

    name: str
    meant: str

    def __str__(self) -> str:
        return f"{self.name} is not a field of this operation; did you mean {self.meant}?"


def meant_field(
    name: str, declared: Collection[str], sent: Collection[str], required: Collection[str] = ()
) -> str:
    """Return the field that an undeclared member of a request was probably meant to be.

    The result is empty if the name resembles no field, or only one that was `sent` as well. A name
    that adds words to a known one, or has another letter for a word, is another field:
    `safety_checker_type` is not a misspelt `safety_checker`, nor `top_p` a misspelt `top_k`. A
    short name with another letter, or two swapped, is another word, unless the field is `required`:
    `sead` and `seed`, `from` and `form`.
    """
    if not declared or name in declared or name in UNDECLARED:
        return ""
    candidates = [field for field in (*UNDECLARED, *declared) if field not in sent]
    known = {_plain(field): field for field in candidates}
    near = nearest(_plain(name), known, ALIKE)
    if not near:
        return ""
    field = known[near[0]]
    is_word = field not in required and _is_other_word(name, field)
    return "" if is_word or _is_other(name, field) else field


def misspelt_fields(
    declared: Collection[str], body: Collection[str], required: Collection[str] = ()
) -> Iterator[Misspelt]:
    """Yield the fields of a body that were probably meant to be declared ones."""
    for name in body:
        meant = meant_field(name, declared, body, required)
        if meant:
            yield Misspelt(ascii(hide_tokens(name[:400])[:60])[1:-1], meant)


def _is_other_word(name: str, known: str) -> bool:
    """Return True for two short names of one length: `date` and `data`, `from` and `form`."""
    plain, plain_known = _plain(name), _plain(known)
    return len(plain) == len(plain_known) <= SHORT and plain != plain_known


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _is_other(name: str, known: str) -> bool:
    words, known_words = set(name.split("_")), set(known.split("_"))
    others = (words - known_words, known_words - words)
    is_by_letter = all(any(len(word) == 1 for word in some) for some in others)  # top_p, top_k
    return name.startswith(f"{known}_") or known_words < words or is_by_letter
