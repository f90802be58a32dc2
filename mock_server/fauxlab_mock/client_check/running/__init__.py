"""How the calls of a client are made: in which thread, for how long, and what each leaves behind.

`run_call.perform` puts them together.
"""

from __future__ import annotations

__all__: list[str] = []
