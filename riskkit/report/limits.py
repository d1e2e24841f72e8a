"""Limits report: what the limits of a replay refused, by rule, instrument, account and hour, each with its explanation."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from riskkit._check import InputError, shown
from riskkit._show import number
from riskkit.plot import lanes_height
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.run.comparison import ReplayComparison
from riskkit.replay.schema.provenance import data_sentence
from riskkit.report.docs import documented
from riskkit.report.page import Link, figure, folded, listing, notes, page, table, verdict, write

MAX_LISTED = 1_000  # refusals with a sentence of their own
MAX_GROUPS = 200  # rows of the breakdown
MAX_OPEN = 30  # halts that stand in the open
BY_COMMAND = "(paused by a command)"
KEYS = ["rule", "instrument", "account"]


@documented
def limits(
    found: ReplayResult | ReplayComparison, path: str | Path, *, tz: str = "UTC", remarks: Sequence[str] = ()
) -> Path:
    """Write what limits refused as one self-contained HTML file.

    Parameters
    ----------
    found : ReplayResult or ReplayComparison
        From `riskkit.replay_log`, `riskkit.compare` (its last replay with limits is used) or `Session.result`.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> result = rk.replay_log(rk.replay.tiny_log([1, 9, 2]), rules, compiled=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = rk.report.limits(result, Path(folder, "limits.html")).read_text(encoding="utf-8")
    >>> "Refused: 1 of 3 orders" in text, 'href="#event-1"' in text
    (True, True)
    """
    result = list(found.limited.values())[-1] if isinstance(found, ReplayComparison) else found
    if not isinstance(result, ReplayResult):
        raise InputError(f"found is {shown(found)}; give a ReplayResult or a ReplayComparison")
    frame = result.refused(tz=tz)
    sections = [
        ("Summary", summary(result) + listing(list(remarks))),
        ("The limits", listing([str(rule) for rule in result.rules], "ol")),
        ("Refusals by rule, instrument and account", breakdown(frame)),
        ("Refusals by hour of the day", _hours(frame, tz)),
        ("Refusals over time", _lanes(result, tz)),
        ("Halts", halts(result, tz)),
        ("Each refusal", _each(frame)),
        ("Data and proof", proof(result)),
    ]
    return write(path, page("Limits report", data_sentence(result.log.about), sections))


def moment(time: Any) -> str:
    """A time to the second, with the name of its zone."""
    return str(time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def summary(result: ReplayResult) -> str:
    """How much was refused, what never was and what cannot be judged, in sentences."""
    parts = [f"{refused:,} of {total:,} {kind}" for kind, (refused, total) in result.refused_by_kind().items()]
    text = f"Refused: {', '.join(parts)}" + (
        "." if result.mode == "enforce" else ", had the limits been enforced (shadow mode)."
    )
    silent = [f"Never breached: {', '.join(result.silent())}."] if result.silent() else []
    unjudged = [f"{name} cannot be judged on this log: {why}." for name, why in result.not_judged.items()]
    return verdict(text, "doubtful" if len(result.rejections()) else "good") + listing([*silent, *unjudged])


def breakdown(frame: Any, *, linked: bool = True) -> str:
    """Counts by rule, instrument and account, the largest first, each linked to the sentence on its first refusal."""
    if not len(frame):
        return ""
    groups = [(len(part), *key, part) for key, part in frame.groupby(KEYS, sort=True)]
    groups.sort(key=lambda group: -group[0])
    rows = [
        [rule or BY_COMMAND, instrument, account,
         Link(f"{count:,}", f"event-{part.index[0]}") if linked else f"{count:,}",
         moment(part["time"].iloc[0]), moment(part["time"].iloc[-1])]
        for count, rule, instrument, account, part in groups[:MAX_GROUPS]
    ]  # fmt: skip
    left = [f"{len(groups) - MAX_GROUPS:,} more groups are not listed."] if len(groups) > MAX_GROUPS else []
    return table([*KEYS, "refusals", "first", "last"], rows, texts=[1, 2]) + notes(left)


def _hours(frame: Any, tz: str) -> str:
    if not len(frame):
        return ""
    counts = frame.groupby([frame["rule"], frame["time"].dt.hour]).size().unstack(fill_value=0)
    rows = [[rule or BY_COMMAND, *(number(int(count)) for count in row)] for rule, *row in counts.itertuples()]
    return table(["rule", *(f"{hour:02}" for hour in counts.columns)], rows) + notes([f"Hours of {tz}."])


def _lanes(result: ReplayResult, tz: str) -> str:
    count = sum(refused > 0 for refused in result.refusals_by_rule().values())
    if not count:
        return ""
    height = lanes_height(count)
    return figure(lambda ax: result.plot_refusals(ax, tz=tz), f"Refusals over time, by rule, in {tz}", height=height)


def halts(result: ReplayResult, tz: str) -> str:
    """The halts with their ends, the first of many."""
    frame = result.halts()
    if not len(frame):
        return ""
    since, until = (frame[name].dt.tz_convert(tz) for name in ("since", "until"))
    ends = ["until a person resets it" if end != end else moment(end) for end in until]
    rows = list(zip(frame["key"], frame["rule"], map(moment, since), ends, strict=True))[:MAX_LISTED]
    left = [f"{len(frame) - MAX_LISTED:,} more halts are not listed."] if len(frame) > MAX_LISTED else []
    listed = table(["halted", "by", "since", "until"], rows, texts=[1]) + notes(left)
    if len(frame) <= MAX_OPEN:
        return listed
    return halt_counts(result) + folded("Each halt", listed)


def halt_counts(result: ReplayResult) -> str:
    """Number of halts by key and rule, and in total."""
    counts = result.halts().groupby(["key", "rule"], sort=True).size().unstack(fill_value=0)
    counts = counts[[rule.id for rule in result.rules if rule.id in counts]]
    rows = [[str(key), *(f"{count:,}" for count in row)] for key, *row in counts.itertuples()]
    return table(["halted", *counts], [*rows, ["total", *(f"{count:,}" for count in counts.sum())]])


def _each(frame: Any) -> str:
    """The sentences on the first of the refusals, with the places to which the breakdown links.

    Many stand in groups, the largest first: the first sentence of each in the open, the others under a line.
    """
    if not len(frame):
        return ""
    listed = set(frame.index[:MAX_LISTED]) | set(frame.groupby(KEYS).head(1).index)
    left = len(frame) - len(listed)
    below = notes([f"{left:,} more refusals are not listed."] if left > 0 else [])
    shown_ones = frame[frame.index.isin(listed)]
    if len(shown_ones) <= MAX_OPEN:
        return _sentences(shown_ones) + below
    groups = sorted(shown_ones.groupby(KEYS, sort=True), key=lambda group: -len(group[1]))
    return "".join(_sentences(part[:1]) + _more(part[1:], key) for key, part in groups) + below


def _sentences(frame: Any) -> str:
    return "".join(f'<p id="event-{seq}">{html.escape(sentence)}</p>' for seq, sentence in frame["sentence"].items())


def _more(frame: Any, key: tuple[str, ...]) -> str:
    """The other refusals of a group, under a line that counts them."""
    rule, *place = key
    named = ", ".join([rule or BY_COMMAND, *place])
    return folded(f"{len(frame):,} more: {named}", _sentences(frame)) if len(frame) else ""


def proof(result: ReplayResult) -> str:
    """Digests of the decisions, the events and the rules."""
    rows = [
        ["digest of the decisions", result.digest],
        ["events", result.log.event_hash.hex()],
        ["rules", result.rules.hash.hex()],
    ]
    return table(["", ""], rows, texts=[1])
