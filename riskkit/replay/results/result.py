"""Result of a replay: decisions, transitions, final book, and the digest of all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._excel import Exported, Sheet
from riskkit._show import Row
from riskkit.replay.engine.samples import Samples, deepest_fall
from riskkit.replay.engine.state import Calendars, State
from riskkit.replay.kernels.runtime import PROVEN, Counter, Orphans, proven
from riskkit.replay.log.currencies import accounts_by_currency, one_currency, refuse_currencies
from riskkit.replay.log.event_log import EventLog, external_row
from riskkit.replay.results.assumed import assumed_rows
from riskkit.replay.results.explain import Explanation, explained, joined
from riskkit.replay.results.flattening import Flattening
from riskkit.replay.results.frames import accounts_frame, decisions_frame, halts_frame, mixing, positions_frame
from riskkit.replay.results.halts import BY_HAND, Spans, spans_of, unmatched_trades
from riskkit.replay.results.last_marks import valued
from riskkit.replay.results.order_messages import OrderMessages
from riskkit.replay.results.plots import equity_plot, refusals_plot
from riskkit.replay.results.profit_rows import profit_rows
from riskkit.replay.results.result_digest import digest_of
from riskkit.replay.results.states import states_of
from riskkit.replay.results.timeline import Timeline
from riskkit.replay.results.to_vectorbt import portfolio_of
from riskkit.replay.rules.history import RuleHistory, as_history
from riskkit.replay.rules.judged import not_judged
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import Cause, DecisionCode, EventKind
from riskkit.replay.schema.digest import Chain
from riskkit.replay.schema.provenance import data_sentence

if TYPE_CHECKING:
    import pandas as pd

    from riskkit.replay.results.what_if import Explainer

REFUSALS = (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD)
ORPHANS_ARE = {"keep": "kept", "clip": "clipped to flat", "drop": "dropped"}
NOTE = "Neither the market nor the strategies react to what is refused; marks stay as recorded."


class ReplayResult(Exported):
    """Result of a replay.

    Attributes
    ----------
    rows : structured ndarray
        One row per decision other than a plain pass, and per transition; see `riskkit.replay.kernels.runtime.ROW`.
    digest : str
        64 hexadecimal digits over semantics, universe, rules, days, events and rows.
    rules : RuleSet
        Every rule that was ever in force, in its last version; `history` has the versions and when they were in force.
    how : str
        Which loop ran: "plain Python", "generic loop", "loop of these rules", or the third after the second; the digest is the same.
    flattening : Flattening, optional
        With ``on_trip="flatten"``, what the trips closed.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> result = rk.replay_log(rk.replay.tiny_log([1, 9, 2]), rules, compiled=False)
    >>> result.rejections()["seq"].tolist(), len(result.digest)
    ([1], 64)
    >>> print(result.explain(1))
    event 1 1970-01-01 00:00:00.000000001+00:00 ORDER A X buy 9 at 10: refused by size (observed 9, limit 4).
      size on A: a breach (observed 9, limit 4); a quantity of 4 would have been accepted.
    """

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet | RuleHistory,
        mode: str,
        options: dict[str, str],
        rows: np.ndarray,
        state: State,
        calendars: Calendars,
        samples: Samples,
        *,
        marked: bool = True,
        how: str = "",
        explainer: Explainer | None = None,
        under_policy: Callable[[str], ReplayResult] | None = None,
    ) -> None:
        self.log = log
        self.history = as_history(rules)
        self.rules = self.history.every
        self.mode = mode
        self.options = options
        self.rows = rows
        self.state = state
        self.calendars = calendars
        self._samples = samples
        self.marked = marked  # the books were valued at every price
        self.how = how
        self._explainer = explainer  # `riskkit.replay.results.what_if`; None if there are no events to replay
        self._under_policy = under_policy  # replays the log under a policy for orphan exits
        self.record = log  # without the fills of a flattening
        self.flattening: Flattening | None = None
        self.pace: Any = None  # of a flattening

    @cached_property
    def digest(self) -> str:
        """The digest; equal digests mean the same events, rules, days and decisions."""
        chain = Chain(PROVEN)
        chain.update(proven(self.rows))
        return digest_of(
            self.log.universe_hash, self.log.event_hash, self.history, self.mode, self.options, self.calendars, chain
        )

    # ------------------------------------------------------------------ decisions

    def rejections(self) -> np.ndarray:
        """Rows of the refused orders and modifies."""
        return self.rows[np.isin(self.rows["code"], REFUSALS)]

    def transitions(self) -> np.ndarray:
        """Rows of trips and of releases by command."""
        return self.rows[np.isin(self.rows["code"], (DecisionCode.TRIP, DecisionCode.RELEASE))]

    def refused_by_kind(self) -> dict[str, tuple[int, int]]:
        """Number of refused and of all messages: of orders, and of modifies if there are any."""
        kinds = self.log.columns["kind"]
        refused, found = kinds[self.rejections()["seq"]], {}
        for kind, name in ((EventKind.ORDER, "orders"), (EventKind.MODIFY, "modifies")):
            total = self.log.counts().get(kind.name, 0)
            if total or kind == EventKind.ORDER:
                found[name] = int((refused == kind).sum()), total
        return found

    @cached_property
    def not_judged(self) -> dict[str, str]:
        """The rules that cannot be judged on this log, by id, with the reason and what to do."""
        return not_judged(self.rules, self.log)

    def refusals_by_rule(self) -> dict[str, int]:
        """Number of refusals with each rule as the named cause, without the rules that cannot be judged on this log."""
        causes = self.rejections()["cause"]
        found = {rule.id: int((causes == k).sum()) for k, rule in enumerate(self.rules)}
        counts = {name: count for name, count in found.items() if count or name not in self.not_judged}
        by_hand = int((causes == Cause.COMMAND).sum())
        return {**counts, **({BY_HAND: by_hand} if by_hand else {})}

    def alerts(self) -> int:
        """Number of events (orders, modifies, counted cancels, fills) with alerts only."""
        return int((self.rows["code"] == DecisionCode.ALERTED).sum())

    def objections_by_rule(self) -> dict[str, int]:
        """Number of orders and modifies that each rule objects to, named cause or not."""
        masks = self.rows["mask"][np.isin(self.rows["code"], (*REFUSALS, DecisionCode.ALERTED))]
        return {rule.id: int(((masks >> k) & 1).sum()) for k, rule in enumerate(self.rules)}

    @cached_property
    def _spans(self) -> Spans:
        return spans_of(self.transitions(), self.log.columns["ts"])

    def halts(self) -> pd.DataFrame:
        """One row per halt of a key by a rule: rule, key, start and end.

        ``until`` is NaT if only a command would have ended it. A trip of a halted key starts a new row.
        """
        return halts_frame(self.log, self.rules, self._spans)

    def halted_time(self, *, trading: bool = False) -> dict[str, int]:
        """Nanoseconds for which each rule halted keys, summed over its keys, up to the last event.

        With ``trading=True``, without the closed time of `timeline` (the nights of an intraday log).
        """
        lengths = self._spans.lengths(self.timeline if trading else None)
        return {rule.id: sum(lengths[self._spans.rule == k].tolist()) for k, rule in enumerate(self.rules)}

    def halted_between(self, times: np.ndarray, timeline: Timeline | None = None) -> np.ndarray:
        """Nanoseconds of halts, over keys, between each ascending time and the next; with a timeline, of open time."""
        return self._spans.elapsed(times, timeline)

    def silent(self) -> list[str]:
        """The rules that neither objected to a message nor tripped, without those that cannot be judged on this log."""
        heard = int(np.bitwise_or.reduce(self.rows["mask"])) if len(self.rows) else 0
        silent = [rule.id for k, rule in enumerate(self.rules) if not heard >> k & 1]
        return [name for name in silent if name not in self.not_judged]

    def unmatched(self) -> tuple[int, float]:
        """Number of trades (fills of one ``trade_id``) with only one side left, and the quantity without a counterparty."""
        return unmatched_trades(self.log, self.rows)

    def to_frame(self) -> pd.DataFrame:
        """The rows with labels and words; observed value, limit and headroom in their `unit`.

        If the unit is "time", observed and limit are Timestamps and the headroom is a Timedelta.
        """
        return decisions_frame(self.log, self.history, self.rows)

    def refused(self, *, tz: str = "UTC") -> pd.DataFrame:
        """The refused orders and modifies in the units of people, with local times, order ids and a sentence each.

        Returns
        -------
        DataFrame
            One row per refusal, indexed by event; ``until`` is the end of a pause, ``unit`` that of observed and limit.
        """
        return OrderMessages(self, tz, self._explainer).frame()

    def explain(self, seq: int | None = None, *, order_id: Any = None, tz: str = "UTC") -> Explanation:
        """Explain the decisions on one event, or on all messages of one order, in words.

        An event is explained rule by rule: observed value, limit, and the next quantity or time that would have passed. An
        order is explained to a trader: what refused it, since when and at which value, what is allowed until when.

        Parameters
        ----------
        seq : int, optional
            Number of the event.
        order_id : optional
            Id of the order in the frame or session that the log was made from; in place of `seq`.
        tz : str
            Time zone of the times of an order's explanation.

        Returns
        -------
        Explanation
            A text; ``objections`` has its parts.

        Raises
        ------
        InputError
            If the log has no such event or order.
        """
        if (seq is None) == (order_id is None):
            raise InputError("explain needs seq= (the number of an event) or order_id=, and not both")
        if order_id is not None:
            messages = OrderMessages(self, tz, self._explainer)
            return joined(messages.of_order(row) for row in self.log.order_labels.rows_of(order_id))
        if not isinstance(seq, int | np.integer) or not 0 <= seq < len(self.log):
            raise InputError(f"seq={seq!r} is no event of this log (0 to {len(self.log) - 1}); orders have order_id=")
        event = self.log.to_frame_row(seq)
        found = self.rows[self.rows["seq"] == seq]
        if not len(found):
            return Explanation(f"{event}: passed; no rule objected.")
        objections = self._explainer(self, int(seq)) if self._explainer is not None else ()
        return Explanation(f"{event}: {explained(self.log, self.history.at(seq).rules, found)}.", objections)

    # ------------------------------------------------------------------ money

    def accounts(self) -> pd.DataFrame:
        """The accounts at the end: cash, value, profit, realised, fees, maximum drawdown of profit; in money.

        Positions are valued at their last mark. The drawdown is NaN if nothing was valued during the replay: no rule
        needed it, and there are no samples.
        """
        return accounts_frame(self.log.universe, self._valued, self.marked, self.accounts_by_currency)

    @cached_property
    def accounts_by_currency(self) -> dict[str, list[int]]:
        """Codes of the accounts by currency; those that mix several are under "EUR and USD"."""
        return accounts_by_currency(self.log)

    def profit_by_currency(self) -> dict[str, float]:
        """Profit of all accounts of each currency at the end; NaN for accounts that mix several, which are not added."""
        profit = self.accounts()["profit"].to_numpy()
        return {name: float(profit[codes].sum()) for name, codes in self.accounts_by_currency.items()}

    def positions(self) -> pd.DataFrame:
        """The positions at the end: quantity, cost and value."""
        return positions_frame(self.log.universe, self._valued)

    @cached_property
    def _valued(self) -> State:
        """The books with positions at their last mark, as if valued at every price."""
        return self.state if self.marked else valued(self.state)

    @cached_property
    def profits_by_policy(self) -> dict[str, dict[str, float]]:
        """`profit_by_currency` under each policy for orphan exits; empty without any, or if the log cannot be replayed.

        Reading it replays the log under the other policies.
        """
        if self._under_policy is None or not self.counts()["orphans"]:
            return {}
        chosen = self.options["orphans"]
        policies = [policy.name.lower() for policy in Orphans]
        replays = {policy: self if policy == chosen else self._under_policy(policy) for policy in policies}
        return {policy: result.profit_by_currency() for policy, result in replays.items()}

    @property
    def profit_by_orphan_policy(self) -> dict[str, float]:
        """`profits_by_policy` of a log with one currency: profit under each policy for orphan exits, in money.

        Raises
        ------
        InputError
            If the log has several currencies.
        """
        refuse_currencies(self.log, "profit_by_orphan_policy")
        return {policy: next(iter(profits.values())) for policy, profits in self.profits_by_policy.items()}

    def equity(self) -> pd.DataFrame:
        """Equity of every account at the sampled times (``sample_ns``), in money; empty without samples."""
        import pandas as pd

        return pd.DataFrame(
            self._in_money(self._samples.sampled[0]),
            index=pd.DatetimeIndex(pd.to_datetime(self._samples.sample_at, utc=True), name="ts"),
            columns=pd.Index([account.id for account in self.log.universe.accounts], name="account"),
        )

    def profits(self) -> pd.DataFrame:
        """Profit of every account at the sampled times, in money; deposits and withdrawals are no profit."""
        frame = self.equity()
        return frame - self._in_money(self._samples.sampled[1])

    def _in_money(self, quanta: np.ndarray) -> np.ndarray:
        """Amounts of every account in money; NaN for accounts that mix currencies. Shape (n_samples, n_accounts)."""
        return np.where(self._mixing, np.nan, quanta * float(self.log.universe.quantum))

    @cached_property
    def _mixing(self) -> np.ndarray:
        """True for each account that mixes currencies, so that its money has no unit."""
        return mixing(self.log.universe, self.accounts_by_currency)

    def profit_curve(self, account: str | None = None, *, currency: str | None = None) -> np.ndarray:
        """Profit of one account, or of all (of a currency) in total, at the sampled times, in money. Shape (n_samples,).

        The sum is of integer quanta, so it does not depend on the order of the accounts.

        Raises
        ------
        InputError
            If the log has no such account, or the total would add currencies.
        """
        codes = self.log.universe.account_codes
        if account is not None and account not in codes:
            raise InputError(f"account={account!r} is not in this log; it has {', '.join(list(codes)[:8])}")
        if account is None and currency is None:
            refuse_currencies(self.log, "a total of all accounts")
        chosen = list(codes.values()) if currency is None else self.accounts_by_currency.get(currency, [])
        chosen = chosen if account is None else [codes[account]]
        equity, flows = self._samples.sampled
        unknown = self._mixing[chosen].any()
        total = (equity - flows)[:, chosen].sum(axis=1) * float(self.log.universe.quantum)
        return np.full_like(total, np.nan) if unknown else total

    def paths(self, currency: str | None = None) -> np.ndarray:
        """Path of the total profit of all accounts (of a currency) between the samples, in quanta of money.

        Returns
        -------
        ndarray of int64, shape (n_samples, 4)
            Profit at each sample, and the highest, the lowest and the maximum drawdown since the sample before, after any
            event.

        Raises
        ------
        InputError
            If the total would add currencies.
        """
        if currency is None:
            refuse_currencies(self.log, "a total of all accounts")
        names = list(one_currency(self.log))
        return self._samples.paths[:, 0 if currency is None else names.index(currency)]

    def drawdown(self, currency: str | None = None) -> float:
        """Maximum drawdown of the total of `paths`, in money; NaN if the replay was not sampled (``sample_ns``)."""
        if not self._samples.paths.size:
            return float("nan")
        return deepest_fall(self.paths(currency)) * float(self.log.universe.quantum)

    @property
    def sample_times(self) -> np.ndarray:
        """Sample times, nanoseconds; a sample is taken before the events of its time."""
        return self._samples.sample_at

    def states(self) -> dict[str, str]:
        """State of each account after the last event: ACTIVE, REDUCING, HALTED or PAUSED.

        PAUSED if a command or a rule has paused the account, its desk or firm, or everything, HALTED if the command STOP or
        a rule with the action HALT has; REDUCING and HALTED by a command are enforced by the rule ``trading_state`` and appear only with
        such a rule.
        """
        now = int(self.log.columns["ts"].max()) if len(self.log) else 0
        return states_of(self.log.universe, self.history, self.state, now)

    def counts(self) -> dict[str, int]:
        """Counters of the loop besides decisions."""
        return {
            name.lower(): int(self.state.counts[counter])
            for name, counter in Counter.__members__.items()
            if Counter.ERRORS_TS <= counter <= Counter.CANCELLED
        }

    def to_vectorbt(self, bars: str | None = None, *, freq: Any = None, tz: str | None = "UTC") -> Any:
        """The vectorbt portfolio of the booked fills: in shadow mode the recorded ones, in enforce mode the allowed ones.

        Parameters
        ----------
        bars : str, optional
            Width of a bar, as "1D"; times are rounded down to it. By default one bar per time with a fill or a price.
        freq : str or Timedelta, optional
            Period for vectorbt's annualisation; by default `bars`, else the most frequent distance of two bars.
        tz : str, optional
            Time zone of the index; None gives UTC without a zone.

        Returns
        -------
        vectorbt.Portfolio
            Columns are the accounts if each traded one instrument; else accounts and instruments, grouped by account
            with shared cash. A close is the mark of the replay at the end of the bar.

        Raises
        ------
        ImportError
            If vectorbt is not installed.
        InputError
            If the log does not fit a portfolio: opening positions, money paid in or out, given equity, several
            currencies, no fill and no price.
        """
        return portfolio_of(self, bars, freq, tz)

    # ------------------------------------------------------------------ plots

    @cached_property
    def timeline(self) -> Timeline:
        """The time axis of the plots."""
        return Timeline.of(self.log.columns["ts"])

    def plot_equity(self, ax: Any = None, *, account: str | None = None) -> Any:
        """Plot the profit of one account, or of all in total, over time.

        Raises
        ------
        InputError
            If the replay was not sampled, or the log has no such account.
        """
        return equity_plot(self, account, ax)

    def plot_refusals(self, ax: Any = None, *, tz: str = "UTC") -> Any:
        """Plot the times of refusals in a time zone, one lane per refusing rule."""
        return refusals_plot(self, ax, tz)

    # ------------------------------------------------------------------ display

    def _sheets(self) -> list[Sheet]:
        return [Sheet("refusals", self.refused())]

    def summary(self) -> dict[str, Any]:
        """The result as a dict of Python numbers and texts; with several currencies the profit is a dict of theirs."""
        kinds, profit = self.log.counts(), self.profit_by_currency()
        return {
            "mode": self.mode,
            "events": len(self.log),
            "orders": kinds.get(EventKind.ORDER.name, 0),
            "not_judged": self.not_judged,
            "refused": len(self.rejections()),
            "refusals_by_rule": self.refusals_by_rule(),
            "halted_time": self.halted_time(),
            **self._notices(),
            **dict(zip(("external_events", "external_orders"), self.log.external, strict=True)),
            "profit": profit if len(profit) > 1 else next(iter(profit.values())),
            "digest": self.digest,
        }

    def _notices(self) -> dict[str, int]:
        """Counts that are shown if they are not 0: those of the loop, and what the log says of orders that cannot be."""
        return {**self.counts(), **self.log.order_faults}

    def _title(self) -> str:
        return f"Replay in {self.mode} mode"

    def _rows(self) -> list[Row]:
        found = self.summary()
        rows: list[Row] = [
            *assumed_rows(self.rules, self.log, self.not_judged),
            ("events", found["events"], ""),
            *((kind, total, "") for kind, (_, total) in self.refused_by_kind().items()),
            *((f"refused {kind}", count, "") for kind, (count, _) in self.refused_by_kind().items()),
        ]
        rows += [(f"  by {name}", count, "") for name, count in found["refusals_by_rule"].items()]
        rows += [
            (f"halted by {name}", count / 3.6e12, "account-hours")
            for name, count in found["halted_time"].items()
            if count
        ]
        rows += external_row(self.log)
        rows += [(name.replace("_", " "), count, "") for name, count in self._notices().items() if count]
        rows += self.flattening.rows() if self.flattening else []
        rows += profit_rows("profit", self.profit_by_currency())
        for policy, profits in self.profits_by_policy.items():
            chosen = " (this replay)" if policy == self.options["orphans"] else ""
            label = f"  if orphan exits are {ORPHANS_ARE[policy]}{chosen}"
            rows += profit_rows(label, profits)
        data = data_sentence(self.log.about).removeprefix("Data: ")
        rows += [("digest", found["digest"][:16], "..."), ("data", data, "")]
        return [*rows, ("note", NOTE, "")] if self.mode == "enforce" else rows
