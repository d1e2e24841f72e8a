"""`effectiveness`: contribution of each rule of a set, from one shadow replay and enforced replays of its subsets.

In shadow mode each rule is evaluated as if no other were on, so it stops the same messages in any rule set: how rules
overlap is known without another replay. What they do to profit and drawdown is not: that is the work of enforced replays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from riskkit._check import Duration, InputError, instance, random_generator, whole_number
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.currencies import refuse_currencies
from riskkit.replay.results.result import ORPHANS_ARE, ReplayResult
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.schema.columns import DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.sweeps.grid.keys import keys_of
from riskkit.replay.sweeps.many.days import MONEY, REJECTIONS, rejection_sums
from riskkit.replay.sweeps.many.figures import hindsight_rows, with_notes
from riskkit.replay.sweeps.many.order_outcome import checked_horizon, order_outcomes
from riskkit.replay.sweeps.many.policies import POLICIES, Policy
from riskkit.replay.sweeps.one_pass.observed import ALWAYS, parameter_of
from riskkit.replay.sweeps.rule_value.coalitions import Coalitions, shapley_values
from riskkit.replay.sweeps.rule_value.min_rule_set import min_rule_set
from riskkit.replay.sweeps.rule_value.utilization import utilization

if TYPE_CHECKING:
    import pandas as pd

JUDGED = (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD, DecisionCode.ALERTED)


@dataclass(frozen=True, eq=False, repr=False)
class Effectiveness(Exported):
    """Result of `effectiveness`.

    Attributes
    ----------
    frame : DataFrame
        One row per rule. ``limit``; ``limit_to_own_volume`` (see `effectiveness`); ``observed_most`` (largest observed
        value) and ``limit_to_most``; ``judged`` (the log has what the rule needs); ``never_binding``,
        ``always_binding``.

        In shadow mode, where each rule is evaluated on the record: ``shadow_stops`` (number of messages),
        ``shadow_share`` of all messages, ``shadow_named`` (refusals that name it), ``shadow_first`` (accounts in which
        it was the first to stop a message), ``shadow_only`` (messages that no other rule stops); ``redundant`` (all
        messages that it stops are stopped by others, too); ``minimal`` (in the minimal set).

        Enforced, in money: ``alone_stops``, ``alone_profit_change`` and ``alone_drawdown_change`` with no other rule in
        force; ``leave_one_out_profit_change`` and ``leave_one_out_drawdown_change``, the effect of all rules less that
        of all others; ``shapley_profit_change`` and ``shapley_drawdown_change``, which add up to the effect of all, with
        a standard error (``..._error``, 0 if exact). ``orphans`` is the policy for orphan exits, and
        ``alone_profit_change_keep`` and so on are those under each policy.

        Hindsight, order by order, which does not add up to profit: ``good_rejections``, ``bad_rejections``,
        ``loss_avoided``, ``profit_forgone`` and ``hindsight_net`` (loss avoided less profit forgone) of the orders that
        the rule stops in shadow mode.
    overlap : DataFrame
        Fraction of the messages stopped by the row's rule that the column's rule also stops, in shadow mode; NaN if it
        stops none.
    minimal : tuple of str
        The smallest set of rules that stops all messages that the full set stops, in shadow mode.
    minimal_how : {"exact", "greedy"}
        Greedy: there may be a smaller set.
    horizon_ns : int or None
        Nanoseconds from an order to the valuation of its fills in hindsight; None: the end of the log.
    total : dict of str to float
        ``profit_change`` and ``drawdown_change`` of all rules, enforced.
    attribution : str
        How the Shapley values were found.
    currency : str
        Currency of money.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = rk.EventLog.from_frame(frame)
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> found = effectiveness(rk.replay_log(log, rules, compiled=False), compiled=False)
    >>> found.minimal, found.minimal_how
    (('size',), 'exact')
    """

    frame: pd.DataFrame
    overlap: pd.DataFrame
    minimal: tuple[str, ...]
    minimal_how: str
    horizon_ns: int | None
    total: dict[str, float]
    attribution: str
    currency: str

    def to_frame(self) -> pd.DataFrame:
        """One row per rule."""
        return self.frame

    def plot(self, ax: Any = None) -> Any:
        """Plot the fraction of each rule's stopped messages that each other rule stops, in shadow mode."""
        from riskkit import plot

        names = list(self.overlap.index)
        title = f"{len(self.minimal)} of {len(names)} rules stop everything in shadow mode ({self.minimal_how})"
        values = self.overlap.to_numpy(float)
        return plot.heat(values, names, names, names=("is stopped by", "what this rule stops"), title=title, ax=ax)

    def _title(self) -> str:
        return "Effectiveness of rules"

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for name, row in self.frame.iterrows():
            if not row["judged"]:
                rows.append((str(name), "cannot be judged on this log", "see not_judged of the result"))
                continue
            notes = "never binding" if row["never_binding"] else "always binding" if row["always_binding"] else ""
            notes = "redundant" if row["redundant"] and not notes else notes
            rows += [(str(name), int(row["shadow_stops"]), f"stopped in shadow mode{', ' + notes if notes else ''}")]
            rows += [("  stopped if enforced alone", int(row["alone_stops"]), "")]
            for label, column in CHANGES.items():
                rows.append((f"  profit change, {label}", float(row[column]), self.currency))
            if row["shapley_profit_change_error"] > 0:
                rows.append(("    standard error", float(row["shapley_profit_change_error"]), self.currency))
            by_policy = {policy: float(row[f"alone_profit_change_{policy}"]) for policy in POLICIES}
            if len(set(by_policy.values())) > 1:
                rows += [
                    (f"  alone, if orphan exits are {ORPHANS_ARE[policy]}", value, self.currency)
                    for policy, value in by_policy.items()
                ]
            rows += hindsight_rows([("loss avoided less profit forgone", row["hindsight_net"], "")])
        rows += [(f"{name.replace('_', ' ')}, all rules", value, self.currency) for name, value in self.total.items()]
        rows += [("Shapley values", self.attribution, "")] if len(self.frame) else []
        if len(self.frame):
            rows.append(("orphan exits", ORPHANS_ARE[self.frame["orphans"].iloc[0]], ""))
        rows.append(
            ("enough to stop everything in shadow mode", ", ".join(self.minimal) or "no rule", self.minimal_how)
        )
        until = "the end of the log" if self.horizon_ns is None else f"{duration_text(self.horizon_ns)} after the order"
        return [*rows, ("orders valued in hindsight at", until, "")]


