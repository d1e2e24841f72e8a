"""`propose_limits`: limits from what a log observed, by percentiles with headroom and by return levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from riskkit._check import Duration, InputError, finite_number, instance, one_of, positive, probability, shown
from riskkit._excel import Exported
from riskkit._show import Row, number
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.rules.judged import not_judged, refuse_unjudged
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import Universe, decimal_text
from riskkit.replay.sweeps.grid.keys import keys_of, labels_of
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve
from riskkit.replay.sweeps.one_pass.observed import ALWAYS, parameter_of
from riskkit.replay.sweeps.proposals.market_volume import last_prices, market_volumes
from riskkit.replay.sweeps.proposals.return_level import ReturnLevel, return_level

if TYPE_CHECKING:
    import pandas as pd

Basis = Literal["larger", "percentile", "return_level"]
MONTH_NS = 365.25 / 12 * DAY_NS
ALL = "(all)"
"""Key of the row that has all keys of a rule, whose limit is one for each of them."""


class Wanted(NamedTuple):
    """What a limit is proposed from; the arguments of `propose_limits`."""

    percentile: float
    headroom: float
    once_in_months: float
    basis: str
    coverage: float
    episode_ns: int
    digits: int


@dataclass(frozen=True, repr=False, eq=False)
class ProposedLimits(Exported):
    """Result of `propose_limits`.

    Attributes
    ----------
    base : RuleSet
        The rules as given.
    frame : DataFrame
        One row per rule and key, and one for all keys of a rule, "(all)", whose ``proposed`` is the largest of them: a
        rule has one limit for every key. Amounts are in the units of the rule set. ``parameter``; ``now``, its present
        value; ``messages`` that some limit would refuse; ``episodes`` with such a message; ``percentile`` and ``most`` of
        the observed values; ``return_level``, exceeded in one episode in so many months, with the ends of its interval;
        ``proposed``; ``refused``, messages of the record over the proposed limit; ``months_between``, expected between
        episodes over it; ``now_to_adv`` and ``proposed_to_adv``, limits over the market's volume of a day in the least
        traded instrument of the key; ``reason``.
    not_proposed : dict of str to str
        Rules without a proposal, and why.
    wanted : Wanted
        What the limits are proposed from.
    observations : dict of str to DataFrame
        By rule, the observed values: ``ts`` (nanoseconds since the epoch), ``key``, ``value``.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=1))])
    >>> found = propose_limits(rk.replay.tiny_log([3, 9, 4]), rules, compiled=False)
    >>> found.to_rules()["size"].parameters.limit
    14
    """

    base: RuleSet
    frame: pd.DataFrame
    not_proposed: dict[str, str]
    wanted: Wanted
    observations: dict[str, pd.DataFrame]

    def to_rules(self) -> RuleSet:
        """The rules with the proposed limits; rules without a proposal are as given."""
        rows = self._of_all_keys().iterrows()
        setting = {f"{rule}.{row['parameter']}": row["proposed"] for rule, row in rows}
        return with_setting(self.base, setting) if setting else self.base

    def to_frame(self) -> pd.DataFrame:
        """One row per rule and key."""
        return self.frame

    def by_hour(self, rule: str, tz: str = "UTC") -> pd.DataFrame:
        """Observed values of one rule by key and hour of the day: messages, percentile and largest value.

        Parameters
        ----------
        rule : str
            Its id.
        tz : str
            Time zone of the hours.

        Returns
        -------
        DataFrame
            Indexed by key and hour, 0 to 23; hours without a message have no row.

        Raises
        ------
        InputError
            If the rule has no proposal, or the time zone is not known.
        """
        import pandas as pd

        if rule not in self.observations:
            known = ", ".join(self.observations) or "none"
            raise InputError(f"rule={rule!r} has no proposal; these have: {known}")
        seen = self.observations[rule]
        try:
            hour = pd.to_datetime(seen["ts"], utc=True).dt.tz_convert(tz).dt.hour
        except (KeyError, ValueError):  # of zoneinfo
            raise InputError(f"tz={tz!r} is not a time zone; use a name such as 'Europe/London'") from None
        grouped = seen["value"].groupby([seen["key"], hour.rename("hour")], sort=True)
        share = self.wanted.percentile
        described = {
            "messages": grouped.size(),
            "percentile": grouped.agg(lambda part: float(np.quantile(part, share, method="inverted_cdf"))),
            "most": grouped.max(),
        }
        return pd.DataFrame(described)

    def _of_all_keys(self) -> pd.DataFrame:
        frame = self.frame.reset_index("key")
        return frame[frame["key"] == ALL]

    def _title(self) -> str:
        return "Limits proposed from the record"

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for rule, row in self._of_all_keys().iterrows():
            rows.append((str(rule), number(row["proposed"]), f"{row['parameter']}, now {number(row['now'])}"))
            rows.append(("  because", row["reason"], ""))
            rows.append(("  refused in the record", int(row["refused"]), f"of {int(row['messages']):,} messages"))
            if np.isfinite(row["proposed_to_adv"]):
                rows.append(("  of the market's volume a day", f"{row['proposed_to_adv']:.2%}", "least traded"))
        rows += [(rule, "no proposal", why) for rule, why in self.not_proposed.items()]
        return [*rows, ("the record shows what was done, not what is safe", "", "")]


@needs_a_log
def propose_limits(
    log: EventLog,
    rules: RuleSet,
    *,
    percentile: float = 1.0,
    headroom: float = 1.5,
    once_in_months: float = 12.0,
    basis: Basis = "larger",
    coverage: float = 0.90,
    episode_ns: Duration = "1d",
    market_volume: Mapping[str, float] | Literal["log"] | None = None,
    digits: int = 2,
    compiled: Tier = "auto",
) -> ProposedLimits:
    """Propose limits that the recorded flow would seldom have met.

    Each rule is observed in one pass over the log, without a limit. A limit is proposed from a percentile of the observed
    values times a headroom, and from a return level: the value that the largest of an episode (a day) exceeds in one
    episode in so many months, read from a generalized Pareto tail.

    Parameters
    ----------
    log : EventLog
        Recorded events; the book is the recorded one (shadow mode).
    rules : RuleSet
        Rules whose first given limit is to be proposed; its present value is shown beside, and does not matter.
    percentile : float
        Fraction of the observed values of a key, above 0 and at most 1; 1 is the largest.
    headroom : float
        Factor on the percentile, at least 1.
    once_in_months : float
        Months between two episodes in which the limit would refuse.
    basis : {"larger", "percentile", "return_level"}
        What is proposed. "larger" is the percentile alone where there is no return level; "return_level" alone has no
        proposal there.
    coverage : float
        Coverage of the interval of the return level, a fraction.
    episode_ns : str, Timedelta or int
        Length of an episode in nanoseconds. Only the largest value of an episode counts, so that what comes together counts
        once; "1d" is a day in UTC. A return level takes more than 20 episodes.
    market_volume : mapping of instrument to number, "log", or None
        The market's volume of a day (ADV) in quantity of each instrument. "log": the log's fills are all trades of the
        market, and a day's volume is what was bought, over the days with a trade.
    digits : int
        Significant digits to which a proposal is rounded up; a count is a whole number.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Returns
    -------
    ProposedLimits
        ``to_rules()`` is the rule set with the proposed limits.

    Raises
    ------
    InputError
        If the log is empty, an argument is out of range, an instrument of `market_volume` is missing, or no rule can be
        judged on the log.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2.
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, sections 4.3.3 and 5.3.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([3, 9, 4], spacing_ns="6h")
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=1))])
    >>> found = propose_limits(log, rules, market_volume={"X": 1_000}, compiled=False)
    >>> found.frame.loc[("size", "A"), ["most", "proposed", "refused", "proposed_to_adv"]].to_dict()
    {'most': 9.0, 'proposed': 14, 'refused': 0, 'proposed_to_adv': 0.014}
    >>> found.frame.loc[("size", "A"), "reason"]
    '1.5 x 9, the largest of 3; no return level: it takes more than 20 episodes, and there are 1'
    """
    instance(rules, RuleSet, "rules")
    if not len(log):
        raise InputError("the log is empty; there is nothing to propose limits from")
    wanted = _checked(percentile, headroom, once_in_months, basis, coverage, episode_ns, digits)
    adv = market_volumes(log, market_volume)
    refuse_unjudged(rules, log)
    import pandas as pd

    rows: list[dict[str, Any]] = []
    reasons, observations = dict(not_judged(rules, log)), {}
    for rule in rules:
        if rule.id in reasons:
            continue
        parameter = parameter_of(rule)
        if parameter is None:
            reasons[rule.id] = "it has no limit"
            continue
        seen = _Seen(ThresholdCurve(log, rule, parameter, compiled=compiled), adv)
        found = seen.why or _rows_of(seen, wanted)
        if isinstance(found, str):
            reasons[rule.id] = found if rule.action == "REJECT" else f"{found}; riskkit.calibrate chooses its limit"
            continue
        rows += found
        observations[rule.id] = seen.frame()
    columns = ["rule", "key", *COLUMNS]
    frame = pd.DataFrame([[row[name] for name in columns] for row in rows], columns=columns)
    frame["proposed"] = frame["proposed"].astype(object)  # as written in a rule set: whole numbers, exact decimals
    return ProposedLimits(rules, frame.set_index(["rule", "key"]), reasons, wanted, observations)


COLUMNS = (
    *("parameter", "now", "messages", "episodes", "percentile", "most"),
    *("return_level", "return_level_low", "return_level_high"),
    *("proposed", "refused", "months_between", "now_to_adv", "proposed_to_adv", "reason"),
)


def _checked(
    percentile: Any, headroom: Any, once_in_months: Any, basis: Any, coverage: Any, episode_ns: Any, digits: Any
) -> Wanted:
    if not 0.0 < finite_number(percentile, "percentile") <= 1.0:
        raise InputError(
            f"percentile={shown(percentile)} is not above 0 and at most 1; 0.999 leaves one in a thousand above"
        )
    if finite_number(headroom, "headroom") < 1.0:
        raise InputError(f"headroom={shown(headroom)} is below 1; it is a factor on the percentile, as 1.5")
    one_of(basis, ("larger", "percentile", "return_level"), "basis")
    if not 1 <= finite_number(digits, "digits") <= 9 or digits != int(digits):
        raise InputError(f"digits={shown(digits)} is not a whole number from 1 to 9")
    return Wanted(
        float(percentile),
        float(headroom),
        positive(once_in_months, "once_in_months"),
        basis,
        probability(coverage, "coverage"),
        duration(episode_ns, "episode_ns", zero=False),
        int(digits),
    )


class _Seen:
    """Observed values of one rule by key, in integer units of the loop; messages without a price are left out."""

    def __init__(self, curve: ThresholdCurve, adv: np.ndarray | None) -> None:
        """`adv` is the market's volume of a day by instrument, in quantity."""
        self.curve, self.rule, self.log = curve, curve.rule, curve.log
        observed = curve.observed
        known = observed.seen != ALWAYS
        self.why = "" if observed.exact else observed.why
        self.values, rows = observed.seen[known], observed.seq[known]
        if not self.why and not len(rows):
            self.why = "the log has no message that a limit could refuse"
        self.ts = self.log.columns["ts"][rows]
        keys = keys_of(self.log, self.rule.scope, rows)
        self.keys = np.zeros(len(rows), np.int64) if keys is None else keys
        self.has_keys = keys is not None
        self.adv = None if adv is None else self._adv_of(rows, adv)

    def labels(self, codes: list[int]) -> list[str]:
        """Labels of keys; one of "(all)" if only the loop knows the keys."""
        return labels_of(self.log, self.rule, codes) if self.has_keys else [ALL for _ in codes]

    def frame(self) -> pd.DataFrame:
        """The observed values in the units of the rule set."""
        import pandas as pd

        codes, index = np.unique(self.keys, return_inverse=True)
        labels = np.array(self.labels(codes.tolist()), dtype=object)
        return pd.DataFrame({"ts": self.ts, "key": labels[index], "value": self.values * self.curve.unit})

    def _adv_of(self, rows: np.ndarray, adv: np.ndarray) -> np.ndarray | None:
        """The market's volume of the instrument of each message, in the unit of the limit; None if it has no such unit."""
        unit = self.rule.kind.units()[self.curve.parameter].name
        codes = self.log.columns["instrument"][rows]
        if unit == "quantity":
            return adv[codes]
        return adv[codes] * last_prices(self.log)[codes] if unit == "money" else None


