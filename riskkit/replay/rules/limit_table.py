"""Limit tables: one row for each limit of a key, as risk departments keep them, to rules and back.

Rows with the same ``rule`` (by default of the same scope, measure and other parameters) are one rule: the row whose key is "*"
holds for all keys, the others for theirs. A soft limit is an alerting rule beside the hard one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, instance, shown
from riskkit.replay.rules.history import RuleChange, RuleHistory
from riskkit.replay.rules.money import CONVERSION
from riskkit.replay.rules.parameters import moment
from riskkit.replay.rules.plain_data import PLAIN_DATA
from riskkit.replay.rules.rule import Rule, RuleType, rule_type
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.scopes import WIRE, scope_of
from riskkit.replay.schema.toml_file import read_toml

if TYPE_CHECKING:
    import pandas as pd

WIDTH = (
    "account_instrument",
    "account_product",
    "strategy",
    "connection",
    "account",
    "trader",
    "desk",
    "firm",
    "global",
)
OF_RULE = ("action", "severity", "hold", "netting", *CONVERSION)
DATED = ("valid_from", "valid_to", "who", "why", "approver")
COLUMNS = ("rule", "scope", "key", "measure", "soft", "hard", *OF_RULE, *DATED)  # all others are parameters
EVERY = "*"
UNLIMITED = "none"
PREFIX = "params."  # of a parameter that is called as a column
SOFT = " soft"  # of the id of the rule that warns
Limits = dict[str, Any]  # a row of a table, without its empty cells


def read_limits(source: Any) -> RuleHistory:
    """Rules of a limit table.

    Parameters
    ----------
    source : str, Path or DataFrame
        A CSV file, a TOML file of ``[[limits]]``, or a frame (also of an Excel sheet, by ``pandas.read_excel``). Columns:

        - ``measure``: type of the rule, and its parameter if it has several limits: "position_limit.notional";
        - ``hard``, ``soft``: the limit, and the value above which an alert warns; one may be empty, "none" is no limit;
        - ``scope`` (default account), ``key`` (default "*": every key without a row of its own), as in `Rule`;
        - ``rule``: id; ``action``, ``severity``, ``hold``, ``currency``, ``via``, ``max_age_ns`` of the hard limit;
        - ``valid_from``, ``valid_to``: times from and before which the row holds; a row with a time goes before one without;
          ``who``, ``why``, ``approver`` of the change;
        - any other: a parameter of the type; one that is called as a column is "params.measure".

        Without a column ``rule`` narrow scopes come before wide ones, so that a refusal names the narrowest.

    Returns
    -------
    RuleHistory
        Its ``first`` are the rules without dates, or before the first of them.

    Raises
    ------
    InputError
        If a cell does not fit; the message names the row, counted from 1, or the rule.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"scope": ["desk", "desk", "trader"], "key": ["*", "D1", "*"], "measure": "position_limit.limit",
    ...                       "hard": [150, 300, 100]})
    >>> print(read_limits(table).first)
    1. position_limit.limit by trader: a net position of at most 100 in quantity after the order, with working
    orders of its side, for each trader, accounts netted, in each instrument. Orders and modifications that
    would breach it are rejected (severity WARN).
    2. position_limit.limit by desk: a net position of at most 150 in quantity after the order, with working
    orders of its side (300 for D1), for each desk, accounts netted, in each instrument. Orders and
    modifications that would breach it are rejected (severity WARN).
    """
    rows = [_row(number, given) for number, given in enumerate(_cells(source), 1)]
    if not rows:
        raise InputError("the limit table has no rows")
    if not any("rule" in row for row in rows):
        rows.sort(key=lambda row: WIDTH.index(row["scope"]) if row["scope"] in WIDTH else 0)
    first, *dates = sorted({-1, *(row[name] for row in rows for name in ("valid_from", "valid_to") if name in row)})
    changes = []
    for date in dates:
        begins = [row for row in rows if row.get("valid_from") == date] or [
            row for row in rows if row.get("valid_to") == date
        ]
        words = {name: next((row[name] for row in begins if name in row), "") for name in ("who", "why", "approver")}
        why = words["why"] or _place(begins[0])
        changes.append(RuleChange(date, _rules(rows, date), words["who"] or "the limit table", why, words["approver"]))
    return RuleHistory(_rules(rows, first), changes)


def limit_table(rules: RuleSet) -> pd.DataFrame:
    """The rules as a limit table, which `read_limits` reads back; all but the limits are texts.

    Examples
    --------
    >>> from riskkit.rules import PositionLimit
    >>> one = Rule("pos", PositionLimit(limit=150), scope="desk", overrides={"D1": {"limit": 300}})
    >>> table = limit_table(RuleSet([one]))
    >>> print(table[["rule", "scope", "key", "measure", "hard"]].to_string(index=False))
    rule scope key              measure hard
     pos  desk   * position_limit.limit  150
     pos  desk  D1 position_limit.limit  300
    >>> read_limits(table).first == RuleSet([one])
    True
    """
    import pandas as pd

    rows = [row for rule in instance(rules, RuleSet, "rules") for row in _described(rule)]
    columns = [name for name in COLUMNS if any(name in row for row in rows)]
    columns += dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    return pd.DataFrame([{name: row.get(name, "") for name in columns} for row in rows], columns=columns, dtype=object)


# ---------------------------------------------------------------------- cells


def _cells(source: Any) -> Iterable[Mapping[str, Any]]:
    """The rows of a frame or a file."""
    if hasattr(source, "to_dict") and hasattr(source, "columns"):
        return list(source.to_dict("records"))
    if not isinstance(source, (str, Path)):
        raise InputError(f"source={shown(source)} is neither a path nor a frame")
    path = Path(source)
    if path.suffix.lower() == ".toml":
        limits = read_toml(path, "limit table").get("limits")
        if not isinstance(limits, list) or not all(isinstance(one, dict) for one in limits):
            raise InputError(f"limit table {shown(path.name)} has no [[limits]]")
        return limits
    if path.suffix.lower() != ".csv":
        raise InputError(
            f"limit table {shown(path.name)} is neither CSV nor TOML; give a frame, as of pandas.read_excel"
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"limit table {shown(path.name)} cannot be read: {error}") from None


def _row(number: int, given: Mapping[str, Any]) -> Limits:
    """The cells of a row that are not empty, in the types that rules take."""
    if None in given:
        raise InputError(f"row {number} of the limit table has more cells than there are columns")
    row = {str(name).strip(): _plain(value) for name, value in given.items()}
    row = {name: value for name, value in row.items() if value is not None and value != ""}
    if not isinstance(row.get("measure"), str):
        raise InputError(f"row {number} of the limit table has no measure: a type of rule, as 'position_limit'")
    row = {**row, "row": number, "scope": scope_of(str(row.get("scope", "account"))), "key": str(row.get("key", EVERY))}
    for name in ("valid_from", "valid_to"):
        if name in row:
            row[name] = moment(row[name], f"{_place(row)}: {name}")
    if row.get("valid_from", 0) >= row.get("valid_to", row.get("valid_from", 0) + 1):
        raise InputError(f"{_place(row)}: valid_to is not after valid_from")
    return row


def _plain(value: Any) -> Any:
    """A cell as Python has it; None for an empty one."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value
    return value.strip() if isinstance(value, str) else None if str(value) in ("NaT", "<NA>") else value


