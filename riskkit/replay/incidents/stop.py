"""Time to stop and loss at stop: how soon a rule set stops an account in an incident, and the loss by then.

An order (or modify) of the account *opens or adds* unless it only reduces: the account's position from the fills so far
in the counterfactual book is flat, on the order's side, or smaller than the order. In enforce mode the account is
*stopped* at its first rejected message (or one dropped with its parent) after the last accepted one that opens or adds,
if the stop lasts: a pause that ends only by a command or lasts for a declared time; or further messages are rejected for
that time and none that opens or adds passes; or none ever passed. Otherwise, and if it was refused anything, it is
*throttled*: a limit that lets every second order through to the end has stopped nobody, whichever order was the last.

**Time to stop** is measured from the account's first order in the incident. **Loss at stop** is the loss since then, at
the marks of the stop; **loss with limits** is the loss of the same book at the end of the log, since accepted orders may
go on losing. The market does not react to rejections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from riskkit import plot
from riskkit._check import Duration, InputError, instance, one_of
from riskkit._show import Row, Shown
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.incidents.incident import Incident, incident
from riskkit.replay.incidents.messages import adding, passed, refusals, rule_of
from riskkit.replay.incidents.stream import incident_log
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.results.booked import accepted_lots, booked_moves
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import Stage, orphan_policy, replay_log
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.replay.schema.durations import duration, duration_text
from riskkit.replay.sweeps.many.order_outcome import order_outcomes
from riskkit.replay.sweeps.many.runner import Orphans

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SAMPLES = 400  # of the incident, for a plot
MAX_SAMPLES = 10_000  # of the log
WITHOUT, WITH = "without limits", "with limits"


@dataclass(frozen=True, repr=False, eq=False)
class StopReport(Shown):
    """Result of `stop_report`; money in the log's currency, losses positive, times in seconds from the first order.

    Parameters
    ----------
    title, account, currency : str
        Title of the log, the account, and its currency.
    stopped : bool
        True if the account was stopped before the end of the incident, and the stop lasts.
    through : float, optional
        Messages accepted that open or add, a fraction of all such messages from the first rejection on; None if nothing
        was rejected.
    lasting_ns : int
        Declared time that a stop lasts, in nanoseconds.
    time_to_stop, loss_at_stop : float, optional
        None if it was not stopped.
    rule : str, optional
        Id of the rule that rejected at the stop.
    first_rejection, first_rule : float and str, optional
        Time of the first rejection, which need not stop the account, and its rule.
    orders, orders_accepted : int
        Orders sent, and orders accepted.
    notional, notional_accepted : float
        Notional of these orders at their prices (the last mark for a market order), without parents, whose children
        are counted.
    traded, traded_accepted : float
        Notional of the fills, without and with limits.
    loss, loss_with_limits : float
        Loss at the end of the log, without and with limits.
    digest : str
        Digest of the replay with limits.
    times, losses, losses_with_limits : ndarray, shape (n_samples,)
        Nanoseconds since the epoch, and both losses at these times.
    start, stop : int
        Nanoseconds since the epoch of the first order and of the stop (0: none).

    Examples
    --------
    >>> size = {"id": "size", "type": "max_order_qty", "params": {"limit": 1000}}
    >>> report = stop_report(incident_log("jcom"), RuleSet.from_dict({"rules": [size]}), compiled=False)
    >>> report.stopped, report.rule, report.loss_with_limits
    (True, 'size', 0.0)
    """

    title: str
    account: str
    currency: str
    stopped: bool
    through: float | None
    lasting_ns: int
    time_to_stop: float | None
    loss_at_stop: float | None
    rule: str | None
    first_rejection: float | None
    first_rule: str | None
    orders: int
    orders_accepted: int
    notional: float
    notional_accepted: float
    traded: float
    traded_accepted: float
    loss: float
    loss_with_limits: float
    digest: str
    times: np.ndarray
    losses: np.ndarray
    losses_with_limits: np.ndarray
    start: int
    stop: int

    def _title(self) -> str:
        return f"{self.title}: {self.outcome}"

    @property
    def outcome(self) -> str:
        """What the rules did, in words."""
        if self.stopped:
            return f"stopped after {_length(self.time_to_stop)} by {self.rule}"
        if self.through == 0.0:
            return f"held to the end of its orders, less than {duration_text(self.lasting_ns)}"
        return "not stopped" if self.through is None else f"throttled, {self.through:.0%} through"

    def _rows(self) -> Iterable[Row]:
        money = self.currency
        yield "account", self.account, ""
        yield "time to stop", self.time_to_stop, "s"
        yield "stopped by", self.rule, ""
        yield "loss at stop", self.loss_at_stop, money
        yield "a stop lasts at least", duration_text(self.lasting_ns), ""
        yield "through after the first rejection", self.through, "fraction of what opens or adds"
        yield "loss with limits, at the end", self.loss_with_limits, money
        yield "loss without limits", self.loss, money
        yield "orders accepted", self.orders_accepted, f"of {self.orders:,}"
        yield "notional accepted", self.notional_accepted, money
        yield "  of", self.notional, money
        yield "traded with limits", self.traded_accepted, money
        yield "  without limits", self.traded, money
        yield "first rejection after", self.first_rejection, "s"
        yield "  by", self.first_rule, ""

    def summary(self) -> dict[str, Any]:
        """The scalar results as one row of a table."""
        names = "outcome stopped through time_to_stop rule loss_at_stop loss_with_limits loss orders_accepted orders notional_accepted"
        names += " notional traded_accepted traded first_rejection first_rule currency"
        return {name: getattr(self, name) for name in names.split()}

    def to_frame(self) -> pd.DataFrame:
        """Losses over time, indexed by seconds from the first order."""
        import pandas as pd

        seconds = pd.Index((self.times - self.start) / 1e9, name="seconds")
        return pd.DataFrame({WITHOUT: self.losses, WITH: self.losses_with_limits}, index=seconds)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the loss over time without and with limits, and the stop."""
        both = np.concatenate([self.losses, self.losses_with_limits])
        scale, unit = plot.money_scale(both, self.currency)
        seconds = (self.times - self.start) / 1e9
        lines = {WITHOUT: self.losses / scale, WITH: self.losses_with_limits / scale}
        end = f"{lines[WITH][-1]:,.3g} instead of {lines[WITHOUT][-1]:,.3g} {unit} lost"
        title = f"{self.title}\n{self.outcome}; {end}"
        ax = plot.curves(seconds, lines, label=f"loss, {unit}", title=title, time=_axis(seconds), ax=ax)
        if self.time_to_stop is not None and self.loss_at_stop is not None:
            ax.axvline(self.time_to_stop, color=plot.WARM, lw=1.0, ls="--", zorder=1)
            ax.plot([self.time_to_stop], [self.loss_at_stop / scale], "o", color=plot.WARM, ms=5, zorder=5)
        return ax