def _rows_of(seen: _Seen, wanted: Wanted) -> list[dict[str, Any]] | str:
    """Rows of the keys and of all keys of one rule, or why there are none."""
    codes = np.unique(seen.keys).tolist()
    labels = seen.labels(codes)
    by_key = [_row(seen, seen.keys == code, label, wanted) for code, label in zip(codes, labels, strict=True)]
    proposed = [row for row in by_key if row["proposed"] is not None]
    if not proposed:
        return str(by_key[0]["reason"])
    largest = max(proposed, key=lambda row: row["exact"])
    of = f"{largest['key']}: " if len(by_key) > 1 else ""
    every = {**_row(seen, np.ones(len(seen.keys), bool), ALL, wanted), **_as_proposed(seen, largest["exact"])}
    levels = ("return_level", "return_level_low", "return_level_high", "months_between")
    if len(by_key) > 1:  # the limit holds for each key, so levels of their union mean nothing
        every |= {name: largest[name] for name in levels}
    every["reason"] = f"{of}{largest['reason']}"
    every |= _to_adv(seen, np.ones(len(seen.keys), bool), largest["exact"])
    return [*(by_key if seen.has_keys and labels != [ALL] else []), every]


def _row(seen: _Seen, chosen: np.ndarray, label: str, wanted: Wanted) -> dict[str, Any]:
    """What was observed of one key, and the limit that it proposes."""
    values, ts, unit = seen.values[chosen], seen.ts[chosen], seen.curve.unit
    largest = _largest_of_episodes(ts, values, wanted.episode_ns)
    all_ts = seen.log.columns["ts"]
    months = max(int(all_ts.max() - all_ts.min()), wanted.episode_ns) / MONTH_NS
    per_month = len(largest) / months
    level = return_level(largest.astype(float), wanted.once_in_months * per_month, wanted.coverage)
    at = int(np.quantile(values, wanted.percentile, method="inverted_cdf"))
    exact, reason = _proposal(seen, at, level, len(values), wanted)
    return {
        "rule": seen.rule.id,
        "key": label,
        "parameter": seen.curve.parameter,
        "now": float(getattr(seen.rule.parameters, seen.curve.parameter)),
        "messages": len(values),
        "episodes": len(largest),
        "percentile": at * unit,
        "most": int(values.max()) * unit,
        "return_level": level.level * unit,
        "return_level_low": level.low * unit,
        "return_level_high": level.high * unit,
        "months_between": math.nan if exact is None else level.episodes_between(float(exact) / unit) / per_month,
        **_as_proposed(seen, exact, chosen),
        **_to_adv(seen, chosen, exact),
        "reason": reason,
    }


