"""An interruption at every instant: an exception between any two instructions of the package, as a signal raises it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import riskkit

PACKAGE = str(Path(riskkit.__file__).parent)


class Countdown:
    """A trace function that raises `error` at the instruction of a number, counted in the package only."""

    def __init__(self, instant: int, error: type[BaseException]) -> None:
        self.left, self.error = instant, error

    def __call__(self, frame: Any, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            self.left -= 1
            if self.left < 0:
                sys.settrace(None)
                raise self.error
        return self


def interrupted(call: Callable[[], Any], instant: int, error: type[BaseException] = KeyboardInterrupt) -> bool:
    """Call, with an exception at an instruction; return whether the call had so many."""
    before = sys.gettrace()
    sys.settrace(Countdown(instant, error))
    try:
        call()
    except error:
        return True
    finally:
        sys.settrace(before)
    return False


def interruptions(
    make: Callable[[], Any], call: Callable[[Any], Any], step: int = 1, error: type[BaseException] = KeyboardInterrupt
) -> Iterator[Any]:
    """The object after a call that was interrupted at its first instruction, at the next, ...: a new object each time."""
    instant = 0
    while True:
        made = make()
        if not interrupted(lambda made=made: call(made), instant, error):  # type: ignore[misc]
            return
        yield made
        instant += step