@needs_a_log
def stop_report(
    log: EventLog,
    rules: RuleSet,
    *,
    account: str | None = None,
    lasting_ns: Duration = "10s",
    orphans: Orphans | None = None,
    on_trip: Literal["leave", "cancel_working"] = "leave",
    compiled: Tier = "auto",
) -> StopReport:
    """Measure when a rule set stops the account of an incident, the loss by then, and the orders accepted before.

    Parameters
    ----------
    log : EventLog
        From `incident_log` or `inject`, or any log with an `account`.
    rules : RuleSet
        The limits, enforced. The module docstring defines *stopped*.
    account : str, optional
        Account whose orders are examined, over the whole log; by default that of the incident, over its duration.
    lasting_ns : str, Timedelta or int
        Time that a stop lasts: no message that opens or adds passes while others are rejected, or a pause holds. Longer
        than the window of a rate limit, which lets messages through again after it.
    orphans, on_trip, compiled
        As in `riskkit.replay_log`; `riskkit.incidents.detection` flattens as well.

    Returns
    -------
    StopReport

    Raises
    ------
    InputError
        If the log has no incident and no account is given, or the account sent no order.

    Examples
    --------
    >>> rate = {"id": "rate", "type": "order_rate", "params": {"limit": 100, "window_ns": "1s"}}
    >>> rules = RuleSet.from_dict({"rules": [rate]})
    >>> report = stop_report(incident_log("infinium", scale=0.1), rules, compiled=False)
    >>> report.outcome, report.first_rule, report.orders_accepted, report.orders
    ('held to the end of its orders, less than 10 s', 'rate', 100, 677)
    """
    instance(rules, RuleSet, "rules")
    code, label, messages, end = _messages(log, account)
    first = int(messages[0])
    one_of(on_trip, ("leave", "cancel_working"), "on_trip")
    options: dict[str, Any] = {"orphans": orphans, "on_trip": on_trip, "compiled": compiled}
    options["sample_ns"] = _spacing(log.columns["ts"], first, end)
    limited = replay_log(log, rules, "enforce", **options)
    without = replay_log(log, RuleSet([]), **options)
    before, before_limited = (
        _profit(log, first, label, chosen, mode, options)
        for chosen, mode in ((RuleSet([]), "shadow"), (rules, "enforce"))
    )
    kept, accepted = passed(limited), accepted_lots(limited)
    refused = refusals(limited, messages)
    lasting_ns = duration(lasting_ns, "lasting_ns")
    adds = messages[adding(limited, booked_moves(limited), messages)]
    stop = _stop_of(limited, adds[kept[adds]], refused, lasting_ns)
    later = adds[adds > refused["seq"][0]] if len(refused) else adds[:0]
    ts = log.columns["ts"]
    sent = messages[log.columns["kind"][messages] == EventKind.ORDER]
    singles = sent[~np.isin(sent, log.columns["parent"][sent])] if "parent" in log.columns else sent
    money, notional = log.universe.money, order_outcomes(log, compiled=compiled).notional
    lost = None
    if stop is not None:
        lost = before_limited - _profit(log, int(stop["seq"]) + 1, label, rules, "enforce", options)
    fills = np.flatnonzero((log.columns["kind"] == EventKind.FILL) & (log.columns["account"] == code))
    fills = fills[(fills > first) & (ts[fills] <= end)]
    worth = _worth(log, fills)
    times = limited.sample_times
    drawn = (times >= ts[first]) & (times <= end + options["sample_ns"])

    def after(row: Any) -> float | None:
        return None if row is None else float(ts[int(row["seq"])] - ts[first]) / 1e9

    return StopReport(
        title=str(log.about.get("title", "A log")),
        account=label,
        currency=log.universe.currency,
        stopped=stop is not None,
        through=float(kept[later].mean()) if len(later) else 0.0 if len(refused) else None,
        lasting_ns=lasting_ns,
        time_to_stop=after(stop),
        loss_at_stop=lost,
        rule=None if stop is None else rule_of(limited, stop),
        first_rejection=after(refused[0] if len(refused) else None),
        first_rule=rule_of(limited, refused[0]) if len(refused) else None,
        orders=len(sent),
        orders_accepted=int(kept[sent].sum()),
        notional=money(int(notional[singles].sum())),
        notional_accepted=money(int(notional[singles[kept[singles]]].sum())),
        traded=float((worth * log.columns["qty"][fills]).sum()),
        traded_accepted=float((worth * accepted[fills]).sum()),
        loss=before - _final(without, label),
        loss_with_limits=before_limited - _final(limited, label),
        digest=limited.digest,
        times=np.concatenate([[ts[first]], times[drawn]]),
        losses=np.concatenate([[0.0], before - without.profit_curve(label)[drawn]]),
        losses_with_limits=np.concatenate([[0.0], before_limited - limited.profit_curve(label)[drawn]]),
        start=int(ts[first]),
        stop=0 if stop is None else int(ts[int(stop["seq"])]),
    )


