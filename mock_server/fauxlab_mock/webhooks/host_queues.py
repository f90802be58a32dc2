"""Tasks in a few threads: in order for each host, side by side for different hosts."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

__all__ = ["HostQueues"]


class HostQueues:
    """A queue of tasks for each host, worked off by at most `most` threads of one name.

    A host never has two threads at the same time. Threads live while there is something to do.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name, self._most = name, most
        # of each host that has a task, or whose task is being done
        self._queues: dict[str, deque[Callable[[], object]]] = {}
        self._ready: deque[str] = deque()  # the hosts among them that no thread is working for
        self._threads: list[threading.Thread] = []
        self._working = 0  # threads that will look for another task; the others are about to end
        self._lock = threading.Lock()

    def do(self, host: str, task: Callable[[], object]) -> None:
        """Do a task after those that its host has already."""
        with self._lock:
            if host in self._queues:
                self._queues[host].append(task)
                return
            self._queues[host] = deque([task])
            self._ready.append(host)
            self._start()

    def join(self, within_s: float) -> None:
        """Wait for the threads, for each at most `within_s` real seconds."""
        with self._lock:
            threads = [*self._threads]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(within_s)

    def _start(self) -> None:
        if self._ready and self._working < self._most:
            self._working += 1
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads = [*(other for other in self._threads if other.is_alive()), thread]
            thread.start()

    def _work(self) -> None:
        try:
            while (host := self._next()) is not None:
                try:
                    self._queues[host].popleft()()
                finally:
                    self._leave(host)
        except BaseException:
            with self._lock:
                self._working -= 1
                self._start()  # another goes on
            raise

    def _next(self) -> str | None:
        with self._lock:
            if self._ready:
                return self._ready.popleft()
            # in the same step, so that a task which comes now gets another thread
            self._working -= 1
            return None

    def _leave(self, host: str) -> None:
        with self._lock:
            if self._queues[host]:
                self._ready.append(host)
            else:
                del self._queues[host]
