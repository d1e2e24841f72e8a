"""The calls of a live session: one for each kind of event, one for many events, and those of time and commands."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from riskkit._check import InputError
from riskkit.replay.ingest.actions import adjust_row, funding_row, roll_rows, transfer_rows
from riskkit.replay.ingest.combos import combo_fields, leg_orders
from riskkit.replay.ingest.credits import credit_row, reservation_text
from riskkit.replay.ingest.dividends import dividend_row
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.fields import ORIGIN, given_fields, orders_of
from riskkit.replay.ingest.multipliers import multiplier_row
from riskkit.replay.ingest.phases import phase_row
from riskkit.replay.ingest.rates import rate_row
from riskkit.replay.ingest.rows import DEFAULTS, Row
from riskkit.replay.ingest.snapshots import snapshot_orders, snapshot_positions, snapshot_rows
from riskkit.replay.ingest.splits import split_row
from riskkit.replay.live.batch import Batch, process
from riskkit.replay.live.column_door import ColumnDoor
from riskkit.replay.live.door import SHORT
from riskkit.replay.live.signed import SIGNED
from riskkit.replay.results.decisions import Decision
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.names import name_text

Rows = list[Row]


class SessionCalls(ABC):
    """What a `riskkit.replay.live.session.Session` is told; each call takes one event, or refuses it whole."""

    _lock: threading.RLock
    _door: ColumnDoor

    @abstractmethod
    def _submit(
        self,
        ts: Any,
        fields: Mapping[str, Any],
        make: Callable[[Entries, int, int], Rows],
        labels: Sequence[Mapping[str, Any]] = (),
        ids: Sequence[Any] = (),
        untimed: bool = False,
    ) -> list[Decision]:
        """Take an event by the complete conversion."""

    @abstractmethod
    def _holders(self, instrument: int) -> list[int]:
        """The accounts that have had a position or an order in an instrument."""

    @abstractmethod
    def _taken(self, used: int) -> list[Decision]:
        """The decisions on the event that the door took last."""

    # ------------------------------------------------------------------ events

    def process_order(
        self,
        /,
        ts: Any,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        qty: Any = None,
        price: Any = None,
        order_id: Any = None,
        strategy: Any = None,
        connection: Any = None,
        **more: Any,
    ) -> list[Decision]:
        """Process an order and return the actions of the rules (none: it passed).

        Parameters
        ----------
        ts : int or Timestamp
            Time: nanoseconds since the epoch, or a Timestamp with a zone.
        account, instrument, side, qty, price, order_id, strategy, connection
            Labels, B or S, and numbers; id, strategy and connection may be left out.
        **more
            ``legs``, a list of ``instrument``, ``side`` and ``ratio``: a combination, whose leg in X is the order ``order_id/X``;
            ``type`` ("market" and "stop" without a price, "stop_limit", "trailing", "peg"), ``stop`` or ``offset`` of a type that has
            one, ``reduce_only``, ``reserve``, ``parent_id``, ``expires``, ``display``, ``dnr``, ``reference``, ``external``, ``smp_id``,
            and in place of ``qty`` ``quote_qty`` or ``close_position``.

        Returns
        -------
        list of Decision
            REJECT of the order, ALERT, PAUSE or HALT of a rule, RESUME of pauses that ended.

        Raises
        ------
        InputError
            If a field does not fit; the session is unchanged.
        """
        self._lock.acquire()  # faster than a with statement
        try:
            if not more:
                used = self._door.order(ts, account, instrument, side, qty, price, order_id, strategy, connection)
                if used >= 0:
                    return self._taken(used) if used else []
            fields = {"account": account, "instrument": instrument, "side": side, "qty": qty, "price": price, **more}
            if more.get("legs") is not None:
                return self._combination(
                    ts, fields | {"order_id": order_id, "strategy": strategy, "connection": connection}
                )
            given = given_fields(
                "order", fields | {"order_id": order_id, "strategy": strategy, "connection": connection}
            )
            return self._submit(ts, given, lambda e, row, now: [e.order(row, now, **given)])
        finally:
            self._lock.release()

    def _combination(self, ts: Any, fields: Mapping[str, Any]) -> list[Decision]:
        """Process an order of several legs: one message, decided as a list."""
        given = combo_fields(fields)
        return self.process_order_list(ts=ts, account=given.get("account"), orders=leg_orders(given), children=1)

    def process_order_list(
        self, /, *, ts: Any, account: Any, orders: Sequence[Mapping[str, Any]], children: Any = None
    ) -> list[Decision]:
        """Process a list of orders of one account, decided together; it counts for ``children`` messages."""
        if account is not None:
            name_text(account, "account")
        given = orders_of(orders, "order")
        labels = [{"account": account, **order} for order in given]
        ids = [order.get("order_id") for order in given]
        return self._submit(ts, {}, lambda e, row, now: e.order_list(row, now, given, account, children), labels, ids)

    def process_modify(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a change of the order ``order_id``: a new ``qty`` (in all), ``price``, ``stop`` or ``offset``."""
        return self._process(ts, "modify", fields, Entries.modify)

    def process_cancel(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a cancel of the order ``order_id``; it always passes.

        With ``cancel_frees="confirmed"`` the order counts and works on until the venue confirms the cancel (`process_expire`).
        """
        return self._process(ts, "cancel", fields, Entries.cancel)

    def process_trade(
        self,
        /,
        ts: Any,
        order_id: Any = None,
        qty: Any = None,
        price: Any = None,
        trade_id: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        **more: Any,
    ) -> list[Decision]:
        """Process a fill: ``qty``, ``price``, ``order_id`` or ``account``, ``instrument``, ``side``; ``trade_id``, ``fee``.

        A fill with an order id has the account, instrument and side of the order. A fill with the ``trade_id``,
        account, instrument, side and day (UTC) of an earlier one is a duplicate and changes nothing; with another quantity
        or price it is refused.
        """
        self._lock.acquire()
        try:
            if not more:
                used = self._door.fill(ts, order_id, qty, price, trade_id, account, instrument, side)
                if used >= 0:
                    return self._taken(used) if used else []
            fields = {"order_id": order_id, "qty": qty, "price": price, "trade_id": trade_id, "account": account}
            return self._process(ts, "fill", fields | {"instrument": instrument, "side": side, **more}, Entries.fill)
        finally:
            self._lock.release()

    def process_price(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a ``price`` (last price and mark), a ``bid``, an ``ask`` of an ``instrument``."""
        return self._process(ts, "price", fields, Entries.price)

    def process_close(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the previous close or settlement of an ``instrument``: its ``price``."""
        return self._process(ts, "close", fields, Entries.close)

    def process_dividend(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the ex-date of a cash dividend of an ``instrument``: ``amount`` on one unit.

        Holders are paid, shorts pay. The prices of open buys and of open stops to sell fall by the amount to the next lower
        tick, but for orders with ``dnr`` ("do not reduce") and a dividend of less than one cent (FINRA Rule 5330).
        Marks stay as they are until the next price, so that a profit is too high by the dividend in between.
        """
        return self._submit(ts, given := given_fields("dividend", fields), partial(dividend_row, given))

    def process_funding(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a funding of an ``instrument`` at a ``rate``: who is long pays that part of the value of the position."""
        return self._submit(ts, given := given_fields("funding", fields), partial(funding_row, given))

    def process_expiry(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the expiry of an ``instrument`` at a settlement ``price``.

        Positions become cash, working orders end (each is an action), and `AllowedInstruments` refuses orders from then on. It is no
        trade: windows of fills and traded quantities do not count it, and what was filled before is final.
        """
        return self._process(ts, "expiry", fields, partial(Entries.close, kind=EventKind.EXPIRY))

    def process_split(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a split of an ``instrument``: ``ratio`` new units for old ones, as "3/2"; below one a reverse split.

        Positions and prices are counted in new units, fractions of a lot become cash at the mark. ``orders``: "finra" (FINRA Rule
        5330: buys and stops to sell get the lower price and the larger size, in a reverse split they are cancelled, others stay),
        "all" (every one, at the nearest tick), "cancel" or "none". What was filled before is final.
        """
        return self._submit(ts, given := given_fields("split", fields), partial(split_row, given))

    def process_multiplier(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process another ``multiplier`` of an ``instrument``: its positions and working orders are worth so much from now on.

        Quantities and prices stay. What is held goes on at its mark, so that the change itself is no profit; what was filled before is
        final.
        """
        return self._submit(ts, given := given_fields("multiplier", fields), partial(multiplier_row, given))

    def process_phase(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the ``phase`` of trading of an ``instrument`` from now on: continuous, preopen, auction or closed."""
        return self._submit(ts, given := given_fields("phase", fields), partial(phase_row, given))

    def process_roll(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a roll: positions in ``from`` are closed at ``from_price`` and opened in ``to`` at ``to_price``; no trade."""
        given = given_fields("roll", fields)
        named = [{"instrument": given.get(name)} for name in ("from", "to")]
        return self._submit(ts, {}, partial(roll_rows, given, self._holders), named)

    def process_adjust(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process lots that come to an ``account`` (``side`` B) or go (S) without a fill and unpaid: ``instrument``, ``qty``.

        They are booked at their ``price``, and without one at the mark, so that they are no profit.
        """
        return self._submit(ts, given := given_fields("adjust", fields), partial(adjust_row, given))

    def process_transfer(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a transfer of ``qty`` of an ``instrument`` at a ``price``, ``from`` an account ``to`` another one, unpaid."""
        given = given_fields("transfer", fields)
        named = [{"account": given.get(name), "instrument": given.get("instrument")} for name in ("from", "to")]
        return self._submit(ts, {}, partial(transfer_rows, given), named)

    def process_snapshot(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process what the venue says of an ``account`` after a lost connection: afterwards the book is theirs.

        Parameters
        ----------
        ts : int or Timestamp
            Time.
        **fields
            ``account``; ``positions``, a mapping of instruments to quantities (below zero: short); ``orders``, a list of what works:
            mappings with ``order_id``, ``instrument``, ``side``, ``qty`` (the rest) and, unless it is a market order, ``price``.
            A position or an order that is not named is gone.

        Returns
        -------
        list of Decision
            An ALERT for each difference (`riskkit.replay.reconciliation_breaks` is their table), and what rules say.
        """
        given = given_fields("snapshot", fields)
        positions, orders = snapshot_positions(given), snapshot_orders(given)
        account = given.get("account")
        named = [{"account": account, "instrument": label} for label in positions]
        named += [{"account": account, "instrument": order.get("instrument")} for order in orders]
        ids = [*[None] * len(positions), *[order.get("order_id") for order in orders]]
        return self._submit(ts, {}, partial(snapshot_rows, given), named or [{"account": account}], ids)

    def process_fx(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process an exchange rate of a ``pair`` ("EURUSD"): a ``price``, or ``bid`` and ``ask``, for one EUR in USD."""
        return self._submit(ts, given := given_fields("fx", fields), partial(rate_row, given))

    def process_cash(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a cash flow of an ``account``: ``amount``, ``flow`` (deposit, fee, funding, dividend), ``currency``."""
        return self._process(ts, "cash", fields, Entries.cash)

    def process_credit(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a step of a reservation of credit of an ``account``: ``reserve_id`` and ``step``.

        "reserve" asks the rules (`CreditLimit`) for an ``amount`` in a ``currency``; "commit" uses all of it, "rollback" gives it
        back, and "release" gives back an ``amount`` of what is used. What names a reservation that is not there, or is finished, is
        refused (`DecisionCode.ERROR_STATE`). Without such a rule every reserve passes.
        """
        given = given_fields("credit", fields)
        named = None if "reserve_id" not in given else reservation_text(given.get("account", ""), given["reserve_id"])
        return self._submit(ts, given, partial(credit_row, given), ids=[named])

    def process_equity(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the ``equity`` of an ``account`` from outside; it replaces the computed one."""
        return self._process(ts, "equity", fields, Entries.equity)

    def process_closed_trade(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a closed trade: ``account``, ``instrument``, ``side``, ``pnl``, ``ret``, ``exit``."""
        return self._process(ts, "closed trade", fields, Entries.closed_trade)

    def process_ack(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a success of an ``account``, of an order of it with an ``order_id``."""
        return self._process(ts, "ack", fields, partial(Entries.outcome, kind=EventKind.ACK))

    def process_error(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a failure of an ``account``; with an ``order_id``, that order ends."""
        return self._process(ts, "error", fields, partial(Entries.outcome, kind=EventKind.ERROR))

    def process_reject(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the venue's reject of the order ``order_id``: it ends, and has not been cancelled."""
        return self._process(ts, "reject", fields, partial(Entries.answer, kind=EventKind.REJECT))

    def process_expire(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the end of what is left of the order ``order_id``."""
        return self._process(ts, "expire", fields, partial(Entries.answer, kind=EventKind.EXPIRE))

    def process_cancel_reject(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the venue's reject of a cancel: the order ``order_id`` works again, with what is left of it."""
        return self._process(ts, "cancel_reject", fields, partial(Entries.answer, kind=EventKind.CANCEL_REJECT))

    def process_modify_reject(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the venue's reject of a modify: the order ``order_id`` is what it was before its last modify."""
        return self._process(ts, "modify_reject", fields, partial(Entries.answer, kind=EventKind.MODIFY_REJECT))

    def process_bust(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process the bust of the fill ``trade_id`` of an ``account`` and ``instrument``: as if it had not been."""
        return self._process(ts, "bust", fields, partial(Entries.amend, kind=EventKind.BUST))

    def process_correct(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process a correction of the fill ``trade_id``: as if it had had this ``qty``, ``price`` and, if given, ``fee``."""
        return self._process(ts, "correct", fields, partial(Entries.amend, kind=EventKind.CORRECT))

    def process_execution(self, /, *, ts: Any, **fields: Any) -> list[Decision]:
        """Process an automated execution of an ``account``'s ``strategy``."""
        return self._process(ts, "execution", fields, partial(Entries.account_event, kind=EventKind.EXECUTION))

    def _process(
        self, ts: Any, kind: str, fields: dict[str, Any], make: Callable[..., dict[str, int]]
    ) -> list[Decision]:
        """Process one event, which may have a ``strategy`` and a ``connection``."""

        def rows(entries: Entries, number: int, now: int) -> Rows:
            row = make(entries, ts=now, **{name: value for name, value in given.items() if name not in ORIGIN})
            entries.set_origin(row, given.get("strategy"), given.get("connection"))
            entries.orders.refuse_two(row, given.get("order_id"))
            return [row]

        with self._lock:
            short = SHORT.get(kind)
            if short is not None and fields.keys() <= short[1]:
                used = short[0](self._door, ts, **fields)
                if used >= 0:
                    return self._taken(used) if used else []
            given = given_fields(kind, fields)
            return self._submit(ts, given, rows)

    def process(self, events: Any) -> Batch:
        """Process many events in one call.

        Parameters
        ----------
        events : frame, Arrow batch or table, list of dicts, or list of dataclasses
            A row for each event in order of time: ``ts``, ``kind`` ("order" if there is no such column, "fill", "price",
            "cancel", ..., as in `EventLog.from_frame`) and the fields of the single calls.

        Returns
        -------
        Batch
            What became of each row. A row that does not fit is not taken, as in a single call, and its sentence is in
            ``errors``; the others do not depend on it.

        Raises
        ------
        InputError
            If `events` is no such table; nothing is taken.

        Examples
        --------
        >>> import riskkit as rk
        >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(5))])
        >>> session = rk.Session.create(rules, [rk.Instrument("X")], ["A"], compiled=False)
        >>> order = {"ts": 0, "account": "A", "instrument": "X", "side": "B", "price": 10}
        >>> batch = session.process([{**order, "qty": 2}, {**order, "qty": 9}, {**order, "qty": -1}])
        >>> batch.passed.tolist(), batch.seq.tolist(), [str(action.action) for action in batch.actions]
        ([True, False, False], [0, 1, -1], ['REJECT'])
        >>> batch.errors
        {2: 'qty=-1 is not a quantity; a quantity is a number above zero'}
        """
        with self._lock:
            return process(self, events)

    # ------------------------------------------------------------------ time and commands

    def tick(self, now: Any = None) -> list[Decision]:
        """Advance the time: days change, orders lapse, and pauses end (RESUME)."""
        return self._clock(EventKind.CLOCK, now)

    def reset_daily(self, now: Any = None) -> list[Decision]:
        """Start a new trading day for every rule: daily counts restart and pauses for the day end."""
        return self._clock(EventKind.SESSION, now)

    def reset_breaker(self, account: Any = None, now: Any = None) -> list[Decision]:
        """End every pause of an account, or of all, and restart counts of consecutive losses and errors."""
        return self.command("RESET", account, now)

    def pause(self, account: Any = None, now: Any = None) -> list[Decision]:
        """Pause an account, or all, until `resume`: only cancels and orders that reduce a position pass."""
        return self.command("PAUSE", account, now)

    def resume(self, account: Any = None, now: Any = None) -> list[Decision]:
        """End every pause of an account, or of all."""
        return self.command("RESUME", account, now)

    def command(
        self,
        cmd: str,
        account: Any = None,
        now: Any = None,
        *,
        trader: Any = None,
        desk: Any = None,
        firm: Any = None,
    ) -> list[Decision]:
        """Apply ACTIVE, REDUCING, HALTED (with the rule ``trading_state``), KILL, PAUSE, RESUME or RESET.

        KILL cancels every working order of the account, trader, desk or firm (default: of all), and is then HALTED; each
        order is an action, to be cancelled at the venue.
        """
        if isinstance(cmd, str) and cmd.upper() in SIGNED:
            raise InputError(f"cmd={cmd!r} needs a name and a reason; use {SIGNED[cmd.upper()]}")
        groups = {"trader": trader, "desk": desk, "firm": firm}
        return self._submit(
            now, {"account": account}, lambda e, row, ts: [e.control(ts, cmd, account, **groups)], untimed=True
        )

    def _clock(self, kind: EventKind, now: Any) -> list[Decision]:
        return self._submit(now, {}, lambda e, row, ts: [{**DEFAULTS, "ts": ts, "kind": int(kind)}], untimed=True)
