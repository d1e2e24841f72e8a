"""Detection: which incidents a limit catches, how soon and at what loss, against what it refuses on ordinary days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import Amount, Duration, InputError, instance, probability, random_generator, whole_number
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.incidents.detection_result import Detection
from riskkit.replay.incidents.incident import Incident, incident
from riskkit.replay.incidents.injected import Draw, Injected, injected, outcome
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.pace import TOUCH, OnTrip, Pace
from riskkit.replay.run.replay_log import orphan_policy, replay_log
from riskkit.replay.schema.calendar import day_starts
from riskkit.replay.schema.columns import OPTIONAL
from riskkit.replay.schema.durations import duration
from riskkit.replay.sweeps.grid.settings import Grid, checked_settings

LARGEST_SEED = 2**31


@needs_a_log
def detection(
    log: EventLog,
    rules: RuleSet,
    incidents: Iterable[str | Incident],
    settings: Grid,
    *,
    rng: np.random.Generator,
    moments: int = 10,
    scales: Iterable[float] = (0.01,),
    lasting_ns: Duration = "1min",
    account: str = "",
    rates: Mapping[str, Amount] | None = None,
    orphans: str | None = None,
    on_trip: OnTrip = "leave",
    flatten: Pace = TOUCH,
    coverage: float = 0.9,
    compiled: Tier = "auto",
    progress: bool | None = None,
) -> Detection:
    """Inject incidents into ordinary days at many moments, and replay each under every setting of the rules.

    Each setting gets a catch rate, the time to the stop and the loss by then, against the messages that it refuses a day on
    the log itself: the false alarms, as the log is taken to be without an incident. Each setting is replayed once on the
    log, and once on each injected run, up to its end and, if no rule joins accounts, without other accounts.

    Parameters
    ----------
    log : EventLog
        Ordinary days.
    rules : RuleSet
        The limits, enforced.
    incidents : iterable of str or Incident
        Of `riskkit.incidents.catalogue`.
    settings : mapping, list of settings, or Sampler
        As `grid` in `riskkit.sweep`: ``{"rule_id.parameter": [values]}``.
    rng : numpy.random.Generator
        Draws the moments (a day of the log, then a time between its first and its last event) and the seeds of the streams;
        all settings meet the same runs.
    moments : int
        Number of moments of each incident at each scale.
    scales : iterable of float
        Fractions of an incident, its beginning; see `riskkit.incidents.incident_log`.
    lasting_ns : str, Timedelta or int
        Time for which no order that opens or adds may pass after the refusal that is called a stop. Make it longer than the
        windows and pauses of the rules, or the time in which a person takes over.
    account : str
        Account of the incident; by default a new one, named after it.
    rates : mapping of currency to number, optional
        Price of one unit of an incident's currency in the log's, if they differ.
    orphans, on_trip, flatten, compiled
        As in `riskkit.replay_log`; with ``on_trip="flatten"`` the loss with limits is that after the position is closed.
    coverage : float
        Coverage of the intervals, a fraction.
    progress : bool, optional
        Show a progress bar with an estimate of the time left (needs tqdm): True always, False never, None after a second
        on a terminal and in a notebook.

    Returns
    -------
    Detection
        Reproducible for the same Generator state.

    Raises
    ------
    InputError
        If the log is empty, nothing is to be injected, a setting does not fit the rules, or an incident cannot be injected.

    Examples
    --------
    >>> import riskkit as rk
    >>> day = rk.replay.tiny_log([1, 2, 9], spacing_ns="1min")
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5), action="HALT")])
    >>> found = detection(day, rules, ["flash"], {"size.limit": [1, 5, 1_000]}, moments=2, rng=np.random.default_rng(1),
    ...                   compiled=False)
    >>> found.frame[["catch_rate", "false_alarms"]]
                catch_rate  false_alarms
    size.limit
    1                  1.0           2.0
    5                  1.0           1.0
    1000               0.0           0.0
    >>> found.best(at_most_false_alarms=1)
    {'size.limit': 5}
    """
    instance(rules, RuleSet, "rules")
    random_generator(rng)
    probability(coverage, "coverage")
    lasting = duration(lasting_ns, "lasting_ns", zero=False)
    if not len(log):
        raise InputError("the log is empty; give ordinary days, into which incidents are injected")
    chosen, parts = [incident(which) for which in _listed(incidents, "incidents")], _listed(scales, "scales")
    found = checked_settings(rules, settings, log)
    _check_rates(log, chosen, rates or {})
    draws = list(_draws(log, rules, chosen, parts, whole_number(moments, "moments"), rng))
    runs = [_injected(log, rules, draw, lasting, account, rates or {}) for draw in draws]
    names = {name for part in (log, *(run.log for run in runs)) for name in part.columns} & OPTIONAL.keys()
    day, runs = _with_columns(log, names), [run._replace(log=_with_columns(run.log, names)) for run in runs]
    options: dict[str, Any] = {"orphans": orphan_policy(log, orphans), "on_trip": on_trip, "flatten": flatten}
    starts = _days(log, rules)
    refused, outcomes = [], []
    for setting in with_bar(found, "detection", unit="setting", wanted=progress):
        limits = with_setting(rules, setting)

        def enforced(part: EventLog, limits: RuleSet = limits) -> ReplayResult:
            return replay_log(part, limits, "enforce", compiled=compiled, **options)

        quiet = enforced(day)
        times = quiet.log.columns["ts"][quiet.rejections()["seq"]]
        refused.append(np.bincount(np.searchsorted(starts, times, "right") - 1, minlength=len(starts)))
        outcomes.append([outcome(run, enforced(run.log), lasting) for run in runs])
    return Detection(log, rules, found, draws, outcomes, np.array(refused), lasting, coverage)


def _listed(given: Any, name: str) -> list[Any]:
    """A list of one or more."""
    found = [given] if isinstance(given, (str, Incident, float, int)) else list(given)
    if not found:
        raise InputError(f"{name} is empty; name at least one")
    return found


def _days(log: EventLog, rules: RuleSet) -> np.ndarray:
    """Starts of the trading days with events, of the zone of the first rule; nanoseconds, shape (n_days,)."""
    ts = log.columns["ts"]
    tz, roll_hour = next((rule.zone() for rule in rules), ("UTC", 0))
    starts = day_starts(tz, roll_hour, int(ts.min()), int(ts.max()))
    used: np.ndarray = starts[np.unique(np.searchsorted(starts, ts, "right") - 1)]
    return used


def _draws(
    log: EventLog,
    rules: RuleSet,
    incidents: list[Incident],
    scales: list[float],
    moments: int,
    rng: np.random.Generator,
) -> Iterator[Draw]:
    """Draw the runs: a day, a time between its first and its last event, and a seed for each."""
    ts = np.sort(log.columns["ts"])
    starts = _days(log, rules)
    first = np.searchsorted(ts, starts)
    last = np.append(first[1:], len(ts)) - 1
    for which in incidents:
        for scale in scales:
            for _ in range(moments):
                day = int(rng.integers(len(starts)))
                at = int(rng.integers(ts[first[day]], ts[last[day]], endpoint=True))
                yield Draw(which, scale, at, int(rng.integers(LARGEST_SEED)))


def _check_rates(log: EventLog, incidents: list[Incident], rates: Mapping[str, Amount]) -> None:
    """Refuse an incident in another currency whose price is not given."""
    for one in incidents:
        if _currency(one) not in (log.universe.currency, *rates):
            raise InputError(
                f"rates has no {_currency(one)!r}: the log is in {log.universe.currency} and the incident {one.id!r} is not; "
                f"give rates={{{_currency(one)!r}: price of 1 {_currency(one)} in {log.universe.currency}}}"
            )


def _currency(one: Incident) -> str:
    return str(one.stream.get("currency", "USD"))


def _injected(
    log: EventLog, rules: RuleSet, draw: Draw, lasting_ns: int, account: str, rates: Mapping[str, Amount]
) -> Injected:
    """The log with the incident of a draw."""
    rate = rates.get(_currency(draw.incident))
    options = {"account": account, "scale": draw.scale, "seed": draw.seed, "rate": rate}
    return injected(log, rules, draw.incident, at=draw.at, lasting_ns=lasting_ns, options=options)


def _with_columns(log: EventLog, names: set[str]) -> EventLog:
    """The log with these optional columns, so that the logs of all runs share one compiled loop."""
    added = {
        name: np.full(len(log), OPTIONAL[name][1], OPTIONAL[name][0]) for name in sorted(names - log.columns.keys())
    }
    return EventLog({**log.columns, **added}, log.pair_account, log.pair_instrument, log.universe, log.about)
