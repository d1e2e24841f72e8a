"""Headroom of limits on positions and exposures as a tree: who uses the firm's limit."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, instance
from riskkit.replay.engine.converted import converted_now
from riskkit.replay.engine.groups import group_of, has_group
from riskkit.replay.engine.state import State
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.catalogue.max_exposure import MaxExposure
from riskkit.replay.rules.catalogue.position_limit import PositionLimit
from riskkit.replay.rules.money import gathers
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.scopes import EVERYTHING, event_parts
from riskkit.replay.schema.universe import GROUPS, Universe, exact

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (PositionLimit, MaxExposure)
LEVELS = ("account", *GROUPS, "global")  # from narrow to wide
COLUMNS = ("node", "depth", "scope", "rule", "instrument", "used", "limit", "headroom", "netted", "unit")
Row = dict[str, Any]


def headroom_tree(result: ReplayResult) -> pd.DataFrame:
    """Use of each limit on positions and exposures at the end of a replay, by node from the firm down to its accounts.

    Parameters
    ----------
    result : ReplayResult
        Of rules `position_limit` and `max_exposure` at the scopes account, trader, desk, firm and global.

    Returns
    -------
    DataFrame
        One row per node, rule and (for positions) instrument, a node before those below it: ``used`` at the worst, with the
        working orders of the side that makes it the most (NaN: a rate is missing); ``limit`` (NaN: none), ``headroom``;
        ``netted``: what the nodes one level below use together less what this one does (0: they add up; NaN: there are none).

    Raises
    ------
    InputError
        If there is no such rule.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> rows = [{"account": "A", "side": "B", "qty": 100}, {"account": "B", "side": "S", "qty": 60}]
    >>> rows = [{**row, "kind": kind, "instrument": "X", "price": 10} for kind in ("order", "fill") for row in rows]
    >>> accounts = [rk.Account("A", desk="D1", firm="F"), rk.Account("B", desk="D2", firm="F")]
    >>> log = rk.EventLog.from_frame(pd.DataFrame(rows).assign(ts=range(4)), accounts=accounts, unit="ns")
    >>> limits = [rk.Rule(scope, rk.rules.PositionLimit(limit=150), scope=scope) for scope in ("desk", "firm")]
    >>> tree = headroom_tree(rk.replay_log(log, rk.RuleSet(limits), compiled=False))
    >>> print(tree[["node", "used", "limit", "headroom", "netted"]].to_string(index=False))
    node  used  limit  headroom  netted
       F  40.0  150.0     110.0   120.0
    F/D1 100.0  150.0      50.0     NaN
    F/D2  60.0  150.0      90.0     NaN
    """
    import pandas as pd

    instance(result, ReplayResult, "result")
    shown = [
        (k, rule) for k, rule in enumerate(result.rules) if isinstance(rule.parameters, SHOWN) and rule.scope in LEVELS
    ]
    if not shown:
        raise InputError("no rule of the result limits positions or exposures of accounts, traders, desks or firms")
    universe, ts = result.log.universe, int(result.log.columns["ts"][-1]) if len(result.log) else 0
    rows: list[Row] = []
    for k, rule in shown:
        nodes = _nodes(rule, universe)
        for key, (path, _) in nodes.items():
            limit = rule.versions[int(result.state.rules[k]["version"][key + 1])].parameters.limit
            for instrument, used, unit in _used(rule, key, result.state, universe, ts):
                row = {
                    "node": "/".join(path) or EVERYTHING,
                    "depth": len(path),
                    "scope": rule.wire_scope,
                    "rule": rule.id,
                }
                row |= {
                    "instrument": instrument,
                    "used": np.nan if used is None else float(used),
                    "limit": np.nan,
                    "headroom": np.nan,
                    "unit": unit,
                }
                if limit is not None:
                    row["limit"] = float(exact(limit, "limit"))
                    row["headroom"] = np.nan if used is None else float(exact(limit, "limit") - used)
                rows.append(
                    {**row, "path": path, "of": (rule.type, getattr(rule.parameters, "measure", ""), instrument)}
                )
    for row in rows:
        row["netted"] = _netted(row, rows)
    rows.sort(key=lambda row: row["path"])
    return pd.DataFrame([{name: row[name] for name in COLUMNS} for row in rows], columns=list(COLUMNS))


def _nodes(rule: Rule, universe: Universe) -> dict[int, tuple[tuple[str, ...], list[int]]]:
    """The keys of a rule with their path from the widest group down, and their accounts."""
    members: dict[int, list[int]] = {}
    for code, account in enumerate(universe.accounts):
        labels = {**{group: getattr(universe, f"{group}s").index(getattr(account, group)) for group in GROUPS}}
        members.setdefault({"account": code, "global": 0, **labels}[rule.scope], []).append(code)
    found = {}
    for key, codes in members.items():
        path = []
        for level in LEVELS[LEVELS.index(rule.scope) : -1][::-1]:
            names = {event_parts(level, universe, {"account": code})[0] for code in codes}
            path += [name for name in names if name and len(names) == 1]
        found[key] = tuple(path), codes
    return found


def _used(
    rule: Rule, key: int, state: State, universe: Universe, ts: int
) -> Iterator[tuple[str, Fraction | None, str]]:
    """Instrument, use at the worst and its unit, for each instrument with a position or orders, or one for all money."""
    grouped = has_group(rule)
    accounts = state.groups[group_of(rule).table("accounts")] if grouped else state.accounts
    if isinstance(rule.parameters, MaxExposure):
        prefix = "" if rule.parameters.working else "listed_"
        if gathers(rule):
            converted = converted_now(rule, key, state, universe, -1, ts)[0]
            if converted.missing < 0:
                yield "", None, rule.currency
                return
            gross, long, short = (getattr(converted, f"{prefix}{name}") for name in ("gross", "long", "short"))
        else:
            gross, long, low = (int(accounts[f"{prefix}{name}"][key + 1]) for name in ("worst", "high", "low"))
            short = -low
        quanta = gross if rule.parameters.measure == "gross" else max(long, short)
        yield "", quanta * universe.quantum, rule.currency or universe.currency
        return
    table = (state.groups[group_of(rule).table("positions")] if grouped else state.positions)[1:]
    for held in table[table["account"] == key]:
        buys, sells = (int(held[f"open_{side}_qty"]) if rule.parameters.include_open else 0 for side in ("buy", "sell"))
        qty = int(held["qty"])
        lots = abs(qty) + buys + sells if rule.parameters.measure == "gross" else max(qty + buys, sells - qty)
        if lots:
            instrument = universe.instruments[int(held["instrument"])]
            yield instrument.id, lots * instrument.qty_step, "quantity"


def _netted(row: Row, rows: list[Row]) -> float:
    """What the nodes one level below use together, less what this one uses; NaN without one."""
    below = [
        one for one in rows if one["of"] == row["of"] and one["path"][: row["depth"]] == row["path"] != one["path"]
    ]
    nearest = min((one["depth"] for one in below), default=0)
    return sum(one["used"] for one in below if one["depth"] == nearest) - row["used"] if below else np.nan
