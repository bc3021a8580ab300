"""Handling of Ctrl-C during a solve.

Python raises KeyboardInterrupt wherever the main thread is. Inside a callback, such as that of JAX in the garbage collector, the
exception is printed and lost; inside JAX itself it may leave a setting changed. Therefore an interrupt is stored and raised before the
search evaluates the objective. While JAX compiles and computes, it is only stored; a second interrupt is raised immediately.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """A context in which no interrupt is lost.

    It calls the handler of SIGINT that is there, and keeps what that raises: a program that handles the signal in another way, or
    ignores it, goes on to do so. Signals reach the main thread alone, and in others this does nothing.
    """

    def __init__(self) -> None:
        self._remembered: BaseException | None = None
        self._waits = False
        self._previous: Callable[[int, FrameType | None], Any] | None = None

    def __enter__(self) -> Interrupts:
        """Begin to watch."""
        previous = signal.getsignal(signal.SIGINT)
        if callable(previous) and threading.current_thread() is threading.main_thread():
            self._previous = previous
            try:
                signal.signal(signal.SIGINT, self._handle)
            except ValueError:  # not the main interpreter
                self._previous = None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Put the handler back, and raise what was remembered."""
        self._waits = False
        if self._previous is not None and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self._previous)
        if self._remembered is not error:
            self.check()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._previous is None:
            return
        try:
            self._previous(number, frame)
        except BaseException as error:
            is_first = self._remembered is None
            self._remembered = error
            if not (self._waits and is_first):
                raise

    def check(self) -> None:
        """Raise what was remembered, if anything was."""
        if self._remembered is not None:
            error, self._remembered = self._remembered, None
            raise error

    @contextmanager
    def waiting(self, waits: bool) -> Iterator[None]:
        """Let interrupts wait for the next check, or for the end of this context."""
        before, self._waits = self._waits, waits or self._waits
        try:
            yield
        finally:
            self._waits = before
        self.check()