def compare_stops(
    which: Iterable[str | Incident],
    rule_sets: Mapping[str, RuleSet | Callable[[Incident], RuleSet]],
    *,
    scale: float = 1.0,
    seed: int = 0,
    compiled: Tier = "auto",
) -> pd.DataFrame:
    """Compare the stops of several incidents under several rule sets.

    Parameters
    ----------
    which : iterable of str or Incident
        See `riskkit.incidents.catalogue`.
    rule_sets : mapping of name to RuleSet
        Or a function of the incident that returns one, for limits in the incident's currency.
    scale, seed, compiled
        As in `incident_log` and `stop_report`.

    Returns
    -------
    DataFrame
        Indexed by (incident, rules), the columns of `StopReport.summary`.

    Examples
    --------
    >>> size = RuleSet.from_dict({"rules": [{"id": "q", "type": "max_order_qty", "params": {"limit": 1000}}]})
    >>> frame = compare_stops(["jcom"], {"none": RuleSet([]), "size": size}, compiled=False)
    >>> frame["stopped"].tolist()
    [False, True]
    """
    import pandas as pd

    rows, keys = [], []
    for event in map(incident, which):
        log = incident_log(event, scale=scale, seed=seed)
        for name, rules in rule_sets.items():
            chosen = rules if isinstance(rules, RuleSet) else rules(event)
            rows.append(stop_report(log, chosen, compiled=compiled).summary())
            keys.append((event.id, name))
    if not rows:
        raise InputError("which or rule_sets is empty; give at least one incident and one rule set")
    return pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(keys, names=["incident", "rules"]))


