"""A call in which a rule failed, or that was interrupted half way, is undone: its events are none of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from riskkit._check import InputError
from riskkit._files import words_of

NO_MORE = "the session takes no more events: close it and open its folder again"
INTERRUPTED = "a call was interrupted half way"


class RulesFailed(InputError):
    """A rule failed while an engine took events; it may have taken some of them."""


@contextmanager
def rules_at_work() -> Iterator[None]:
    """What a rule raises is that the rules failed; what is refused in our own words stays as it is."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise RulesFailed(f"the rules failed: {words_of(error)}") from error


def take_back(session: Any, size: int, labels: Sequence[int], error: BaseException) -> None:
    """Go back to the events before a call that failed, and to so many labels; not if it was interrupted when it was made."""
    live = session.engine
    fails = isinstance(error, RulesFailed) or (live.size != size and isinstance(error, Exception))
    untouched = live.size == size and live.begun < 0
    if fails or untouched or live.begun >= 0:
        live.labels.shrink(labels)
    if isinstance(error, Exception) and fails:
        why = str(error) if isinstance(error, RulesFailed) else f"the rules failed: {words_of(error)}"
        goes_on = untouched or _back_to(session, size, why)
        raise InputError(f"{why}; {'the event was not taken' if goes_on else NO_MORE}") from error
    undo_half(session)


def undo_half(session: Any) -> None:
    """Go back to the events before a call that Ctrl-C has left half done; of plain rules, for a compiled step is never left so."""
    if session.engine.begun >= 0:
        _back_to(session, session.engine.begun, INTERRUPTED)


def undo_change(session: Any, before: Any, size: int) -> None:
    """Go back to the engine before a change of rules, if the command that makes it is none of the journal or half done."""
    live = session.engine
    if live.begun >= 0 or (live is not before and live.size == size):
        _back_to(session, size, INTERRUPTED, before)


def _back_to(session: Any, size: int, why: str, engine: Any = None) -> bool:
    """Go back; a session that cannot (its first events are forgotten, or the rules fail again) takes no more.

    Its folder has all that was answered.
    """
    try:
        live = (session.engine if engine is None else engine).before(size)
    except Exception:
        session.stop(f"{why}; {NO_MORE}")
        return False
    session._swap(live, session._entries.in_universe(live.labels))
    return True
