"""All mutants, by name."""

from __future__ import annotations

from collections.abc import Mapping

from mutants.breaks_bodies import BODY_MUTANTS
from mutants.breaks_effects import EFFECT_MUTANTS
from mutants.breaks_lifecycle import LIFECYCLE_MUTANTS
from mutants.breaks_replies import REPLY_MUTANTS
from mutants.breaks_requests import REQUEST_MUTANTS
from mutants.mutant import Mutant

__all__ = ["ARGUABLE", "MUTANTS", "Mutant"]

_TABLES = (REQUEST_MUTANTS, BODY_MUTANTS, REPLY_MUTANTS, LIFECYCLE_MUTANTS, EFFECT_MUTANTS)
MUTANTS: Mapping[str, Mutant] = {
    name: mutant for table in _TABLES for name, mutant in table.items()
}

# Mutants that the list of mutants, HTTP or good sense calls broken while the document is silent or
# would let them pass.
ARGUABLE: Mapping[str, str] = {
    "S42": "the document warns that an event may arrive twice",
    "S46.text": "the document takes text beside a number",
    "S24.constant": "an estimate may be a poor one",
    "S31.same-inputs": "a server might mean it as a cache",
    "S36.tells": "no document says that a stranger's job looks like an unknown one",
    "S36.id": "as above",
    "S38.promptless": "only the seed is said to matter",
    "S38.faceless": "as above",
    "S40.empty": "an empty text is a text",
    "S40.key-empty": "as above",
    "E02": "only prose says that a future link is dead before the end",
    "E05.host": "the document asks for a URI on any host",
    "E07": "HTTP, not the document, says what HEAD is",
    "S47.no-allow": "as above",
    "S47.wrong-path": "as above",
}