def _as_proposed(seen: _Seen, exact: Fraction | None, chosen: np.ndarray | None = None) -> dict[str, Any]:
    """A proposal as written in a rule set, and the messages of the record that it refuses."""
    if exact is None:
        return {"exact": None, "proposed": None, "refused": math.nan}
    written = int(exact) if exact.denominator == 1 else decimal_text(exact)
    values = seen.values if chosen is None else seen.values[chosen]
    return {"exact": exact, "proposed": written, "refused": int((values > seen.curve.to_integer(written)).sum())}


def _proposal(seen: _Seen, at: int, level: ReturnLevel, n_values: int, wanted: Wanted) -> tuple[Fraction | None, str]:
    """The limit in the units of the rule set, rounded up, and the reason for it."""
    unit = _exact_unit(seen.log.universe, seen.rule, seen.curve.parameter)
    reached = getattr(seen.rule.parameters, "breach", "exceed") == "reach"  # then a value equal to the limit breaches
    by_percentile = (Fraction(at) + reached) * Fraction(str(wanted.headroom))
    share = "the largest" if wanted.percentile == 1.0 else f"the {100 * wanted.percentile:g} % percentile"
    factor = "" if wanted.headroom == 1.0 else f"{wanted.headroom:g} x "
    if at <= 0:
        return None, f"{share} of {n_values:,} observed values is not above zero"
    because = f"{factor}{number(float(at * unit))}, {share} of {n_values:,}"
    if wanted.basis != "percentile" and not level.why:
        end = "no bound known" if math.isinf(level.high) else number(level.high * float(unit))
        months = f"once in {wanted.once_in_months:g} months"
        level_text = (
            f"{number(level.level * float(unit))}, exceeded {months} "
            f"({wanted.coverage:.0%} interval {number(level.low * float(unit))} to {end})"
        )
        by_level = Fraction(math.ceil(level.level)) + reached
        if wanted.basis == "return_level" or by_level > by_percentile:
            return _rounded_up(by_level * unit, seen, wanted.digits), level_text
        because = f"{because}; the return level is {level_text}"
    elif wanted.basis == "return_level":
        return None, f"no return level: {level.why}"
    elif wanted.basis == "larger":
        because = f"{because}; no return level: {level.why}"
    return _rounded_up(by_percentile * unit, seen, wanted.digits), because


