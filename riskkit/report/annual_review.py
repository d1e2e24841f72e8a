"""Annual review of trading limits: limits in force, changes and their authors, utilization, breaches, and incidents.

The contents are those that RTS 6, article 9 (self-assessment and validation), and SEC rule 15c3-5 (e) (annual review) ask
for as far as a log and its rules can tell them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from riskkit._check import InputError, instance
from riskkit._docs import counted
from riskkit._show import number, percent
from riskkit.replay.incidents.incident import Incident, incident
from riskkit.replay.incidents.stop import StopReport, stop_report
from riskkit.replay.incidents.stream import incident_log
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.judged import misjudged
from riskkit.replay.rules.rule_text import scope_text
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.provenance import data_sentence
from riskkit.replay.sweeps.rule_value.utilization import utilization
from riskkit.report.docs import documented
from riskkit.report.limits import BY_COMMAND, breakdown, halts, moment, proof, summary
from riskkit.report.page import listing, notes, page, table, write

BUSY = 0.8  # used share of a limit that is near it
UNUSED = 0.1
MOST_MONTHS = 24  # rows of the breaches over time; of more, years
CAVEATS = (
    "Limits were judged on the log given; orders that reached a venue past it were not seen.",
    "An incident of the library is a stream built from published figures; another accident may look otherwise.",
    "Testing of systems, access rights, staffing and governance are not part of this review.",
)


@documented
def annual_review(
    found: ReplayResult,
    path: str | Path,
    *,
    history: RuleHistory | None = None,
    incidents: Iterable[str | Incident] | Sequence[StopReport] = (
        "knight",
        "infinium",
        "hanmag",
        "flash",
        "goldman",
        "jcom",
    ),
    scale: float = 0.001,
    equity: float | None = None,
    tz: str = "UTC",
    title: str = "Annual review of trading limits",
    remarks: Sequence[str] = (),
) -> Path:
    """Write the annual review of the limits of a firm or desk as one self-contained HTML file.

    Parameters
    ----------
    found : ReplayResult
        The year's log replayed through its limits, or `Session.result()`.
    history : RuleHistory, optional
        Changes of the limits with their authors and reasons, as `Session.history`; by default those that `found` was judged
        by. Without one the limits are said to be unchanged.
    incidents : iterable of str, or of StopReport
        Incidents of `riskkit.incidents.catalogue` that the limits in force are tried on, or reports of `stop_report`.
    scale : float
        Fraction of each incident, its beginning.
    equity : float, optional
        Equity of the account in each incident, in its currency, of which limits in per cent (a drawdown) are measured;
        without it they are not tried, and the page names them.

    Raises
    ------
    InputError
        If `found` is not a result of a replay, or an incident is unknown. Nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> five, three = (rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=limit))]) for limit in (5, 3))
    >>> history = rk.RuleHistory(five, [rk.RuleChange(10, three, "Ann", "quiet market")])
    >>> result = rk.replay_log(rk.replay.tiny_log([1, 9, 2]), history, compiled=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = rk.report.annual_review(result, Path(folder, "review.html"), incidents=["jcom"])
    ...     text = file.read_text(encoding="utf-8")
    >>> "quiet market" in text, "1 of 1 incident" in text
    (True, True)
    """
    instance(found, ReplayResult, "found")
    past = found.history if history is None else instance(history, RuleHistory, "history")
    stops = [Trial(one) if isinstance(one, StopReport) else _tried(one, past.now, scale, equity) for one in incidents]
    frame = found.refused(tz=tz)
    used = utilization(found.log, past.now, compiled=False)
    sections = [
        ("Summary", summary(found) + listing([*_sentences(past, used, stops), *remarks])),
        ("Limits in force", _in_force(past.now)),
        ("Changes of the limits", _changes(past, tz)),
        ("Utilization of the limits in force", _used(used)),
        ("Breaches over time", _months(frame)),
        ("Breaches by rule, instrument and account", breakdown(frame, linked=False)),
        ("Halts", halts(found, tz)),
        ("Time to stop in reported accidents", _stops(stops, scale)),
        ("What this does not say", listing(CAVEATS)),
        ("Data and proof", proof(found)),
    ]
    return write(path, page(title, data_sentence(found.log.about), sections))


class Trial(NamedTuple):
    """The limits in force on an incident: the report of those that it can judge, and a sentence for each other."""

    report: StopReport | None
    untried: Sequence[str] = ()


def _tried(which: str | Incident, rules: RuleSet, scale: float, equity: float | None) -> Trial:
    chosen = incident(which)
    log = incident_log(chosen, scale=scale, cash=equity)
    reasons = {rule.id: f"rule {rule.id!r} ({rule.type}) {why}" for rule in rules if (why := misjudged(rule, log))}
    untried = [f"{chosen.name}: {reason}" for reason in reasons.values()]
    fitting = [rule for rule in rules if rule.id not in reasons]
    try:
        return Trial(stop_report(log, RuleSet(fitting), compiled=False) if fitting else None, untried)
    except InputError as problem:
        return Trial(None, [*untried, f"{chosen.name}: {problem}"])


def _sentences(history: RuleHistory, used: Any, stops: list[Trial]) -> list[str]:
    count = len(history.changes)
    said = [f"The limits changed {counted(count, 'time')}." if count else "The limits did not change."]
    alone = sum(not change.approved_by for change in history.changes)
    if alone:
        said.append(f"{alone:,} of {count:,} changes had no second person.")
    most = used.frame["most"].groupby("rule", sort=False).max() if len(used.frame) else {}
    near = [name for name, share in dict(most).items() if BUSY <= share]
    unused = [name for name, share in dict(most).items() if share < UNUSED]
    said += [f"Used to {percent(BUSY)} or more: {', '.join(near)}."] if near else []
    said += [f"Never used to {percent(UNUSED)}: {', '.join(unused)}; is each set where it matters?"] if unused else []
    tried = [one.report for one in stops if one.report]
    if tried:
        stopped = sum(one.stopped for one in tried)
        said.append(f"The limits in force stop {stopped:,} of {counted(len(tried), 'incident')} of the library.")
    return said


def _in_force(rules: RuleSet) -> str:
    rows = [[rule.id, rule.limit_text(), rule.action, scope_text(rule).removeprefix("for ")] for rule in rules]
    return table(["rule", "limit", "action", "whose"], rows, texts=[1, 2, 3])


def _changes(history: RuleHistory, tz: str) -> str:
    frame = history.to_frame()
    if not len(frame):
        return notes(["No change is recorded."])
    times = map(moment, frame["ts"].dt.tz_convert(tz))
    names = ["rule", "parameter", "before", "after", "who", "why", "approved_by"]
    cells = frame[names].itertuples(index=False)
    rows = [[str(time), *(number(cell) for cell in row)] for time, row in zip(times, cells, strict=True)]
    return table(["time", *names[:-1], "approved by"], rows, texts=[1, 2, 5, 6, 7])


def _used(used: Any) -> str:
    rows = [
        [
            rule,
            str(key),
            f"{row['messages']:,.0f}",
            f"{row['refused']:,.0f}",
            *(_share(row[name]) for name in ("median", "p90", "p99", "most")),
        ]
        for (rule, key), row in used.frame.iterrows()
    ]
    unknown = [
        f"{name}: {why.partition(': ')[2]}."
        for name, why in used.how.items()
        if name not in used.frame.index.get_level_values("rule")
    ]
    header = ["rule", "key", "messages", "refused", "median", "90%", "99%", "most"]
    return (table(header, rows, texts=[1]) if rows else "") + notes(unknown)


def _share(value: float) -> str:
    return "-" if value != value else f"{value:.0%}"


def _months(frame: Any) -> str:
    if not len(frame):
        return notes(["Nothing was refused."])
    months = frame["time"].dt.strftime("%Y-%m")
    unit, form = ("month", "%Y-%m") if months.nunique() <= MOST_MONTHS else ("year", "%Y")
    counts = frame.groupby([frame["time"].dt.strftime(form), frame["rule"]]).size().unstack(fill_value=0)
    rows = [[str(time), *(f"{count:,}" for count in (*row, sum(row)))] for time, *row in counts.itertuples()]
    note = f"A {unit} without a refusal is not listed."
    return table([unit, *(rule or BY_COMMAND for rule in counts.columns), "total"], rows) + notes([note])


def _stops(stops: list[Trial], scale: float) -> str:
    tried = [one.report for one in stops if one.report]
    rows = [
        [
            one.title,
            one.outcome,
            "-" if one.time_to_stop is None else f"{one.time_to_stop:,.3g} s",
            f"{one.orders_accepted:,} of {one.orders:,}",
            *(f"{amount:,.0f} {one.currency}" for amount in (one.loss_with_limits, one.loss)),
        ]
        for one in tried
    ]
    untried = [sentence for one in stops for sentence in one.untried]
    header = ["incident", "outcome", "time to stop", "orders accepted", "loss with limits", "loss without"]
    note = (
        f"Of each incident its beginning, {percent(scale)} of it; limits in money are in the currency of the incident."
    )
    return (table(header, rows, texts=[1]) + notes([note]) if rows else "") + (
        notes(["Not tried:", *untried]) if untried else ""
    )
