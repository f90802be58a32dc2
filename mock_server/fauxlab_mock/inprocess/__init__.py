"""Answer HTTP libraries in process, and refuse connections to other machines.

HTTP libraries are imported only if the program under test has them.
"""

from __future__ import annotations

from fauxlab_mock.inprocess.interception import intercepted
from fauxlab_mock.inprocess.no_network import BlockedError

__all__ = ["BlockedError", "intercepted"]
