"""Things to do in lanes: in order within each, side by side with those of other lanes, in a few
threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

__all__ = ["HostQueues"]


class HostQueues:
    """At most `most` threads with this name, which live while there is something to do, take turns
    at the lanes.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name, self._most = name, most
        # of each lane that has something to do, or is doing it
        self._queues: dict[str, deque[Callable[[], object]]] = {}
        self._ready: deque[str] = deque()  # those of them that no thread is at
        self._threads: list[threading.Thread] = []
        self._working = 0  # of them; the others are about to end
        self._lock = threading.Lock()

    def do(self, lane: str, task: Callable[[], object]) -> None:
        """Do it after what the lane has to do already."""
        with self._lock:
            if lane in self._queues:
                self._queues[lane].append(task)
                return
            self._queues[lane] = deque([task])
            self._ready.append(lane)
            self._start()

    def join(self, within_s: float) -> None:
        """Wait for the threads, each so many real seconds at most."""
        with self._lock:
            threads = [*self._threads]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(within_s)

    def _start(self) -> None:
        if self._ready and self._working < self._most:
            self._working += 1
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            thread.start()

    def _work(self) -> None:
        try:
            while (lane := self._next()) is not None:
                try:
                    self._queues[lane].popleft()()
                finally:
                    self._leave(lane)
        except BaseException:
            with self._lock:
                self._working -= 1
                self._start()  # another goes on
            raise

    def _next(self) -> str | None:
        with self._lock:
            if self._ready:
                return self._ready.popleft()
            self._working -= 1  # in the same step: who comes later needs another thread
            return None

    def _leave(self, lane: str) -> None:
        with self._lock:
            if self._queues[lane]:
                self._ready.append(lane)
            else:
                del self._queues[lane]
