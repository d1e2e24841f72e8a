"""Run a vectorbt strategy under limits: each order of its order function is checked by rules before it is filled.

Each order that a strategy returns, and that vectorbt would fill, is checked by a live session in enforce mode. A refused
order becomes no order, and the strategy can read which rules objected, the observed values and limits. The journal has
each wanted order with the fill that vectorbt computed for it (that of a refused order vanishes), and every close. So it
is the log that `EventLog.from_vectorbt` reads of the same strategy without limits, as long as the strategy does not
react to refusals, and its replay in enforce mode with ``orphans="keep"`` has the same digest: a strategy that does not
react sends its exits too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, instance, optional
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.ingest.from_vectorbt import (
    check_lot,
    close_events,
    column_labels,
    common_quantum,
    lost_fees,
    opening_accounts,
    utc_times,
)
from riskkit.replay.ingest.rows import row_of
from riskkit.replay.ingest.vectorbt_steps import fewest_decimals
from riskkit.replay.live.engine import Engine
from riskkit.replay.results.decisions import Decision, DecisionFormatter, DecisionKind
from riskkit.replay.results.explain import names_in
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import Account, Instrument, Universe, decimal_text, exact
from riskkit.replay.vbt.limited_backtest import ANSWER, LimitedBacktest, OrderDecision

if TYPE_CHECKING:
    import pandas as pd

FIXED = {
    "row_wise": "limits are checked bar by bar, over all columns",
    "use_numba": "the rules are called from Python",
    "pre_group_func_nb": "limits are checked bar by bar; use pre_sim_func_nb or pre_row_func_nb",
    "post_group_func_nb": "limits are checked bar by bar; use post_sim_func_nb or post_row_func_nb",
}
STEPS = ("sim", "row", "segment", "order")


def run_with_limits(
    rules: RuleSet,
    close: Any,
    order_func: Callable[..., Any],
    *order_args: Any,
    tick: Any = None,
    lot: Any = 1,
    quantum: Any = None,
    about: Mapping[str, Any] | None = None,
    compiled: Tier = "auto",
    **options: Any,
) -> LimitedBacktest:
    """Run a vectorbt order function with each of its orders checked by rules first.

    The call is that of ``vbt.Portfolio.from_order_func``, with the rules first; an existing order function needs no
    change. A Python function can read the last answer for its column in ``c.answer`` (None before the first) and those
    for all columns in ``c.answers``. A function compiled with numba is called compiled; give it ``vbt.Rep("answers")``
    as an argument to get an array of `riskkit.replay.vbt.limited_backtest.ANSWER` records, one per column.

    A refused order becomes no order and leaves no trace in the portfolio. With ``flexible=True`` the function is called
    again in the same bar, and ``c.answer`` is the answer to its previous order.

    Accounts, instruments and their order within a bar are those of `EventLog.from_vectorbt`.

    Parameters
    ----------
    rules : RuleSet
        The limits, in their declared order.
    close : Series or DataFrame of shape (n_bars, n_columns)
        Closes; a DatetimeIndex gives the times (UTC without a zone).
    order_func : callable
        ``order_func(c, *order_args)`` returns an ``Order``, or with ``flexible=True`` a column and an ``Order``.
    *order_args
        As for ``from_order_func``, including templates.
    tick : str, Decimal or float, optional
        Step of prices, which are rounded to it; by default the fewest decimals that hold the closes, and an order at
        another price is an error.
    lot : str, Decimal or float
        Step of sizes. Positions are rounded to a lot that is at most a millionth of the column's largest size.
    quantum : str, Decimal or float, optional
        Money of the integer 1; by default that of one lot at one tick, and at least a millionth.
    about : mapping, optional
        Facts about the data for reports.
    compiled : bool or str
        As in `riskkit.replay_log`.
    **options
        As for ``from_order_func``, except ``row_wise``, ``use_numba`` and the functions of groups.

    Returns
    -------
    LimitedBacktest
        The portfolio, the decisions, and the answers to the strategy.

    Raises
    ------
    ImportError
        If vectorbt is not installed.
    InputError
        If an option cannot be set, the index has no times, opening cash is not finite, or a size or price of an order
        does not fit lot or tick.

    Examples
    --------
    >>> import pandas as pd
    >>> from vectorbt.portfolio.enums import Order  # doctest: +SKIP
    >>> close = pd.Series([10.0, 11.0, 12.0], pd.date_range("2024-01-01", periods=3), name="X")
    >>> rules = RuleSet.from_dict({"rules": [
    ...     {"id": "size", "type": "max_order_qty", "params": {"limit": 5}}]})
    >>> def buy(c):
    ...     return Order(size=4.0 if c.answer is not None and c.answer.refused else 8.0)
    >>> run_with_limits(rules, close, buy, init_cash=1_000).portfolio.assets().tolist()  # doctest: +SKIP
    [0.0, 4.0, 4.0]
    """
    instance(rules, RuleSet, "rules")
    vbt = optional("vectorbt", "notebooks")
    for name in FIXED.keys() & options.keys():
        raise InputError(f"{name}={options[name]!r} cannot be set: {FIXED[name]}")
    limiter = _Limiter(rules, {"tick": tick, "lot": exact(lot, "lot"), "quantum": quantum}, compiled)
    flexible = options.get("flexible")
    flexible = vbt.settings["portfolio"]["flexible"] if flexible is None else flexible
    given = {**_plain_steps(), **options}
    before, after = given["pre_sim_func_nb"], given["post_row_func_nb"]

    def begin(c: Any, wrapper: Any, *args: Any) -> Any:
        limiter.begin(c, wrapper)
        return before(c, *args)

    def end_of_bar(c: Any, *args: Any) -> Any:
        limiter.end_of_bar(c.i)
        return after(c, *args)

    given["pre_sim_func_nb"], given["post_row_func_nb"] = begin, end_of_bar
    given["pre_sim_args"] = (vbt.Rep("wrapper"), *given.get("pre_sim_args", ()))
    order_args = tuple(
        vbt.RepFunc(limiter.table) if isinstance(arg, vbt.Rep) and arg.key == "answers" else arg for arg in order_args
    )
    portfolio = vbt.Portfolio.from_order_func(
        close, limiter.wrapped(order_func, flexible), *order_args, row_wise=True, use_numba=False, **given
    )
    result = limiter.live.result()
    result.log.about.update(about or {})
    return LimitedBacktest(portfolio, result, tuple(limiter.objections))


def _plain_steps() -> dict[str, Callable[..., Any]]:
    """Empty functions for vectorbt's steps, not compiled: its own would be compiled for calls from Python."""
    steps: dict[str, Callable[..., Any]] = {f"pre_{step}_func_nb": lambda c, *args: args for step in STEPS[:3]}
    return {**steps, **{f"post_{step}_func_nb": lambda c, *args: None for step in STEPS}}