def _exact_unit(universe: Universe, rule: Rule, parameter: str) -> Fraction:
    """Size of one integer unit of the loop, in the units of the rule set."""
    units = {"money": universe.quantum, "quantity": universe.quantity_unit}
    return units.get(rule.kind.units()[parameter].name, Fraction(1))


def _rounded_up(value: Fraction, seen: _Seen, digits: int) -> Fraction:
    """The next number with so many significant digits; of a count the next whole one."""
    if value <= 0:
        return Fraction(0)
    exponent = len(str(int(value))) - digits if value >= 1 else math.floor(math.log10(value)) + 1 - digits
    step = Fraction(10) ** exponent
    if seen.rule.kind.units()[seen.curve.parameter].name == "count":
        step = max(step, Fraction(1))
    return math.ceil(value / step) * step


def _largest_of_episodes(ts: np.ndarray, values: np.ndarray, episode_ns: int) -> np.ndarray:
    _, starts = np.unique(ts // episode_ns, return_index=True)
    return np.maximum.reduceat(values, starts)


def _to_adv(seen: _Seen, chosen: np.ndarray, exact: Fraction | None) -> dict[str, float]:
    """Present and proposed limit over the market's volume of a day in the least traded instrument of the key."""
    if seen.adv is None:
        return {"now_to_adv": math.nan, "proposed_to_adv": math.nan}
    volumes = seen.adv[chosen]
    least = float(np.min(volumes[np.isfinite(volumes)], initial=math.inf)) if np.isfinite(volumes).any() else math.nan
    now = float(getattr(seen.rule.parameters, seen.curve.parameter))
    return {"now_to_adv": now / least, "proposed_to_adv": math.nan if exact is None else float(exact) / least}
