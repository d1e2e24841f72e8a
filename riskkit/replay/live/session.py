"""A live session by labels: orders, fills and prices in, actions out, each event journaled.

Fields are labels, Decimals and Timestamps; each event is converted by the rules of a frame's row
(`riskkit.replay.ingest.event`), then decided by the loop of a replay (`riskkit.replay.live.engine`). A replay of `Session.log`
gives the same decisions, to the bit. Bad input raises an error and changes nothing. No clock is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.live.open_session import open_session
from riskkit.replay.rules.ruleset import RuleSet


class Session(LiveSession):
    """Rules over live events by labels.

    Parameters
    ----------
    rules : RuleSet
        In their declared order.
    universe : Universe
        Accounts, instruments and units; those of a log are ``log.universe``; see also `Session.create`.
    mode, orphans, on_trip : str
        As in `replay_log`; by default shadow, in which every order passes and the decisions name those that would not.
        In enforce mode the caller sends only events that were allowed.
    on_bad_order : {"raise", "flag"}
        As in `EventLog.from_frame`: "flag" keeps an order with a bad or off-grid price or quantity for the rule
        ``lot_tick`` to check (off-grid up to the instrument's price_step and qty_step).
    rounding : {"refuse", "nearest"}
        As in `EventLog.from_frame`: treatment of a number between two ticks, lots or units of money.
    order_ids, unknown_orders : str
        As in `EventLog.from_frame`: within what ids are unique, and what becomes of orders from before the session.
    ts_policy : {"raise", "reject", "clamp"}
        Treatment of an event earlier than the previous one: an error; an event that is journaled, counted and changes
        nothing; or the time of the previous event.
    auto_register : Instrument, optional
        None: an undeclared account or instrument is refused. Otherwise it is registered at its first event: accounts
        open empty, instruments in the units of this one (not listed, for the rule ``known_instrument``). Strategies and
        connections are always registered.
    four_eyes : bool
        True: other limits and rules need a second person, ``approved_by``.
    shadow : mapping of str to RuleSet
        Challengers: rule sets that are judged on the same events and decide nothing (`challengers`, `promote`).
    compiled : bool, "auto" or "generic"
        "auto" takes the compiled loop of these rules if it is kept from before, else that of the whole catalogue, which
        starts at once and takes twice as long an event. True compiles the loop of these rules first, which takes seconds;
        False runs them as plain Python.

    Examples
    --------
    >>> from riskkit import Instrument, Rule
    >>> from riskkit.rules import OrderRate
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=1, window_ns="1s"))])
    >>> session = Session.create(rules, [Instrument("X")], ["A"], compiled=False)
    >>> order = {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": "10.50"}
    >>> session.process_order(ts=0, **order)
    []
    >>> for action in session.process_order(ts=999_999_999, **order):
    ...     print(action.action, action.observed, action.limit, action.headroom)
    ...     print(action.reason)
    REJECT 2 1 -1
    the order is refused by rate (at most 1 message (orders, order lists) in any 1 s, rejected ones do not
    count): observed 2, limit 1.
    """

    @classmethod
    def open(cls, folder: str | Path, rules: RuleSet, *declared: Any, **options: Any) -> JournaledSession:
        """Open a session whose journal is in a folder, or begin one: `riskkit.replay.live.open_session.open_session`."""
        return open_session(folder, rules, *declared, **options)