def effectiveness(
    result: ReplayResult,
    *,
    horizon_ns: Duration | None = None,
    rng: np.random.Generator | None = None,
    permutations: int = 200,
    compiled: Tier = "auto",
) -> Effectiveness:
    """Measure how often each rule binds, alone or with others, and what it does to profit and drawdown if enforced.

    Each rule is replayed alone and left out, and the effect of all is attributed by Shapley values. Replays of subsets that
    are the same are run once.

    Parameters
    ----------
    result : ReplayResult
        Of `replay_log` in shadow mode; the enforced replays take its policy for orphan exits.
    horizon_ns : str, Timedelta or int, optional
        Nanoseconds after a stopped order at which its recorded fills are valued in hindsight; by default the end of the
        log.
    rng : numpy.random.Generator, optional
        Source of the random orders; needed for Shapley values of more than ten rules, which are NaN without it.
    permutations : int
        Number of random orders, at least two.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Returns
    -------
    Effectiveness
        ``limit_to_own_volume`` is a limit of quantity or money divided by what the busiest key of the rule's scope traded
        a day itself (mean over the rules' trading days with a fill; a quantity in one instrument); NaN for other limits.

    Raises
    ------
    InputError
        If the result is of enforce mode, where other rules have already removed orders, or accounts have several
        currencies.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.replay.log.event_log import EventLog
    >>> from riskkit.rules import MaxOrderNotional, MaxOrderQty
    >>> from riskkit import RuleSet
    >>> from riskkit.replay.run.replay_log import replay_log
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 5, 2], "price": 10})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=1)), Rule("money", MaxOrderNotional(limit=40))])
    >>> result = replay_log(EventLog.from_frame(frame), rules, compiled=False)
    >>> found = effectiveness(result, compiled=False)
    >>> found.frame[["shadow_stops", "shadow_only", "alone_stops", "redundant", "minimal"]]
           shadow_stops  shadow_only  alone_stops  redundant  minimal
    rule
    size              2            1            2      False     True
    money             1            0            1       True    False
    """
    instance(result, ReplayResult, "result")
    import pandas as pd

    if result.mode != "shadow":
        raise InputError(
            f"the result is of {result.mode} mode; replay the log in shadow mode, where each rule is evaluated alone"
        )
    if rng is not None:
        random_generator(rng)
    permutations = whole_number(permutations, "permutations", at_least=2)
    log, rules = result.log, result.rules
    seq, masks = stops_of(result)
    refuse_currencies(log, "the effectiveness of rules")
    horizon_ns = checked_horizon(horizon_ns)
    chosen, how = min_rule_set(np.unique(masks).tolist())
    names = pd.Index([rule.id for rule in rules], name="rule")
    enforced, total, attribution = _enforced(result, rng, permutations, compiled)
    parts = [_limits(result, compiled), _in_shadow(result, seq, masks, chosen), enforced]
    parts.append(_in_hindsight(result, seq, masks, horizon_ns, compiled))
    frame = pd.concat([pd.DataFrame(part, index=names) for part in parts], axis=1)
    minimal = tuple(rules[k].id for k in chosen)
    return Effectiveness(
        with_notes(frame), _overlap(masks, names), minimal, how, horizon_ns, total, attribution, log.universe.currency
    )


