"""A bar over long work, where one is wanted and tqdm is installed; else the work as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["with_bar"]


def with_bar(
    steps: Iterable[Any], what: str, *, total: int | None = None, unit: str = "it", wanted: bool | None = True
) -> Any:
    """The same steps behind a bar that leaves nothing behind.

    Parameters
    ----------
    steps : iterable
        The work.
    what, unit : str
        What the bar says of it.
    total : int, optional
        How many steps there are, where `steps` does not know.
    wanted : bool or None
        True: always; False: never; None: only on a terminal.
    """
    if wanted is False:
        return steps
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return steps
    return tqdm(steps, desc=what, total=total, unit=unit, leave=False, disable=None if wanted is None else False)
