"""`write_report`: a comparison as one self-contained HTML file for a risk committee.

Plots are embedded and nothing is loaded from elsewhere. Equal comparisons give equal bytes: the file has no time, path
or random id.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import riskkit
from riskkit._check import instance
from riskkit._show import number
from riskkit.plot import FALLS_HEIGHT, changes_height, lanes_height
from riskkit.replay.results.result import NOTE, ORPHANS_ARE
from riskkit.replay.run.comparison import WITHOUT, ReplayComparison
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.schema.provenance import data_sentence
from riskkit.report.docs import documented
from riskkit.report.limits import halt_counts
from riskkit.report.page import figure, folded, listing, notes, page, table, write

__all__ = ["report_html", "write_report"]

MAX_HALTS = 500
LIMITS = (
    "A limit stops orders, not losses: positions of a paused account go on earning or losing.",
    "An enforce replay is the recorded log without some orders: sizes and times of the other orders are as recorded.",
    "One log is one path; the performance of limits on it says little about other paths.",
)


@documented
def write_report(found: ReplayComparison, path: str | Path, remarks: Sequence[str] = ()) -> Path:
    """Write a comparison as one self-contained HTML file.

    Parameters
    ----------
    found : Comparison
        From `riskkit.compare`.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log()
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(rk.compare(log, rules, compiled=False), Path(folder, "report.html")).name
    'report.html'
    """
    instance(found, ReplayComparison, "found")
    return write(path, report_html(found, remarks))


def report_html(found: ReplayComparison, remarks: Sequence[str] = ()) -> str:
    """HTML text of the file that `write_report` writes.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log()
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> page = report_html(rk.compare(log, rules, compiled=False))
    >>> "<script" in page, page.count("<img") > 2
    (False, True)
    """
    instance(found, ReplayComparison, "found")
    return page(found._title(), data_sentence(found.log.about), _sections(found, remarks))


def _sections(found: ReplayComparison, remarks: Sequence[str]) -> Iterator[tuple[str, str]]:
    header, rows = found.cells()
    yield "Summary", listing([*found.sentences(), *remarks])
    yield "With and without the limits", table(header, rows) + notes(found.notes()[1:])
    yield "The limits", listing([str(rule) for rule in found.rules], "ol")
    yield "Plots", "\n".join(_figures(found))
    yield "Account by account", _accounts(found)
    yield "Halts", _halts(found)
    yield "Data", _data(found)
    yield "Limitations", listing(list(_caveats(found)))
    yield "Proof", _proof(found)


# ---------------------------------------------------------------------- parts


def _figures(found: ReplayComparison) -> Iterator[str]:
    """Plots of all accounts together (if they have one currency), then of the account with most rejections."""
    last = list(found.limited.values())[-1]
    count = len(found.log.universe.accounts)
    together = found.has_one_currency
    if together:
        yield figure(found.plot_profit, "Profit over time, all accounts together")
        yield figure(found.plot_drawdown, "Drawdown of profit, all accounts together", height=FALLS_HEIGHT)
    lanes = sum(rejected > 0 for rejected in last.refusals_by_rule().values())
    if lanes:
        yield figure(found.plot_refusals, "Rejections over time, by rule", height=lanes_height(lanes))
    if found.enforce is not None and count > 1:
        if together:
            yield figure(found.plot_accounts, "Profit of each account", height=changes_height(count))
        if lanes:
            account = found.most_refused()
            whose = f"{account}, the account with most rejections"
            yield figure(lambda ax: found.plot_profit(ax, account=account), f"Profit over time of {whose}")
            drawdown = f"Drawdown of profit of {whose}"
            yield figure(lambda ax: found.plot_drawdown(ax, account=account), drawdown, height=FALLS_HEIGHT)


def _accounts(found: ReplayComparison) -> str:
    frame: Any = found.accounts()
    header = ["account", *(f"{label}, {mode}" if label else mode for label, mode in frame.columns)]
    money = [label in ("profit", "maximum drawdown") for label, _ in frame.columns]
    rows = [
        [str(name), *(f"{value:,.0f}" if flag else _cell(value) for value, flag in zip(values, money, strict=True))]
        for name, *values in frame.itertuples()
    ]
    currency = found.currency if found.has_one_currency else "the account's currency"
    unit = f"Profit and drawdown in {currency}; in shadow mode they are those of the recorded log."
    return table(header, rows) + notes([unit])


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _halts(found: ReplayComparison) -> str:
    """Number of halts by key and rule in the last replay, and the list of halts."""
    mode, result = list(found.limited.items())[-1]
    halts = result.halts()
    if not len(halts):
        return ""
    note = f"Number of times, in {mode} mode. A trip while halted restarts the time and counts again."
    cases = [
        [halt.key, halt.rule, _instant(halt.since), _instant(halt.until)] for halt in halts.head(MAX_HALTS).itertuples()
    ]
    which = f"The first {MAX_HALTS} of {len(halts):,} cases" if len(halts) > MAX_HALTS else f"All {len(halts):,} cases"
    listed = table(["key", "rule", "since (UTC)", "until (UTC)"], cases)
    return halt_counts(result) + notes([note]) + folded(which, listed)


def _instant(time: Any) -> str:
    """A UTC time, without a time of day at midnight; a halt without an end lasts until a manual reset."""
    if time != time:
        return "manual reset"
    return str(time.tz_localize(None)).removesuffix(" 00:00:00")


def _data(found: ReplayComparison) -> str:
    about = found.log.about
    facts = [(label, number(value), unit) for label, value, unit in found.log._rows() if label.strip() not in about]
    facts_table = table(["", "", ""], [list(fact) for fact in facts])
    more = [
        f"<p><b>{html.escape(str(name).replace('_', ' '))}</b>: {html.escape(number(value))}</p>"
        for name, value in about.items()
        if name not in ("title", "defects")
    ]
    defects = about.get("defects", ())
    listed = [defects] if isinstance(defects, str) else list(defects)
    known = f"<p><b>known defects of the data</b>:</p>{listing(listed)}" if listed else ""
    return facts_table + "".join(more) + known


def _caveats(found: ReplayComparison) -> Iterator[str]:
    about = found.log.about
    yield NOTE
    yield from LIMITS
    times = found.without.sample_times
    if len(times) > 1:
        yield f"Profit is sampled every {duration_text(int(times[1] - times[0]))}; moves between samples are not included."
    if about.get("survivors_only"):
        yield "Survivors only: a limit that stops purchases looks costlier on survivors than on all stocks of the time."
    if about.get("adjusted") and not str(about["adjusted"]).startswith("no"):
        yield "Adjusted prices, and quantities bought at them, differ from those traded at the time."
    if found.enforce is not None:
        policy = found.enforce.options["orphans"]
        yield f"Orphan exits (of recorded positions that are not held here) are {ORPHANS_ARE[policy]}: orphans={policy}."
        if "trade_id" in found.log.columns:
            trades, quantity = found.enforce.unmatched()
            yield f"{trades:,} trades lost one side and kept the other: {quantity:,.10g} in quantity has no counterparty."


def _proof(found: ReplayComparison) -> str:
    rows = [[f"digest, {name}", result.digest] for name, result in found.results.items()]
    rows += [["events", found.log.event_hash.hex()], ["labels and units", found.log.universe_hash.hex()]]
    rows += [["rules", found.rules.hash.hex()], ["riskkit", riskkit.__version__]]
    listed = "".join(
        f"<tr><td>{html.escape(a)}</td><td class='text'><code>{html.escape(b)}</code></td></tr>" for a, b in rows
    )
    text = (
        "A digest covers the events, the labels and units, the rules, the trading days and every decision. A replay "
        f"of the same log with the same rules in the same mode has the same digest; {WITHOUT}: no rules."
    )
    return f'<p>{html.escape(text)}</p><div class="wide"><table>{listed}</table></div>'