def _limits(result: ReplayResult, compiled: Tier) -> list[dict[str, Any]]:
    """Limits of the rules against what was observed."""
    observed = _most_observed(result, compiled)
    return [
        {
            "limit": limit,
            "limit_to_own_volume": _limit_to_daily(result, rule, limit),
            "observed_most": largest,
            "limit_to_most": limit / largest if largest > 0 else np.nan,
        }
        for rule, (limit, largest) in zip(result.rules, observed, strict=True)
    ]


def _in_shadow(result: ReplayResult, seq: np.ndarray, masks: np.ndarray, chosen: list[int]) -> list[dict[str, Any]]:
    """What the rules stop in shadow mode."""
    messages = int(np.isin(result.log.columns["kind"], (EventKind.ORDER, EventKind.MODIFY)).sum())
    named, first = result.refusals_by_rule(), _first(result, seq, masks)
    rows = []
    for k, rule in enumerate(result.rules):
        stops, only = int((masks >> k & 1).sum()), int((masks == 1 << k).sum())
        rows.append(
            {
                "judged": rule.id not in result.not_judged,
                "never_binding": stops == 0 and rule.id not in result.not_judged,
                "always_binding": 0 < messages == stops,
                "shadow_stops": stops,
                "shadow_share": stops / messages if messages else 0.0,
                "shadow_named": named.get(rule.id, 0),
                "shadow_first": first[k],
                "shadow_only": only,
                "redundant": stops > 0 and only == 0,
                "minimal": k in chosen,
            }
        )
    return rows


def _enforced(
    result: ReplayResult, rng: np.random.Generator | None, permutations: int, compiled: Tier
) -> tuple[list[dict[str, Any]], dict[str, float], str]:
    """What the rules do if enforced: each alone, each left out, and its Shapley value; the total; how it was found."""
    options: dict[str, Any] = {"on_trip": result.options["on_trip"], "flatten": result.pace, "compiled": compiled}
    policy, quantum = cast(Policy, result.options["orphans"]), float(result.log.universe.quantum)
    games = {policy: Coalitions(result.log, result.rules, orphans=policy, **options)}
    game = games[policy]
    record, everyone = game.worth(0), game.worth(game.everyone)
    shapley = shapley_values(game, rng, permutations)
    rows = []
    for k in range(len(result.rules)):
        bit = 1 << k & game.everyone
        alone, others = game.worth(bit), game.worth(game.everyone & ~bit)
        by_policy = dict.fromkeys(POLICIES, alone.profit)
        for other in POLICIES if alone.orphans else ():
            if other not in games:
                games[other] = Coalitions(result.log, result.rules, orphans=other, **options)
            by_policy[other] = games[other].worth(bit).profit
        row: dict[str, Any] = {"alone_stops": alone.refused}
        for place, name in enumerate(("profit", "drawdown")):
            value = [getattr(worth, name) for worth in (record, alone, others, everyone)]
            row |= {
                f"alone_{name}_change": (value[1] - value[0]) * quantum,
                f"leave_one_out_{name}_change": (value[3] - value[2]) * quantum,
                f"shapley_{name}_change": float(shapley.values[k, place]) * quantum,
                f"shapley_{name}_change_error": float(shapley.errors[k, place]) * quantum,
            }
        changes = {f"alone_profit_change_{p}": (profit - record.profit) * quantum for p, profit in by_policy.items()}
        rows.append({**row, "orphans": policy, **changes})
    total = {
        "profit_change": (everyone.profit - record.profit) * quantum,
        "drawdown_change": (everyone.drawdown - record.drawdown) * quantum,
    }
    return rows, total, shapley.how


