"""What is given where a log is needed: a log, or a sentence that names the call that was meant."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from riskkit._check import InputError, instance, shown
from riskkit.replay.log.event_log import EventLog

Function = TypeVar("Function", bound=Callable[..., Any])


def needs_a_log(function: Function) -> Function:
    """Refuse a first argument that is no log before Python counts the others: `calibrate(pnl)` lacks more than rules.

    Examples
    --------
    >>> @needs_a_log
    ... def first_event(log, rules): ...
    >>> first_event("orders.csv")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: log is the text 'orders.csv'; read the file first: riskkit.read_log('orders.csv')
    """
    return _checked(function, check_log)


def needs_a_log_or_its_file(function: Function) -> Function:
    """The same for a function that takes the path of a stored log, too."""
    return _checked(function, lambda log: None if isinstance(log, (str, Path)) else check_log(log))


def _checked(function: Function, check: Callable[[Any], None]) -> Function:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if args or "log" in options:
            check(args[0] if args else options["log"])
        return function(*args, **options)

    return cast(Function, call)


def check_log(given: Any) -> None:
    """Refuse all but an `EventLog`, with the call that fits what came."""
    if isinstance(given, EventLog):
        return
    if isinstance(given, (str, Path)):
        raise InputError(f"log is the text {shown(str(given))}; read the file first: riskkit.read_log({str(given)!r})")
    what = type(given).__name__
    if hasattr(given, "columns"):
        raise InputError(f"log is a {what}; a table of events becomes a log by riskkit.EventLog.from_frame(table)")
    if _numbers(given):
        raise InputError(
            f"log is a {what} of numbers, which holds no orders; P&L of days alone chooses a daily loss limit: "
            "riskkit.sweeps.calibrate_loss_limit(pnl, rng=numpy.random.default_rng(1))"
        )
    instance(given, EventLog, "log")


def _numbers(given: Any) -> bool:
    if isinstance(given, (dict, set)) or not hasattr(given, "__len__"):
        return False
    try:
        return np.asarray(given).ndim == 1 and np.asarray(given, dtype=np.float64).size > 0
    except (TypeError, ValueError):
        return False
