"""Small words for messages: counts, long texts made short, and what a wrong name may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = [
    "counted",
    "cut",
    "did_you_mean",
    "either",
    "must_be",
    "nearest",
    "no_such",
    "not_one_of",
    "number",
]

EXACT = 2**53  # below it a float holds each whole number
SHORT = 4  # letters of a name: one changed letter of five leaves two names alike by 0.8


def either(words: Sequence[str]) -> str:
    """`["a", "b", "c"]` -> "a, b or c"."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def counted(number: int, plural: str) -> str:
    """Return a number with its noun: `1 call`, `2 calls`."""
    noun = plural.removesuffix("s") if number == 1 else plural
    return f"{number} {noun}"


def number(value: object) -> str:
    """Return a number as people write it: 64 for 64.0, 0.1 for 0.1."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < EXACT
    return f"{value:.0f}" if is_whole else str(value)


def cut(text: str, most: int) -> str:
    """Return `text`, or its beginning and three dots, in at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def must_be(name: str, wanted: str, came: object) -> str:
    """Return `document must be …, not 'api.yaml'`, for a value of a wrong type.

    Only texts are repeated: what another value shows may hold a key.
    """
    told = f"{came[:80]!a}" if isinstance(came, str) else f"a value of type {type(came).__name__}"
    return f"{name} must be {wanted}, not {told}"


def nearest(name: str, known: Iterable[str], alike: float = 0.6, most: int = 1) -> list[str]:
    """Return the known names that resemble `name`, whatever its case, the most alike first.

    `alike` says how much, from 0 (not at all) to 1 (the same). guidence_scale and guidance_scale
    are alike by 0.93, prompt and enhance_prompt by 0.6. In a short name one slip weighs too much
    for that: `sead` is like `seed`, and `kye` like `key`, whatever `alike` says.
    """
    from difflib import get_close_matches  # needed only after a mistake

    names = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), names, n=most, cutoff=alike)
    near += [each for each in names if each not in near and _is_one_slip(name.lower(), each)]
    return [names[each] for each in near[:most]]


def _is_one_slip(name: str, known: str) -> bool:
    """Return True for a short name with two letters swapped, or one after the first changed.

    With three letters, changed ones make other names.
    """
    if len(name) != len(known) or not 3 <= len(name) <= SHORT:
        return False
    pairs = zip(name, known, strict=True)
    at = [place for place, (one, other) in enumerate(pairs) if one != other]
    if not at or not (name + known).isalpha():
        return False
    first, last = at[0], at[-1]
    if len(at) == 1:
        return first > 0 and len(name) == SHORT
    return last == first + 1 and name[first : last + 1] == known[last] + known[first]


def did_you_mean(name: str, known: Iterable[str], alike: float = 0.6, most: int = 1) -> str:
    """Return `did you mean a or b?`, or `there are a, b, c` if `name` resembles none of them."""
    names = list(known)
    near = nearest(name, names, alike, most)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are {', '.join(names)}"


def no_such(kind: str, name: str, known: Iterable[str]) -> str:
    """Return `there is no phase 'pictres'; did you mean pictures?`, or the list of all."""
    return f"there is no {kind} {name[:40]!a}; {did_you_mean(name[:200], known)}"


def not_one_of(text: str, names: Sequence[str]) -> str:
    """Return `cannot be 'fial'; did you mean failed?`, or `must be one of a, b, not 'x'`."""
    near = nearest(text[:200], names)
    if near:
        return f"cannot be {text[:80]!a}; did you mean {near[0]}?"
    return f"must be one of {', '.join(names)}, not {text[:80]!a}"
