"""A call in which a rule failed is undone: what was not judged has not passed, and is no event of the journal."""

from __future__ import annotations

from typing import Any

from riskkit._check import InputError
from riskkit._files import words_of


def undone(session: Any, size: int, error: Exception) -> InputError:
    """Go back to the events before a call, by a replay of them, and say what failed.

    A session that has forgotten its first events cannot: it takes no more, and its folder has all that was answered.
    """
    why = f"the rules failed: {words_of(error)}"
    try:
        live = session.engine.before(size)
    except InputError:
        stopped = f"{why}; the session takes no more events: close it and open its folder again"
        session.stop(stopped)
        return InputError(stopped)
    session._swap(live, session._entries.in_universe(live.labels))
    return InputError(f"{why}; the event was not taken")
