"""What is said to a person who waits for more than a second: a progress bar (needs tqdm), or one line on stderr.

Nothing is said to a program, to a stored page, or where RISKKIT_QUIET is set.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 1.0  # seconds that nobody minds


def with_bar(
    steps: Iterable[T], what: str, *, total: int | None = None, unit: str = "it", wanted: bool | None = None
) -> Iterable[T]:
    """Wrap `steps` in a progress bar that disappears at the end; without tqdm the steps are returned as they are.

    Parameters
    ----------
    steps : iterable
        Items to yield.
    what, unit : str
        Label of the bar, and name of one step.
    total : int, optional
        Number of steps, if `steps` has no length.
    wanted : bool or None
        True shows the bar, False does not, None shows it after a second to a person who waits.
    """
    if wanted is False or (wanted is None and not waits()):
        return steps
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return steps
    bar: Iterable[T] = tqdm(
        steps, desc=what, total=total, unit=unit, leave=False, delay=0 if wanted else AT_ONCE, disable=False
    )
    return bar


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A block that says what it does if it takes more than a second and a person waits.

    Examples
    --------
    >>> with waiting("fitting 3 windows"):
    ...     found = sum(range(3))
    """
    if not waits():
        yield
        return
    timer = threading.Timer(AT_ONCE, say, [what])
    timer.daemon = True  # never keeps a process alive
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def say(line: str) -> None:
    """Print one line on stderr if a person waits."""
    if waits():
        print(f"riskkit: {line}", file=sys.stderr, flush=True)


def waits() -> bool:
    """True at a terminal or in a notebook, unless RISKKIT_QUIET is set."""
    if os.environ.get("RISKKIT_QUIET"):
        return False
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel") or (sys.stderr is not None and sys.stderr.isatty())
