"""What is said to a person who waits: an optional progress bar (needs tqdm), or one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def with_bar(
    steps: Iterable[T], what: str, *, total: int | None = None, unit: str = "it", wanted: bool | None = True
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
        True shows the bar, False does not, None shows it only on a terminal.
    """
    if wanted is False:
        return steps
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return steps
    bar: Iterable[T] = tqdm(
        steps, desc=what, total=total, unit=unit, leave=False, disable=None if wanted is None else False
    )
    return bar


def say(line: str) -> None:
    """Print one line on stderr if a person waits: at a terminal or in a notebook, unless RISKKIT_QUIET is set."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    waits = hasattr(shell, "kernel") or (sys.stderr is not None and sys.stderr.isatty())
    if waits and not os.environ.get("RISKKIT_QUIET"):
        print(f"riskkit: {line}", file=sys.stderr, flush=True)
