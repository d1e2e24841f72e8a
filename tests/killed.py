"""Writers that are forked and killed with SIGKILL; for programs that tests run as processes of their own.

A writer tells through a pipe what it has done, a number at a time, and is killed at any moment, or kills itself at a place in
its work that `deadly` chooses.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import time
from collections.abc import Callable
from typing import Any

NUMBER = struct.Struct("<q")
write_pipe = os.write  # the real one, whatever a writer does to its own


def tell(pipe: int, number: int) -> None:
    """Tell the process that will ask."""
    write_pipe(pipe, NUMBER.pack(number))


def deadly(left: list[int], call: Callable[..., Any], dying: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A call that kills this process, after `dying`, when none of the calls in `left` is left; several may share these."""

    def called(*args: Any) -> Any:
        left[0] -= 1
        if left[0]:
            return call(*args)
        if dying is not None:
            dying(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    return called


def last_told(write: Callable[[int], None], draw: random.Random, *, at_any_time: bool) -> int | None:
    """What a writer told last before it was killed: at any time, or by itself; None if nothing."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        write(writable)
    os.close(writable)
    told = b""
    if at_any_time:
        told = b"".join(os.read(readable, NUMBER.size) for _ in range(1 + draw.randrange(9)))
        time.sleep(draw.random() * 0.01)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"a writer ended by itself: {status}"
    while chunk := os.read(readable, 65_536):
        told += chunk
    os.close(readable)
    whole = len(told) // NUMBER.size * NUMBER.size
    return NUMBER.unpack(told[whole - NUMBER.size : whole])[0] if whole else None
