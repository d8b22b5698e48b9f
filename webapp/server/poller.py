"""Waiting for descriptors by many threads at once, each of which is told of one that no other thread is told of."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from typing import Protocol


class Poller(Protocol):
    """Tells once that a descriptor can be read (or has ended); then it has to be watched anew."""

    def watch(self, descriptor: int, *, anew: bool) -> None:
        """`anew`: it has been watched before. Raises OSError where it has been forgotten or closed since."""

    def watch_always(self, descriptor: int) -> None:
        """Tell every thread, each time that it asks, as long as the descriptor can be read."""

    def forget(self, descriptor: int) -> None:
        """Raises OSError where it has not been watched."""

    def next(self) -> int:
        """Wait for a descriptor."""


if sys.platform == "linux":

    class _Epoll:
        _ONCE = select.EPOLLIN | select.EPOLLONESHOT

        def __init__(self) -> None:
            self._epoll = select.epoll()

        def watch(self, descriptor: int, *, anew: bool) -> None:
            try:
                (self._epoll.modify if anew else self._epoll.register)(descriptor, self._ONCE)
            except FileExistsError:  # watched under the number of one that was closed at that moment
                self._epoll.modify(descriptor, self._ONCE)

        def watch_always(self, descriptor: int) -> None:
            self._epoll.register(descriptor, select.EPOLLIN)

        def forget(self, descriptor: int) -> None:
            self._epoll.unregister(descriptor)

        def next(self) -> int:
            while True:
                for descriptor, _ in self._epoll.poll(maxevents=1):
                    return descriptor

    make_poller: Callable[[], Poller] = _Epoll

else:

    class _Kqueue:
        _ONCE = select.KQ_EV_ADD | select.KQ_EV_ONESHOT

        def __init__(self) -> None:
            self._kqueue = select.kqueue()

        def watch(self, descriptor: int, *, anew: bool) -> None:
            self._change(descriptor, self._ONCE)

        def watch_always(self, descriptor: int) -> None:
            self._change(descriptor, select.KQ_EV_ADD)

        def forget(self, descriptor: int) -> None:
            self._change(descriptor, select.KQ_EV_DELETE)

        def next(self) -> int:
            while True:
                for event in self._kqueue.control(None, 1):
                    return event.ident

        def _change(self, descriptor: int, flags: int) -> None:
            self._kqueue.control([select.kevent(descriptor, select.KQ_FILTER_READ, flags)], 0)

    make_poller: Callable[[], Poller] = _Kqueue
