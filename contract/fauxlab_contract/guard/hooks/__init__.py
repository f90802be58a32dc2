"""One module for each HTTP library that the guard can watch.

`watch.py` says what a hook must do.
"""

from __future__ import annotations

__all__: list[str] = []