# ---------------------------------------------------------------------- parts


def _messages(log: EventLog, account: str | None) -> tuple[int, str, np.ndarray, int]:
    """Code and label of the account, rows of its orders and modifies, and end of the incident."""
    about, columns = log.about.get("incident"), log.columns
    if account is None and about is None:
        raise InputError("account is missing: this log has no incident; name an account")
    label = about["account"] if account is None and about is not None else str(account)
    if label not in log.universe.account_codes:
        known = ", ".join(list(log.universe.account_codes)[:8])
        raise InputError(f"account={account!r} is not in this log; it has {known}")
    code = log.universe.account_codes[label]
    mine = (columns["account"] == code) & np.isin(columns["kind"], (EventKind.ORDER, EventKind.MODIFY))
    end = int(columns["ts"].max(initial=0))
    if account is None and about is not None:
        mine &= (columns["ts"] >= about["since"]) & (columns["ts"] <= about["until"])
        end = int(about["end"])
    rows = np.flatnonzero(mine)
    if not len(rows):
        raise InputError(f"account {label!r} sent no order in this log; there is nothing to stop")
    return code, label, rows, end


def _spacing(ts: np.ndarray, first: int, end: int) -> int:
    """Sample spacing: at least 400 samples of the incident, at most 10,000 of the log."""
    return max((end - int(ts[first])) // SAMPLES, int(ts.max() - ts.min()) // MAX_SAMPLES, 1)


def _profit(log: EventLog, rows: int, label: str, rules: RuleSet, mode: str, options: dict[str, Any]) -> float:
    """The account's profit after the first `rows` events; 0 if it had no event and no opening position."""
    code = log.universe.account_codes[label]
    if not log.universe.accounts[code].positions and not (log.columns["account"][:rows] == code).any():
        return 0.0
    head = {name: column[:rows] for name, column in log.columns.items()}
    part = EventLog(head, log.pair_account, log.pair_instrument, log.universe, log.about)
    options = {**options, "orphans": orphan_policy(log, options["orphans"])}
    return _final(Stage(part, rules, mode, **options).replay(rules), label)


def _final(result: ReplayResult, label: str) -> float:
    return float(result.accounts()["profit"][label])


def _stop_of(result: ReplayResult, added: np.ndarray, refused: np.ndarray, lasting_ns: int) -> Any:
    """The refusal at which the account is stopped for that time, None if it is not; `added` are rows that add and passed."""
    after = refused[refused["seq"] > added[-1]] if len(added) else refused
    if not len(after):
        return None
    ts = result.log.columns["ts"]
    first = int(ts[after["seq"][0]])
    trips = result.transitions()
    trips = trips[np.isin(trips["seq"], after["seq"]) & (trips["code"] == DecisionCode.TRIP)]
    pauses = np.concatenate([after[after["code"] == DecisionCode.HELD]["until"], trips["until"]])
    held = int(pauses.max(initial=first)) - first >= lasting_ns
    went_on = int(ts[after["seq"][-1]]) - first >= lasting_ns
    return after[0] if held or went_on or not len(added) else None


def _worth(log: EventLog, rows: np.ndarray) -> np.ndarray:
    """Notional of one lot of each of these fills, in money."""
    universe = log.universe
    ratio = np.array([float(universe.ratio(instrument) * universe.quantum) for instrument in universe.instruments])
    worth: np.ndarray = np.abs(log.columns["price"][rows]) * ratio[log.columns["instrument"][rows]]
    return worth


def _length(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:,.3g} s" if seconds < 120 else f"{seconds / 60:,.1f} min"


def _axis(seconds: np.ndarray) -> plot.TimeAxis:
    """Axis of time since the first order, in seconds, minutes or hours."""
    end = float(seconds[-1])
    length, unit = next((pair for pair in ((3600.0, "h"), (60.0, "min")) if end >= 3 * pair[0]), (1.0, "s"))
    rough = max(end, 1e-9) / length / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(power * next(nice for nice in (1, 2, 5, 10) if nice * power >= rough)) * length
    ticks = np.arange(0.0, end + step / 2, step)
    return plot.TimeAxis(end, ticks, [f"{tick / length:.3g}" for tick in ticks], f"{unit} since the first order")
