"""All mutants, by name."""

from __future__ import annotations

from collections.abc import Mapping

from mutants.breaks_bodies import BODY_MUTANTS
from mutants.breaks_effects import EFFECT_MUTANTS
from mutants.breaks_lifecycle import LIFECYCLE_MUTANTS
from mutants.breaks_replies import REPLY_MUTANTS
from mutants.breaks_requests import REQUEST_MUTANTS
from mutants.mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]

_TABLES = (REQUEST_MUTANTS, BODY_MUTANTS, REPLY_MUTANTS, LIFECYCLE_MUTANTS, EFFECT_MUTANTS)
MUTANTS: Mapping[str, Mutant] = {name: mutant for table in _TABLES for name, mutant in table.items()}
