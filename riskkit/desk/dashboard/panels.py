"""HTML and pictures of a `LiveDesk` for its dashboard, without widgets, so that a test can read them.

Every color is accompanied by a word.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._show import alike, number, table_html
from riskkit.desk.core.pre_trade_check import PreTradeCheck
from riskkit.desk.dashboard.live_desk import LiveDesk
from riskkit.replay.results.timeline import Timeline

GREEN, RED, GREY = "#00694d", "#b34700", "#595959"  # white text on them is legible (contrast above 5)
HOLDINGS = {
    "quantity": "quantity",
    "price": "price",
    "value": "value",
    "weight": "% of value",
    "unrealized": "unrealized",
    "component_var": "component VaR a day",
}
ALERTS = ("timestamp", "severity", "action", "rule", "message", "reason", "acknowledged")
USE = ("observed", "limit", "headroom")
STOPPED = dict.fromkeys(("breached", "paused"), f";background:{RED};color:white;font-weight:600")
WIDTH, HEIGHT = 5.6, 2.8


def badge(text: str, color: str, name: str) -> str:
    """A colored field with a text, of CSS class riskkit-`name`."""
    look = f"background:{color};color:white;padding:6px 10px;border-radius:4px;font-weight:600"
    return f"<div role='status' class='riskkit-{name}' style='{look}'>{html.escape(text)}</div>"


def figures(desk: LiveDesk) -> str:
    """Numbers of the book in one line: time, value, cash, VaR, stressed VaR, volatility, drawdown."""
    now = desk.metrics()
    shown = {
        "time of the last bar": "-" if now.timestamp is None else f"{_when(now.timestamp)} UTC",
        "value": f"{now.value:,.2f}",
        "cash": f"{now.cash:,.2f}",
        f"VaR {100 * now.confidence:g} %, a day": f"{now.var:,.2f}",
        "VaR under stress": "-" if now.stressed_var is None else f"{now.stressed_var:,.2f}",
        "volatility, a day": "-" if now.volatility is None else f"{100 * now.volatility:.2f} %",
        "drawdown": f"{100 * now.drawdown:.2f} %",
    }
    fields = "".join(
        f"<div style='margin-right:28px'><div style='font-size:smaller;color:{GREY}'>{html.escape(name)}</div>"
        f"<div style='font-size:larger'>{html.escape(value)}</div></div>"
        for name, value in shown.items()
    )
    return f"<div class='riskkit-figures' style='display:flex;flex-wrap:wrap'>{fields}</div>"


def exposures(desk: LiveDesk) -> str:
    """One row per holding, largest first."""
    held = desk.metrics().holdings
    held = held.reindex(held["value"].abs().sort_values(ascending=False, kind="stable").index)
    rows = [[ticker, *(_shown(name, row[name]) for name in HOLDINGS)] for ticker, row in held.iterrows()]
    title = "Exposures" if rows else "Exposures: no holdings"
    return table_html(title, ["ticker", *HOLDINGS.values()], rows)


def ticket(check: PreTradeCheck | None) -> str:
    """Result of the trade ticket: green APPROVED or red REJECTED, with the reason and VaR before and after."""
    if check is None:
        return badge("no trade entered", GREY, "ticket")
    word = "EXECUTED" if check.executed else check.decision
    text = f"{word}: {check.side} {check.quantity:g} {check.ticker}. {check.reason.rstrip('.')}."
    before, after = check.old_var, check.new_var
    if before is not None and after is not None:
        text += f" VaR {before:,.2f} to {after:,.2f}."
    return badge(text, GREEN if check.approved else RED, "ticket")


def breaker(desk: LiveDesk) -> str:
    """State of the rules and their last halt."""
    state = desk.trading_state()
    if not state:
        return badge("no rules connected", GREY, "breaker")
    if state == "ACTIVE":
        return badge("ACTIVE: orders are accepted", GREEN, "breaker")
    last = next(iter(desk.halts()), None)
    return badge(f"{state}{'' if last is None else f': {last.reason}'}", RED, "breaker")


def limits(desk: LiveDesk) -> str:
    """Limits of the book and of the rules, with their states."""
    rows = [
        [
            f"{row['rule']} ({row['key']})" if row["key"] not in ("", desk.account) else row["rule"],
            *_numbers([row[name] for name in USE]),
            row["unit"],
            row["state"],
        ]
        for row in desk.limits().to_dict("records")
    ]
    return table_html("Limits", ["limit of", "used", "limit", "left", "", "state"], rows, styles=STOPPED)


def alerts(desk: LiveDesk, minimum_severity: str = "INFO", open_only: bool = False) -> str:
    """Alerts, last first; without an alert system, the decisions of the rules."""
    frame = desk.messages() if desk.alerts is None else desk.history(minimum_severity, open_only)
    columns = [name for name in ALERTS if name in frame.columns]
    rows = [
        [_when(value) if name == "timestamp" else _cell(value) for name, value in zip(columns, row, strict=True)]
        for row in frame[columns].iloc[::-1].itertuples(index=False, name=None)
    ]
    return table_html(f"{len(rows):,} shown, last first", ["time (UTC)", *columns[1:]], rows)


def components(desk: LiveDesk) -> bytes:
    """Component VaR of each holding as bars, largest first: a PNG."""
    now = desk.metrics()
    held = now.component_var[now.component_var != 0.0].sort_values(ascending=False, kind="stable")
    title = f"VaR {100 * now.confidence:g} %, a day: {now.var:,.0f}"
    if len(held) and now.var > 0.0:
        title += f"; {held.index[0]} contributes {held.iloc[0] / now.var:.0%}"

    def draw(ax: Any) -> None:
        if not len(held):
            ax.set_axis_off()
            plot.dress(ax, "No holdings, no VaR")
            return
        plot.bars({"component VaR": held}, list(held.index), label="component VaR, money a day", title=title, ax=ax)

    return plot.png(draw, width=WIDTH, height=HEIGHT)


def prices(desk: LiveDesk) -> bytes:
    """Change of each price over the kept bars: a PNG."""
    times = np.array([bar.timestamp for bar in desk.stream.bars], np.int64)
    line = Timeline.of(times)
    positions, time = line.places(times), line.axis(most=5)
    closes = desk.stream.to_frame()
    moved = 100.0 * (closes / closes.bfill().iloc[0] - 1.0) if len(closes) else closes

    def draw(ax: Any) -> None:
        for index, ticker in enumerate(moved):
            ax.plot(positions, moved[ticker], label=plot.literal(ticker), lw=1.3, **plot.line_style(index))
        ax.axhline(0.0, color=plot.PALE, lw=0.6, zorder=0)
        ax.set_xticks(time.places, time.texts)
        ax.set_xlabel(time.label, fontsize=8)
        ax.set_ylabel("%", fontsize=9)
        if len(moved):
            ax.legend(frameon=False, fontsize=8, ncols=2, loc="best")
        plot.dress(ax, f"Prices over the last {len(moved):,} bars, change in %")

    return plot.png(draw, width=WIDTH, height=HEIGHT)


def _shown(name: str, value: Any) -> str:
    if value != value:
        return "-"
    return f"{100 * value:,.1f}" if name == "weight" else f"{value:,.2f}" if name != "quantity" else f"{value:,g}"


def _numbers(values: list[Any]) -> list[str]:
    """Numbers of one row with equal decimals; unknown ones as dashes."""
    return (
        [_cell(value) for value in values]
        if any(value != value or value is None for value in values)
        else alike(values)
    )


def _cell(value: Any) -> str:
    """A cell of a table of alerts or limits: booleans as words, unknown numbers as a dash."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return "-" if value is None or value != value else number(value)


def _when(stamp: Any) -> str:
    """A time of the market, to the minute, or to the second if it has one."""
    import pandas as pd

    time = pd.Timestamp(stamp, tz="UTC") if isinstance(stamp, (int, np.integer)) else pd.Timestamp(stamp)
    return time.strftime("%Y-%m-%d %H:%M:%S" if time.second else "%Y-%m-%d %H:%M")
