"""Optional progress bar (needs tqdm)."""

from __future__ import annotations

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