@cache
def _with_answers(base: Any) -> Any:
    """A context class of vectorbt with answers."""
    return type(f"Gated{base.__name__}", (base,), {"answer": None, "answers": ()})


class _Limiter:
    """Checks the orders of an order function and returns the answers to it."""

    def __init__(self, rules: RuleSet, units: dict[str, Any], compiled: Tier) -> None:
        self.rules, self.units, self.compiled = rules, units, compiled
        self.objections: list[OrderDecision] = []
        self.answers: list[OrderDecision | None] = []
        self.records = np.zeros(0, ANSWER)

    def table(self, target_shape: tuple[int, int]) -> np.ndarray:
        """The answers by column as records for a compiled function."""
        self.records = np.zeros(target_shape[1], ANSWER)
        self.records["bar"] = -1
        return self.records

    def begin(self, c: Any, wrapper: Any) -> None:
        """Declare instruments and accounts from vectorbt's columns, groups and cash."""
        import pandas as pd

        self.labels = column_labels(wrapper.columns)
        times = utc_times(wrapper.index)
        self.times = times.as_unit("ns").asi8.tolist()
        quotes = close_events(pd.DataFrame(c.close), self.labels)
        quotes["ts"] = times[quotes["bar"].to_numpy()]
        ticks = self._ticks(quotes)
        missing = [label for label in self.labels if label not in ticks]
        if missing:
            raise InputError(f"column {missing[0]!r} has no close; leave it out")
        instruments = [Instrument(label, ticks[label], self.units["lot"]) for label in self.labels]
        names, opened = opening_accounts(wrapper.grouper, bool(c.cash_sharing), self.labels, c.init_cash)
        self.unit = common_quantum(instruments, self.units["quantum"], fees=True)
        accounts = [Account(name, {"USD": round(cash / self.unit) * self.unit}) for name, cash in opened.items()]
        universe = Universe(tuple(instruments), tuple(accounts), {"USD": self.unit})
        self.live = Engine(
            self.rules, universe, "enforce", orphans="keep", compiled=self.compiled, events=2 * np.size(c.close)
        )
        self.formatter = DecisionFormatter(self.rules, universe)
        self.accounts = [universe.account_codes[name] for name in names]
        self.ticks = [instrument.tick for instrument in instruments]
        steps = np.array([[float(t.denominator), float(t.numerator)] for t in self.ticks])
        known = np.isfinite(c.close)
        self.known = [np.flatnonzero(row).tolist() for row in known]
        self.closes = np.rint(np.where(known, c.close, 0.0) * steps[:, 0] / steps[:, 1]).astype(np.int64)
        self.answers = [None] * len(self.labels)
        self.largest = [0.0] * len(self.labels)

    def _ticks(self, quotes: pd.DataFrame) -> dict[str, Fraction]:
        """The tick of each column with closes."""
        if self.units["tick"] is not None:
            return dict.fromkeys(self.labels, exact(self.units["tick"], "tick"))
        try:
            return fewest_decimals(quotes, "price")
        except InputError:
            raise InputError("closes need more than 9 decimals; give tick (prices are rounded to it)") from None

    def wrapped(self, order_func: Callable[..., Any], flexible: bool) -> Callable[..., Any]:
        """The order function followed by the rules."""
        compiled = hasattr(order_func, "py_func")  # by numba: it takes no Python objects
        last: list[Any] = [None, None]  # of a flexible function: the segment, and the answer to its last order

        def with_answers(c: Any) -> Any:
            if compiled:
                return c
            kind: Any = type(c)
            made = _with_answers(kind)._make(c)
            made.answers = self.answers
            if not flexible:
                made.answer = self.answers[c.col]
            elif last[0] == (c.i, c.group):
                made.answer = last[1]
            return made

        def single(c: Any, *args: Any) -> Any:
            return self.checked(c, c.col, order_func(with_answers(c), *args))

        def several(c: Any, *args: Any) -> Any:
            column, order = order_func(with_answers(c), *args)
            if column < 0:
                return column, order
            order = self.checked(c, column, order)
            last[:] = (c.i, c.group), self.answers[column]
            return column, order

        return several if flexible else single

    # ------------------------------------------------------------------ one order

    def checked(self, c: Any, column: int, order: Any) -> Any:
        """The order itself, or none if it is refused."""
        from vectorbt.portfolio.enums import NoOrder, OrderStatus, ProcessOrderState
        from vectorbt.portfolio.nb import execute_order_nb

        if np.isnan(order.size):
            return NoOrder
        order = self._priced(c, column, order)
        holder = c.group if c.cash_sharing else column
        state = ProcessOrderState(
            float(c.last_cash[holder]),
            float(c.last_position[column]),
            float(c.last_debt[column]),
            float(c.last_free_cash[holder]),
            float(c.last_val_price[column]),
            float(c.last_value[holder]),
            -1,
            -1,
        )
        after, filled = execute_order_nb(state, order)
        if filled.status != OrderStatus.Filled:
            # vectorbt does not fill it; a random rejection has been drawn here
            return order if order.reject_prob == 0 else NoOrder
        event = self._event(c.i, column, state.position, after.position, filled)
        if event is None:
            return order._replace(reject_prob=0.0)
        answer = self._check(c.i, column, event, filled)
        self.answers[column] = answer
        if len(self.records):
            self._note(column, answer)
        if answer.rules:
            self.objections.append(answer)
        return NoOrder if answer.refused else order._replace(reject_prob=0.0)

    def _priced(self, c: Any, column: int, order: Any) -> Any:
        """The order in the types that vectorbt is compiled for, with an infinite price replaced by the close it means."""
        from vectorbt.portfolio.enums import Order

        values = [
            kind(value)
            for kind, value in zip((float, float, int, int, *(float,) * 7, *(bool,) * 4), order, strict=True)
        ]
        order = Order(*values)
        if np.isinf(order.price):
            bar = c.i if order.price > 0 else c.i - 1
            order = order._replace(price=float(c.close[bar, column]) if bar >= 0 else np.nan)
        return order

    def _event(self, bar: int, column: int, held: float, after: float, filled: Any) -> dict[str, int] | None:
        """The order in lots and ticks; None if it changes the position by less than half a lot."""
        label, lot = self.labels[column], self.units["lot"]
        self.largest[column] = max(self.largest[column], filled.size)
        check_lot(np.array([filled.size]), self.largest[column], lot, label)
        fee = _steps(filled.fees, self.unit)
        lots = abs(_steps(after, lot) - _steps(held, lot))
        if lots == 0:
            if fee:
                raise lost_fees(filled.size, lot, label)
            return None
        tick = self.ticks[column]
        price = _steps(filled.price, tick)
        if self.units["tick"] is None and abs(price * float(tick) - filled.price) > 1e-9 * max(1.0, filled.price):
            raise InputError(
                f"column {label!r}: price {filled.price!r} is not a multiple of {decimal_text(tick)}, the tick of its "
                "closes; give tick (prices are rounded to it)"
            )
        row = {"account": self.accounts[column], "instrument": column, "side": 1 - 2 * int(filled.side)}
        return {**row, "qty": lots, "price": price, "order": self.live.size, "fee": fee}

    def _check(self, bar: int, column: int, event: dict[str, int], filled: Any) -> OrderDecision:
        """Check the order, and book its fill."""
        ts, seq = self.times[bar], self.live.size
        order = {name: value for name, value in event.items() if name != "fee"}
        rows = self.live.push(ts, EventKind.ORDER, **order)
        state = self.live.state
        size = float(filled.size) * event["side"]
        answer = OrderDecision(
            False, (), None, None, None, None, "", bar, self.labels[column], size, float(filled.price)
        )
        if len(rows):
            actions = self.formatter.actions(rows, {seq: self.live.row(seq)}, state)
            objections = [action for action in actions if action.action in (DecisionKind.REJECT, DecisionKind.ALERT)]
            if objections:
                answer = self._objection(answer, objections[0], rows[rows["seq"] == seq])
        self.live.push(ts, EventKind.FILL, **event)
        return answer

    def _objection(self, answer: OrderDecision, action: Decision, rows: np.ndarray) -> OrderDecision:
        names = [name for row in rows for name in names_in(self.rules, int(row["mask"]))]
        rules = tuple(dict.fromkeys([*([action.rule] if action.rule else []), *names]))
        values = {name: getattr(action, name) for name in ("observed", "limit", "headroom", "until", "reason")}
        return replace(answer, refused=action.action == DecisionKind.REJECT, rules=rules, **values)

    def _note(self, column: int, answer: OrderDecision) -> None:
        """Store an answer for a compiled function."""
        ids = [rule.id for rule in self.rules]
        record = self.records[column]
        record["bar"], record["refused"] = answer.bar, answer.refused
        record["rule"] = ids.index(answer.rules[0]) if answer.rules else -1
        for name in ("observed", "limit", "headroom"):
            value = getattr(answer, name)
            record[name] = np.nan if value is None else value

    def end_of_bar(self, bar: int) -> None:
        """Process the closes after the bar's orders."""
        ts, prices = self.times[bar], self.closes[bar].tolist()
        rows = [
            row_of(ts, EventKind.PRICE, {"instrument": column, "price": prices[column]}) for column in self.known[bar]
        ]
        if rows:
            self.live.take(rows)


def _steps(value: float, unit: Fraction) -> int:
    """The nearest integer number of units."""
    return int(np.rint(value * unit.denominator / unit.numerator))
