"""A call in which a rule failed, or that was interrupted half way, is undone: its events are none of the journal."""

from __future__ import annotations

from typing import Any

from riskkit._check import InputError
from riskkit._files import words_of

NO_MORE = "the session takes no more events: close it and open its folder again"
INTERRUPTED = "a call was interrupted half way"


def undone(session: Any, size: int, error: Exception) -> InputError:
    """Go back to the events before a call, by a replay of them, and say what failed."""
    why = f"the rules failed: {words_of(error)}"
    return InputError(f"{why}; {'the event was not taken' if _back_to(session, size, why) else NO_MORE}")


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
    """Go back; a session that has forgotten its first events cannot: it takes no more, and its folder has all that was answered."""
    try:
        live = (session.engine if engine is None else engine).before(size)
    except InputError:
        session.stop(f"{why}; {NO_MORE}")
        return False
    session._swap(live, session._entries.in_universe(live.labels))
    return True
