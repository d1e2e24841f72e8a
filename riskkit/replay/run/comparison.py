"""Comparison of replays of one log without and with limits: rejections, cost and savings in one table.

*Without limits* is a replay through no rules. *Shadow* reports each rule's decisions and changes nothing, so its money
is that of the record. *Enforce* removes refused orders from the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._docs import counted
from riskkit._excel import Exported, Sheet
from riskkit._show import Row, table_html, table_text
from riskkit.replay.kernels.order_faults import fault_text
from riskkit.replay.log.currencies import refuse_currencies
from riskkit.replay.log.event_log import EventLog, external_text
from riskkit.replay.results.assumed import assumed_rows
from riskkit.replay.results.booked import recorded_rows
from riskkit.replay.results.pnl_curve import Curve, curve_of, deepest_account, worst_day_of_account
from riskkit.replay.results.result import NOTE, ORPHANS_ARE, ReplayResult
from riskkit.replay.results.timeline import DAY, Timeline
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.schema.provenance import data_sentence

if TYPE_CHECKING:
    import pandas as pd

WITHOUT = "without limits"
CLOCKS = {"calendar": False, "trading": True}
HOW = (
    "Halted time is summed over all that was halted: calendar time, and trading time without the nights and weekends of an "
    "intraday log. Money is of all accounts together unless a row says one account. Drawdowns are taken after every event."
)


@dataclass(frozen=True, repr=False)
class ReplayComparison(Exported):
    """Replays of one log: without limits, and in one or both modes with them; `riskkit.compare` makes one.

    Parameters
    ----------
    without : ReplayResult
        Replay through an empty rule set, sampled.
    shadow, enforce : ReplayResult, optional
        Replays through one rule set, sampled at the same times.

    Raises
    ------
    InputError
        If the replays are not of one log, one rule set and one spacing of samples.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = rk.EventLog.from_frame(frame)
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> found = rk.compare(log, rules, compiled=False)
    >>> found.without.mode, sorted(found.limited)
    ('shadow', ['enforce', 'shadow'])
    """

    without: ReplayResult
    shadow: ReplayResult | None = None
    enforce: ReplayResult | None = None

    def __post_init__(self) -> None:
        """Refuse replays that cannot be compared."""
        if len(self.without.rules):
            raise InputError(f"without: it has {len(self.without.rules)} rules; replay the log through RuleSet([])")
        if not self.limited:
            raise InputError("a comparison needs a replay in shadow or enforce mode beside the one without limits")
        if not len(self.without.sample_times):
            raise InputError("without: it has no samples; replay it with sample_ns='1d'")
        for mode, result in self.limited.items():
            if result.mode != mode:
                raise InputError(f"{mode}: it is a replay in {result.mode} mode")
            record = result.record
            if record.event_hash != self.log.event_hash or record.universe_hash != self.log.universe_hash:
                raise InputError(f"{mode}: it is a replay of another log")
            if result.rules != self.rules:
                raise InputError(f"{mode}: it is a replay of other rules")
            if not np.array_equal(result.sample_times, self.without.sample_times):
                raise InputError(f"{mode}: it was sampled at other times; give every replay the same sample_ns")

    # ------------------------------------------------------------------ parts

    @property
    def log(self) -> EventLog:
        """The replayed log."""
        return self.without.log

    @property
    def limited(self) -> dict[str, ReplayResult]:
        """The replays with limits, by mode."""
        both = {"shadow": self.shadow, "enforce": self.enforce}
        return {mode: result for mode, result in both.items() if result is not None}

    @property
    def results(self) -> dict[str, ReplayResult]:
        """Every replay by the name of its column."""
        return {WITHOUT: self.without, **self.limited}

    @property
    def rules(self) -> RuleSet:
        """The limits."""
        return next(iter(self.limited.values())).rules

    @property
    def not_judged(self) -> dict[str, str]:
        """The limits that cannot be judged on this log, by id, with the reason and what to do."""
        return next(iter(self.limited.values())).not_judged

    @property
    def currency(self) -> str:
        """Currency of money, if there is only one."""
        return self.log.universe.currency

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """Currencies of the accounts; money of several is never added, nor that of an account that mixes them."""
        names = self.without.accounts_by_currency
        return tuple(name for name in names if name in self.log.universe.currencies)

    @property
    def has_one_currency(self) -> bool:
        """True if the money of all accounts is of one currency."""
        return len(self.currencies) == len(self.without.accounts_by_currency) == 1

    @property
    def day(self) -> TradingDay:
        """The trading day of the rules."""
        return TradingDay.of(self.rules)

    @property
    def spacing_text(self) -> str:
        """The largest distance of two samples, in words."""
        distances = np.diff(self.without.sample_times)
        return f"samples at most {duration_text(int(distances.max()))} apart" if len(distances) else "one sample"

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Total profit of all accounts over time, by replay, of a log with one currency."""
        return {name: curve_of(result, day=self.day) for name, result in self.results.items()}

    def curves_in(self, currency: str) -> dict[str, Curve]:
        """Total profit of the accounts of a currency over time, by replay."""
        return {name: curve_of(result, currency=currency, day=self.day) for name, result in self.results.items()}

    @cached_property
    def timeline(self) -> Timeline:
        """The time axis of the plots."""
        return self.without.timeline

    # ------------------------------------------------------------------ tables

    def to_frame(self) -> pd.DataFrame:
        """The table: one row per measure, one column per replay, and the unit; money and nanoseconds as numbers."""
        import pandas as pd

        rows = list(self._measures())
        return pd.DataFrame(
            [[*values, unit] for _, unit, values in rows],
            index=pd.Index([label.strip() for label, _, _ in rows], name="measure"),
            columns=[*self.results, "unit"],
            dtype=object,
        )

    def accounts(self) -> pd.DataFrame:
        """One row per account: orders, refusals, profit and maximum drawdown without and with limits, in money."""
        import pandas as pd

        universe, columns = self.log.universe, self.log.columns
        count = len(universe.accounts)

        def by_account(codes: np.ndarray) -> np.ndarray:
            return np.bincount(codes[codes >= 0], minlength=count)

        found: dict[Any, Any] = {("", "orders"): by_account(columns["account"][columns["kind"] == EventKind.ORDER])}
        for mode, result in self.limited.items():
            found["refused", mode] = by_account(columns["account"][recorded_rows(result, result.rejections()["seq"])])
        for label, name in (("profit", "profit"), ("maximum drawdown", "drawdown")):
            for mode, result in self.results.items():
                if mode != "shadow":  # its money is that of the record
                    found[label, mode] = result.accounts()[name].to_numpy()
        if not self.has_one_currency:
            found["", "currency"] = self.without.accounts()["currency"].to_numpy()
        return pd.DataFrame(found, index=pd.Index([account.id for account in universe.accounts], name="account"))

    def _measures(self) -> Iterator[tuple[str, str, list[Any]]]:
        """Label, unit and a value for each replay; labels are unique without their indent."""
        results, kinds = list(self.results.values()), self.log.counts()
        yield "orders", "", [kinds.get(EventKind.ORDER.name, 0)] * len(results)
        if kinds.get(EventKind.MODIFY.name):
            yield "modifies", "", [kinds[EventKind.MODIFY.name]] * len(results)
        yield "refused", "", [len(result.rejections()) for result in results]
        refused = [result.refusals_by_rule() for result in results]
        for name in dict.fromkeys(name for found in reversed(refused) for name in found):
            yield f"  by {name}", "", [found.get(name) for found in refused]
        if any(result.alerts() for result in results):
            yield "alerts", "", [result.alerts() for result in results]
        for clock, trading in CLOCKS.items():
            halted = [result.halted_time(trading=trading) for result in results]
            yield f"time halted, {clock}", "ns", [sum(found.values()) for found in halted]
            for rule in self.rules:
                if any(found.get(rule.id) for found in halted):
                    yield f"  halted by {rule.id}, {clock}", "ns", [found.get(rule.id) for found in halted]
        yield from self._aftermath(results)
        for currency in self.currencies:
            for label, unit, values in self._money(results, currency):
                yield label if self.has_one_currency else f"{label}, {currency}", unit, values
        yield "digest", "", [result.digest for result in results]

    def _aftermath(self, results: list[ReplayResult]) -> Iterator[tuple[str, str, list[Any]]]:
        """Events dropped with orders that were refused, cancelled by a rule or left out, in enforce mode."""
        counts = [result.counts() if result.mode == "enforce" else {} for result in results]
        for label, name in (
            ("fills of dropped orders", "fills_vanished"),
            ("orphan exits", "orphans"),
            ("  orphan exits dropped", "orphans_dropped"),
        ):
            yield label, "", [found.get(name) for found in counts]
        if self.enforce is not None and "trade_id" in self.log.columns:
            unmatched = [result.unmatched()[0] if result.mode == "enforce" else None for result in results]
            yield "trades with one side refused", "", unmatched

    def _money(self, results: list[ReplayResult], money: str) -> Iterator[tuple[str, str, list[Any]]]:
        """Profit, worst days and drawdowns, of all accounts of a currency together and of the worst account."""
        curves, several = list(self.curves_in(money).values()), len(self.without.accounts_by_currency[money]) > 1
        yield "profit", money, [curve.final for curve in curves]
        for policy, profits in (self.enforce.profits_by_policy if self.enforce is not None else {}).items():
            label = f"  profit if orphan exits are {ORPHANS_ARE[policy]}"
            yield label, money, [profits[money] if result is self.enforce else None for result in results]
        yield "worst day", money, [curve.worst_day for curve in curves]
        yield f"  on (trading day {self.day})", "", [curve.worst_date for curve in curves]
        if several:
            days = [worst_day_of_account(result, money, self.day) for result in results]
            yield "worst day of one account", money, [day and day.amount for day in days]
            yield "  whose worst day", "", [day and day.account for day in days]
        yield "max drawdown", money, [curve.deepest for curve in curves]
        if several:
            deepest = [deepest_account(result, money) for result in results]
            yield "max drawdown of one account", money, [fall and fall.amount for fall in deepest]
            yield "  whose drawdown", "", [fall and fall.account for fall in deepest]

    # ------------------------------------------------------------------ display

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows of the table as texts, for terminal, notebook and report."""
        rows = []
        for label, unit, values in self._measures():
            shown = [_text(label, unit, self.currencies, value) for value in values]
            rows.append([label, *shown, unit if unit != "ns" else ""])
        return ["", *self.results, ""], rows

    def notes(self) -> list[str]:
        """Notes on the table: data, counting rules and omissions."""
        unjudged = [f"{name} cannot be judged on this log: {why}." for name, why in self.not_judged.items()]
        mixing = [name for name in self.without.accounts_by_currency if name not in self.currencies]
        left_out = [
            f"The money of accounts that mix {name} is not added; replay the instruments of each currency as a log of their own."
            for name in mixing
        ]
        return [*unjudged, *left_out, data_sentence(self.log.about), HOW, *self._policy(), NOTE]

    def _policy(self) -> Iterator[str]:
        """The policy for orphan exits of the replay in enforce mode."""
        if self.enforce is not None:
            policy = self.enforce.options["orphans"]
            yield f"Orphan exits, of positions that are not held under the limits, are {ORPHANS_ARE[policy]}."

    def _title(self) -> str:
        return str(self.log.about.get("title", "Replay with and without limits"))

    def _sheets(self) -> list[Sheet]:
        table, limited = self.to_frame(), list(self.limited.values())[-1]
        spans, modes = (table["unit"] == "ns").to_numpy(), list(self.results)
        table.loc[spans, modes] = table.loc[spans, modes] / 3.6e12
        table.loc[spans, "unit"] = "hours"
        return [Sheet("comparison", table), Sheet("accounts", self.accounts()), *limited._sheets()]

    def _assumptions(self) -> list[Row]:
        rules: list[Row] = [(f"rule {rule.id}", str(rule), "") for rule in self.rules]
        return [*(("", text, "") for text in (*self.sentences(), *self.notes())), *rules]

    def __repr__(self) -> str:
        """Return the table as text, with its notes."""
        return table_text(self._title(), *self.cells(), self.notes())

    def _repr_html_(self) -> str:
        return table_html(self._title(), *self.cells(), self.notes())

    def sentences(self) -> list[str]:
        """Summary of the effect of the limits in a few sentences."""
        unjudged = [f"Rule {name} cannot be judged on this log: {why}." for name, why in self.not_judged.items()]
        assumed = [f"{label.capitalize()}: {why}." for label, why, _ in assumed_rows(self.rules, self.log, {})]
        found = (*unjudged, *assumed, *self._noticed(), self._objected(), *self._enforced())
        return [sentence for sentence in found if sentence]

    def _noticed(self) -> Iterator[str]:
        """What the log says of orders that are not in it, or cannot be."""
        if text := external_text(self.log):
            yield f"The log has {text} from before it; the fills among them are booked."
        faults = [fault_text(name, count) for name, count in self.log.order_faults.items() if count]
        yield f"The log as recorded has {', '.join(faults)}." if faults else ""

    def _objected(self) -> str:
        if self.shadow is None:
            return ""
        return f"The limits object to {_refused(self.shadow)} as they were sent."

    def _enforced(self) -> Iterator[str]:
        if self.enforce is None:
            return
        yield f"Enforced, they refuse {_refused(self.enforce)}; later ones are judged without those refused."
        for currency in self.currencies:
            yield from self._changed(self.enforce, currency)
        objections = self.enforce.objections_by_rule()
        idle = [rule for rule in objections if not objections[rule] and rule not in self.not_judged]
        yield f"Never met: {', '.join(idle)}." if idle else ""

    def _changed(self, enforce: ReplayResult, money: str) -> Iterator[str]:
        """Profit, drawdown and worst day with and without limits, of the accounts of a currency."""
        curves = self.curves_in(money)
        before, after = curves[WITHOUT], curves["enforce"]
        yield f"Profit is {after.final:,.0f} {money} instead of {before.final:,.0f}."
        by_policy = {policy: profits[money] for policy, profits in enforce.profits_by_policy.items()}
        if len(set(by_policy.values())) > 1:
            chosen = enforce.options["orphans"]
            others = " and ".join(f"{by_policy[k]:,.0f} if they are {ORPHANS_ARE[k]}" for k in by_policy if k != chosen)
            yield (
                f"It depends on the {counted(enforce.counts()['orphans'], 'orphan exit')} (of positions that are not held "
                f"here), which {'is' if enforce.counts()['orphans'] == 1 else 'are'} {ORPHANS_ARE[chosen]}: {others}."
            )
        yield f"The maximum drawdown is {after.deepest:,.0f} {money} instead of {before.deepest:,.0f}."
        if before.worst_day is not None and after.worst_day is not None:
            was = "" if before.worst_date == after.worst_date else f" on {before.worst_date}"
            yield (
                f"The worst day, {after.worst_date}, brings {after.worst_day:,.0f} {money} instead of "
                f"{before.worst_day:,.0f}{was}."
            )

    # ------------------------------------------------------------------ plots

    def most_refused(self) -> str:
        """The account with the most refused orders."""
        accounts: Any = self.accounts()
        return str(accounts["refused"].iloc[:, -1].idxmax())

    def plot_profit(self, ax: Any = None, *, account: str | None = None) -> Any:
        """Plot the profit of one account, or of all in total, without and with limits."""
        from riskkit import plot

        curves = self._drawn(account)
        scale, unit = plot.money_scale(np.concatenate([curve.profit for curve in curves.values()]), self.currency)
        lines = {name: curve.profit / scale for name, curve in curves.items()}
        title = (
            f"{_whose(account)} profit ended at {_in_words({n: float(line[-1]) for n, line in lines.items()}, unit)}"
        )
        return plot.curves(self._places, lines, label=f"profit, {unit}", title=title, time=self.timeline.axis(), ax=ax)

    def plot_drawdown(self, ax: Any = None, *, account: str | None = None) -> Any:
        """Plot the drawdown of profit."""
        from riskkit import plot

        curves = self._drawn(account)
        scale, unit = plot.money_scale(np.concatenate([curve.fall for curve in curves.values()]), self.currency)
        lines = {name: curve.fall / scale for name, curve in curves.items()}
        title = f"{_whose(account)} maximum drawdown was {_in_words({n: c.deepest / scale for n, c in curves.items()}, unit)}"
        return plot.falls(
            self._places,
            lines,
            label=f"below peak at {self.spacing_text}, {unit}",
            title=title,
            time=self.timeline.axis(),
            ax=ax,
        )

    def plot_refusals(self, ax: Any = None) -> Any:
        """Plot the times of refusals, in enforce mode if it was run."""
        return list(self.limited.values())[-1].plot_refusals(ax)

    def plot_accounts(self, ax: Any = None) -> Any:
        """Plot each account's profit without and with limits.

        Raises
        ------
        InputError
            If there is no replay in enforce mode: in shadow mode every profit is that of the record.
        """
        from riskkit import plot

        if self.enforce is None:
            raise InputError("there is no replay in enforce mode, and in shadow mode every profit is the record's")
        refuse_currencies(self.log, "a plot of all accounts")
        accounts: Any = self.accounts()
        table = accounts["profit"].sort_values(WITHOUT, ascending=False, kind="stable")
        before, after = table[WITHOUT].to_numpy(), table["enforce"].to_numpy()
        scale, unit = plot.money_scale(table.to_numpy(), self.currency)
        lower, higher = int((after < before).sum()), int((after > before).sum())
        title = f"Under the limits {lower} of {len(table)} accounts earn less, {higher} more"
        names, labels = [str(name) for name in table.index], (WITHOUT, "enforce")
        return plot.changes(
            names, before / scale, after / scale, labels=labels, unit=f"profit, {unit}", title=title, ax=ax
        )

    def _drawn(self, account: str | None) -> dict[str, Curve]:
        """The curves that differ (that of shadow mode is the record's), from zero at the first event."""
        drawn = {}
        for name, result in self.results.items():
            if name != "shadow":
                curve = curve_of(result, account, day=self.day)
                profit, fall = (np.concatenate([[0.0], line]) for line in (curve.profit, curve.fall))
                drawn[name] = curve._replace(profit=profit, fall=fall)
        return drawn

    @property
    def _places(self) -> np.ndarray:
        """Positions of a curve's points on the time axis: the first event, then every sample."""
        return np.concatenate([[0], self.timeline.places(self.without.sample_times)])


def _whose(account: str | None) -> str:
    return "All accounts together:" if account is None else f"{account}:"


def _in_words(numbers: dict[str, float], unit: str) -> str:
    """The number of each replay, in words."""
    if "enforce" not in numbers:
        return f"{numbers[WITHOUT]:,.2f} {unit}"
    return f"{numbers['enforce']:,.2f} {unit} under the limits, {numbers[WITHOUT]:,.2f} without"


def _text(label: str, unit: str, currencies: tuple[str, ...], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return f"{value[:12]}..." if label == "digest" else value
    if unit == "ns":
        return _span(value)
    return f"{value:,.0f}" if unit in currencies else value


def _span(nanoseconds: int) -> str:
    """A duration as text, in a suitable unit."""
    for unit, length in (("d", DAY), ("h", DAY // 24), ("min", DAY // 1_440), ("s", DAY // 86_400)):
        if nanoseconds >= 2 * length:
            return f"{nanoseconds / length:,.1f} {unit}"
    return f"{nanoseconds / 1e9:,.3g} s"


def _refused(result: ReplayResult) -> str:
    shares = result.refused_by_kind().items()
    return " and ".join(f"{count:,} of {total:,} {kind} ({_share(count, total)})" for kind, (count, total) in shares)


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.1f} %" if total else "of none"