def _parameter(kind: RuleType, name: str, value: Any) -> Any:
    """A cell as a parameter of a type."""
    unit = kind.units()[name].name
    if value == UNLIMITED:
        return None
    if isinstance(value, str) and unit in ("count", "hour") and value.lstrip("-").isdigit():
        return int(value)
    if isinstance(value, str) and unit == "duration" and value.isdigit():
        return int(value)
    if isinstance(value, str) and unit == "flag" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, str) and unit in ("labels", "kinds", "types"):
        return tuple(json.loads(value)) if value.startswith("[") else tuple(value.split(";"))
    if isinstance(value, str) and unit in PLAIN_DATA:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return tuple(value) if isinstance(value, list) else value


# ---------------------------------------------------------------------- rows to rules


def _rules(rows: list[Limits], date: int) -> RuleSet:
    """The rules of the rows that hold at a time."""
    valid = [row for row in rows if row.get("valid_from", -1) <= date and date < row.get("valid_to", date + 1)]
    found: dict[str, list[Limits]] = {}
    for row in valid:
        found.setdefault(str(row.get("rule", _name(row))), []).append(row)
    return RuleSet(rule for id, members in found.items() for rule in _made(id, members))


def _name(row: Limits) -> str:
    """Id of the rule of a row that names none: what its rows have in common."""
    same = {name: value for name, value in row.items() if name not in COLUMNS and name != "row"}
    more = "".join(f", {name} {value}" for name, value in same.items())
    return f"{row['measure']} by {WIRE.get(row['scope'], row['scope'])}{more}"


