"""The limits of CME Globex."""

from __future__ import annotations

from typing import Any

from riskkit._check import Amount, Duration
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.durations import duration


def cme(*, reject_mps: int = 500, logout_mps: int = 750, window: Duration = "3s", scope: str = "session") -> RuleSet:
    """CME Globex messaging controls: average rate over a window that starts with its first message.

    More than ``reject_mps`` times the window's seconds: a message is rejected; more than ``logout_mps`` times: the
    session is logged out. Rejected messages count.

    Parameters
    ----------
    reject_mps, logout_mps : int
        Messages per second.
    window : str or int
        Length of the window.
    scope : str
        ``session`` limits each connection; use ``account`` for a log without connections.

    References
    ----------
    CME Group, Client Systems Wiki, Messaging Controls (500 and 750 messages a second over three seconds).

    Examples
    --------
    >>> cme()[0].type
    'message_level'
    """
    params: dict[str, Any] = {"reject_mps": reject_mps, "logout_mps": logout_mps, "window_ns": window}
    return rule_set(entry("messages", "message_level", scope, **params))


def cme_prices(
    *, variation: Amount = 2, limit: Amount | None = "0.07", move: Amount | None = None, window: Duration = "1s"
) -> RuleSet:
    """CME Globex price controls: banding, the daily limit, and velocity.

    A bid above the last price by more than the variation is rejected, an offer below it likewise; the other side and market orders
    are not. Both sides stay within the limit of the settlement. What moves too far within a time is refused (the venue reserves).

    Parameters
    ----------
    variation : price
        Of banding, in money of one unit; the source has one for each product.
    limit : fraction, optional
        Largest distance from the settlement (an event of kind ``close``); 7 % is that of equity indices overnight.
    move : price, optional
        Of velocity: largest distance from the lowest and highest trade of the window.
    window : str or int
        Length of that window.

    References
    ----------
    CME Group, Client Systems Wiki, GCC Price Banding and Velocity Logic; CME Group, Understanding price limits.

    Examples
    --------
    >>> [rule.id for rule in cme_prices(move=6)]
    ['banding', 'price_limit', 'velocity']
    """
    length = duration(window, "window")
    daily: dict[str, Any] = {"pct": limit, "reference": "close", "on_missing_price": "allow"}
    banding: dict[str, Any] = {"variation": variation, "sides": "aggressive", "on_missing_price": "allow"}
    return rule_set(
        entry("banding", "price_band", "instrument", **banding),
        entry("price_limit", "price_band", "instrument", **daily) if limit is not None else None,
        entry("velocity", "velocity", "instrument", max_move=move, window_ns=length) if move is not None else None,
    )
