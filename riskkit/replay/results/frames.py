"""Frames of a result: its decisions, halts, accounts and positions with labels, in units that people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit.replay.engine.state import State
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.explain import decision_word, names_in, shown
from riskkit.replay.results.halts import Spans
from riskkit.replay.results.present import Reading
from riskkit.replay.rules.history import RuleHistory, Stretch
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import OF_LOTS
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.scopes import key_label
from riskkit.replay.schema.universe import Universe

if TYPE_CHECKING:
    import pandas as pd

NO_TIME = np.iinfo(np.int64).min  # NaT as an integer


def decisions_frame(log: EventLog, history: RuleHistory, rows: np.ndarray) -> pd.DataFrame:
    """One row per decision, indexed by event; its limit is that in force at the event."""
    import pandas as pd

    rules = history.every
    texts = partial(pd.Series, dtype=str)  # also without rows
    universe, names = log.universe, [rule.id for rule in rules]
    accounts = [account.id for account in log.universe.accounts]
    account = log.columns["account"][rows["seq"]]
    endless = (rows["until"] == NEVER) | (rows["until"] == 0) | np.isin(rows["code"], OF_LOTS)
    until = np.where(endless, NO_TIME, rows["until"])
    frame = pd.DataFrame(
        {
            "seq": rows["seq"],
            "ts": pd.to_datetime(log.columns["ts"][rows["seq"]], utc=True),
            "account": texts(accounts[a] if a >= 0 else "" for a in account),
            "decision": texts(
                decision_word(rules, universe, *row) for row in rows[["code", "cause", "limit"]].tolist()
            ),
            "rule": texts(names[c] if c >= 0 else "" for c in rows["cause"]),
            "objecting": texts(", ".join(names_in(rules, mask)) for mask in rows["mask"]),
            **_readings(shown(log, stretch.rules, row) for stretch, part in _by_stretch(history, rows) for row in part),
            "until": pd.to_datetime(until, utc=True),
        }
    )
    return frame.set_index("seq")


def _by_stretch(history: RuleHistory, rows: np.ndarray) -> Iterator[tuple[Stretch, np.ndarray]]:
    """Rows by the stretch of their events."""
    cuts = np.searchsorted(rows["seq"], [stretch.start for stretch in history.stretches])
    return zip(history.stretches, np.split(rows, cuts[1:]), strict=True)


def _readings(found: Iterable[Reading]) -> dict[str, Any]:
    """Observed values, limits and headrooms as columns, with their units."""
    import pandas as pd

    listed = list(found)
    columns: dict[str, Any] = {}
    for name in ("observed", "limit", "headroom"):
        values: list[Any] = [getattr(reading, name) for reading in listed]
        timed = [reading.unit == "time" and value is not None for reading, value in zip(listed, values, strict=True)]
        if not any(timed):
            columns[name] = np.array([np.nan if value is None else value for value in values], float)
            continue
        as_time = pd.Timedelta if name == "headroom" else partial(pd.Timestamp, tz="UTC")
        columns[name] = pd.Series(
            [as_time(value, unit="ns") if is_time else value for value, is_time in zip(values, timed, strict=True)],
            dtype=object,
        )
    return {**columns, "unit": pd.Series([reading.unit for reading in listed], dtype=str)}


def halts_frame(log: EventLog, rules: RuleSet, spans: Spans) -> pd.DataFrame:
    """One row per halt of a key by a rule."""
    import pandas as pd

    pairs = zip(spans.rule.tolist(), spans.key.tolist(), strict=True)
    labels = log.universe, log.pair_account, log.pair_instrument
    return pd.DataFrame(
        {
            "rule": [rules[rule].id for rule in spans.rule.tolist()],
            "key": [key_label(rules[rule].scope, key, *labels) for rule, key in pairs],
            "since": pd.to_datetime(spans.since, utc=True),
            "until": pd.to_datetime(np.where(spans.until == NEVER, NO_TIME, spans.until), utc=True),
        }
    )


def mixing(universe: Universe, by_currency: dict[str, list[int]]) -> np.ndarray:
    """True for each account that mixes currencies; shape (n_accounts,)."""
    mixed = np.zeros(len(universe.accounts), bool)
    for name, codes in by_currency.items():
        mixed[codes] = name not in universe.currencies
    return mixed


def accounts_frame(universe: Universe, state: State, marked: bool, by_currency: dict[str, list[int]]) -> pd.DataFrame:
    """One row per account, in money, with its currency if there are several.

    The money of an account that mixes currencies is NaN; so is the drawdown if the books were not valued at every price.
    """
    import pandas as pd

    table = state.accounts[1:]
    money = float(universe.quantum)
    given = table["has_external_equity"] != 0
    equity = np.where(given, table["external_equity"], table["cash"] + table["value"])
    paid_in = np.where(given, table["external_deposits"], table["net_deposits"])
    frame = pd.DataFrame(
        {
            "cash": table["cash"] * money,
            "value": table["value"] * money,
            "equity": equity * money,
            "profit": (equity - paid_in) * money,
            "realised": table["realised"] * money,
            "fees": table["fees"] * money,
            "drawdown": table["drawdown"] * money if marked else np.nan,
        },
        index=pd.Index([account.id for account in universe.accounts], name="account"),
    )
    if len(by_currency) > 1 or mixing(universe, by_currency).any():
        frame.loc[mixing(universe, by_currency)] = np.nan
        names = {code: name for name, codes in by_currency.items() for code in codes}
        frame["currency"] = [names[code] for code in range(len(frame))]
    return frame


def positions_frame(universe: Universe, state: State) -> pd.DataFrame:
    """One row per account and instrument: quantity, cost and value."""
    import pandas as pd

    table = state.positions[1:]
    money = float(universe.quantum)
    index = pd.MultiIndex.from_arrays(
        [
            [universe.accounts[a].id for a in table["account"]],
            [universe.instruments[i].id for i in table["instrument"]],
        ],
        names=["account", "instrument"],
    )
    columns = {
        "qty": universe.quantities(table["qty"], table["instrument"]),
        "cost": table["cost"] * money,
        "value": table["value"] * money,
    }
    return pd.DataFrame(columns, index=index)


def message_labels(log: EventLog, rows: np.ndarray, orders: np.ndarray) -> dict[str, list[str]]:
    """Texts of the messages at `rows` of a log: ``order_id`` of the `orders` ("" without one), account, instrument, side."""
    named, universe, columns = log.order_labels.by_row, log.universe, log.columns
    return {
        "order_id": [named.get(order, "") for order in orders.tolist()],
        "account": [universe.accounts[a].id for a in columns["account"][rows]],
        "instrument": [universe.instruments[i].id if i >= 0 else "" for i in columns["instrument"][rows]],
        "side": np.where(
            columns["instrument"][rows] < 0, "", np.where(columns["side"][rows] > 0, "buy", "sell")
        ).tolist(),
    }