def _made(id: str, rows: list[Limits]) -> list[Rule]:
    """The hard and the soft rule of the rows of an id."""
    soft = any("soft" in row for row in rows)
    hard = any("hard" in row for row in rows) or not soft
    made = [(id, "hard")] * hard + [(f"{id}{SOFT}", "soft")] * soft
    return [_rule(name, rows, level) for name, level in made]


def _rule(id: str, rows: list[Limits], level: str) -> Rule:
    """One rule of the rows of an id."""
    first = rows[0]
    kind = rule_type(first["measure"].partition(".")[0])
    params: dict[str, Any] = {}
    for row in rows:
        if row["measure"].partition(".")[0] != kind.name or row["scope"] != first["scope"]:
            raise InputError(f"{_place(row)} has another type or scope than the other rows of rule {id!r}")
        params |= _parameters(row, kind)
    own = _limits(rows, kind, level)
    params |= own.pop(EVERY, {name: None for limits in own.values() for name in limits})
    fields = {name: first[name] for name in OF_RULE if name in first} | ({"action": "ALERT"} if level == "soft" else {})
    return Rule(id, kind.make(params), scope=first["scope"], kind=kind, overrides=own, **fields)


def _place(row: Limits) -> str:
    return f"row {row['row']} of the limit table"


def _parameters(row: Limits, kind: RuleType) -> Limits:
    """The parameters of a row that are no limits."""
    found = {}
    for name in row.keys() - {*COLUMNS, "row"}:
        field = name.removeprefix(PREFIX)
        if field not in kind.parameters._fields:
            raise InputError(
                f"{_place(row)}: {shown(name)} is neither a column of limit tables nor a parameter of {kind.name!r}"
            )
        found[field] = _parameter(kind, field, row[name])
    return found


def _limits(rows: list[Limits], kind: RuleType, level: str) -> dict[str, Limits]:
    """The limits of each key at a level, in the order of the rows; of two rows that limit the same the one with a time."""
    found: dict[str, Limits] = {}
    taken: dict[tuple[str, str], bool] = {}
    for row in (row for row in rows if level in row):
        name = row["measure"].partition(".")[2] or next(iter(kind.limits), "")
        if name not in kind.limits:
            has = ", ".join(kind.limits) or "none"
            raise InputError(f"{_place(row)}: {shown(name)} is no limit of the type {kind.name!r}; it has {has}")
        dated, before = bool(row.keys() & {"valid_from", "valid_to"}), taken.get((row["key"], name))
        if before == dated:
            raise InputError(f"{_place(row)} limits what a row before it limits at the same time")
        if before is None or dated:
            found.setdefault(row["key"], {})[name] = _parameter(kind, name, row[level])
        taken[row["key"], name] = dated or bool(before)
    return found


# ---------------------------------------------------------------------- rules to rows


def _described(rule: Rule) -> list[Limits]:
    """The rows of a rule: of each limit for all keys, and of each override."""
    described = rule.describe()
    params = {
        f"{PREFIX}{name}" if name in COLUMNS else name: _text(value)
        for name, value in described["params"].items()
        if name not in rule.kind.limits
    }
    common = {"rule": rule.id, "scope": described["scope"]}
    more = {name: described[name] for name in OF_RULE if name in described} | params
    given = [(EVERY, name, described["params"][name]) for name in rule.kind.limits if name in described["params"]]
    given += [(label, name, value) for label, limits in rule.overrides for name, value in limits]
    if not given:
        return [{**common, "key": EVERY, "measure": rule.type, **more}]
    return [
        {**common, "key": key, "measure": f"{rule.type}.{name}", "hard": UNLIMITED if value is None else value, **more}
        for key, name, value in given
    ]


def _text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict, bool)) else value
