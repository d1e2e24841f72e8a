"""A session under watch: the same calls, the same answers, and alerts raised of what it decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from riskkit.desk.alerts.decisions import engine_of
from riskkit.replay.columns import Kind

__all__ = ["Watched"]

DECIDING = ("tick", "reset_daily", "reset_breaker", "pause", "resume", "command")
WITHOUT_ID = (int(Kind.EXPIRY), int(Kind.CONTROL))


class Watched:
    """Stands for a `LiveSession` or `RiskEngine`: every attribute is that of the session.

    What decides (``process_...``, ``tick``, ``pause``, ...) is called on the session as it is; of what it answers
    alerts are raised, and the same answer is returned. Calls of many threads are taken one after the other, so that
    alerts come in the order of the journal.

    Parameters
    ----------
    session : LiveSession or RiskEngine
    take : function of session, actions and {event number: trade id}
        Never raises.
    """

    def __init__(self, session: Any, take: Callable[[Any, Any, dict[int, str]], Any]) -> None:
        self._session = session
        self._take = take
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if not (name.startswith("process_") or name in DECIDING):
            return found

        def decide(*arguments: Any, **fields: Any) -> Any:
            with self._lock:
                first = engine_of(self._session).size
                actions = found(*arguments, **fields)
                ids = trade_ids(self._session, first, ids_in(arguments, fields)) if actions else {}
                self._take(self._session, actions, ids)
                return actions

        decide.__name__, decide.__doc__ = name, found.__doc__
        self.__dict__[name] = decide
        return decide

    def __len__(self) -> int:
        return len(self._session)


def ids_in(arguments: tuple[Any, ...], fields: dict[str, Any]) -> list[Any]:
    """The id of the trade, or else of the order, of each message of one call."""
    if "orders" in fields:
        return [order.get("order_id") for order in fields["orders"]]
    if arguments:  # an order or a trade of the short form
        return [getattr(arguments[0], "tid", getattr(arguments[0], "oid", None))]
    trade = fields.get("trade_id")
    return [fields.get("order_id") if trade is None else trade]


def trade_ids(session: Any, first: int, ids: list[Any]) -> dict[int, str]:
    """Which event of the journal, from number `first` on, has which id."""
    engine = engine_of(session)
    messages = [seq for seq in range(first, engine.size) if engine.row(seq)["kind"] not in WITHOUT_ID]
    return {seq: str(one) for seq, one in zip(messages, ids, strict=False) if one is not None}