def _in_hindsight(
    result: ReplayResult, seq: np.ndarray, masks: np.ndarray, horizon_ns: int | None, compiled: Tier
) -> list[dict[str, Any]]:
    """What the recorded fills of the orders that each rule stops then earned or lost."""
    outcomes = order_outcomes(result.log, horizon_ns, compiled=compiled)
    quantum, rows = float(result.log.universe.quantum), []
    for k in range(len(result.rules)):
        stopped = seq[masks >> k & 1 != 0]
        sums = rejection_sums(result.log.columns["kind"][stopped], stopped, outcomes).sum(axis=0).tolist()
        found = {
            name: value * quantum if name in MONEY else value for name, value in zip(REJECTIONS, sums, strict=True)
        }
        own = {name: found[name] for name in ("good_rejections", "bad_rejections", "loss_avoided", "profit_forgone")}
        rows.append({**own, "hindsight_net": found["loss_avoided"] - found["profit_forgone"]})
    return rows


CHANGES = {
    "enforced alone": "alone_profit_change",
    "all rules less all others": "leave_one_out_profit_change",
    "Shapley value": "shapley_profit_change",
}


def stops_of(result: ReplayResult) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the log of the messages that some rule stops, and masks of these rules; int64, shape (n_stopped,).

    An alert stops nothing.
    """
    rows = result.rows[np.isin(result.rows["code"], JUDGED)]
    masks = np.zeros(len(rows), np.int64)
    for k, rule in enumerate(result.rules):
        if rule.action != "ALERT":
            masks |= rows["mask"] & 1 << k
    stopped = masks != 0
    return rows["seq"][stopped].astype(np.int64), masks[stopped]


def _first(result: ReplayResult, seq: np.ndarray, masks: np.ndarray) -> list[int]:
    """Number of accounts in which each rule was the first to stop a message; all rules that stop the first message count."""
    _, first = np.unique(result.log.columns["account"][seq], return_index=True)
    return [int((masks[first] >> k & 1).sum()) for k in range(len(result.rules))]


def _most_observed(result: ReplayResult, compiled: Tier) -> list[tuple[float, float]]:
    """Each rule's limit and largest observed value, in the units of the rule set; NaN if there is none or it is not known."""
    used = utilization(result.log, result.rules, compiled=compiled)
    found = []
    for rule in result.rules:
        parameter = parameter_of(rule)
        value = getattr(rule.parameters, parameter) if parameter else None
        limit = float(value) if value is not None else np.nan
        largest = np.nan
        if parameter and value is not None:
            curve = used.curve(rule.id, parameter)
            if curve.exact:
                values = curve.observed.seen[curve.observed.seen != ALWAYS]
                largest = float(values.max(initial=0) * curve.unit)
        found.append((limit, largest))
    return found


def _limit_to_daily(result: ReplayResult, rule: Rule, limit: float) -> float:
    parameter = parameter_of(rule)
    unit = rule.kind.units()[parameter].name if parameter else ""
    if unit not in ("quantity", "money"):
        return float("nan")
    log, columns = result.log, result.log.columns
    fills = columns["kind"] == EventKind.FILL
    if "flags" in columns:
        fills &= columns["flags"] & int(RowFlag.BAD_TS | RowFlag.DUPLICATE) == 0
    rows = np.flatnonzero(fills)
    keys = keys_of(log, rule.scope, rows)
    if keys is None or not len(rows) or (keys < 0).all():
        return float("nan")
    codes = columns["instrument"][rows]
    traded = log.universe.quantities(columns["qty"][rows], codes)
    if unit == "money":
        multipliers = np.array([float(instrument.multiplier) for instrument in log.universe.instruments])
        traded = np.abs(traded * log.universe.prices(columns["price"][rows], codes)) * multipliers[codes]
    starts = TradingDay.of(result.rules).starts(columns["ts"])
    days = len(np.unique(np.searchsorted(starts, columns["ts"][rows], "right")))
    known = keys >= 0
    if unit == "quantity":  # lots of different instruments do not add up
        keys = keys * len(log.universe.instruments) + codes
    busiest = float(np.bincount(keys[known], weights=traded[known]).max()) / days
    return limit / busiest if busiest > 0 else float("nan")


def _overlap(masks: np.ndarray, names: Any) -> pd.DataFrame:
    import pandas as pd

    stopped = [(masks >> k & 1) != 0 for k in range(len(names))]
    shares = [[float((a & b).sum() / a.sum()) if a.any() else np.nan for b in stopped] for a in stopped]
    return pd.DataFrame(shares, index=names, columns=names)
