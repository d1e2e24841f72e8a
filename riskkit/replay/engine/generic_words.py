"""The words of the generic loop (`riskkit.replay.engine.generic`) for one rule set, log and state."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.engine.shape import RuleShape, Shape
from riskkit.replay.engine.state import CLOCK, State
from riskkit.replay.engine.template import template
from riskkit.replay.kernels.book import ACCOUNT, CASH_BALANCE, INSTRUMENT, ORDER, POSITION
from riskkit.replay.kernels.conversion import CONVERSION, RATE
from riskkit.replay.kernels.fill_records import FILL
from riskkit.replay.kernels.records import record_dtype
from riskkit.replay.kernels.runtime import Terms
from riskkit.replay.kernels.totals import TOTAL
from riskkit.replay.rules.rule import Rule, RuleType
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import OPTIONAL, REQUIRED, EventKind, EventRow
from riskkit.replay.schema.scopes import SCOPES

MASKED = (*OPTIONAL, "slots", "prev_duplicate")  # columns that a log may not have
DEFAULTS = {**{name: value for name, (_, value) in OPTIONAL.items()}, "slots": -1, "prev_duplicate": -1}
DTYPES = {**{name: kind for name, (kind, _) in OPTIONAL.items()}, "slots": "<i4", "prev_duplicate": "<i8"}
# functions that look up records of rules, apart from each other
BANKS = ("run", "turn_over", "moved", "cancel_working")

# words of a rule: where its records are (that of key 0, and the distance), then numbers; at last its facts. `params` is the
# address of its parameters, and `version` the distance of those of a record with limits of its own
MOST_PARAMETERS = 24
RULE = ("address", "stride", "n_keys", "type", "check", "scope", "group", "terms", "params", "version",
        *(f"state_{name}" for name in BANKS), *(f"key_{name}" for name in BANKS),
        "reducing", "best", "met", "duplicates", *Terms._fields, *(f"param_{k}" for k in range(MOST_PARAMETERS)))  # fmt: skip
RULE_WORDS = 192
GROUP = ("number", "positions", "accounts", "cash")
GROUP_WORDS = 32
EVENTS = 32  # in memory, one of each function that makes events
TABLES = {"positions": POSITION, "accounts": ACCOUNT, "instruments": INSTRUMENT, "orders": ORDER,
          "cash_balances": CASH_BALANCE, "fills": FILL, "rates": RATE, "conversions": CONVERSION,
          "converted_books": ACCOUNT, "totals": TOTAL}  # fmt: skip
# what functions read at its address, which is a word: passed one by one, fifty arguments would cost more than most rules
POINTED: dict[str, np.dtype] = {
    **{f"log_{name}": np.dtype(kind) for name, kind in {**REQUIRED, **DTYPES}.items()},
    **{name: record_dtype(fields) for name, fields in TABLES.items()},
    **dict.fromkeys(("bounds", "sample_at", "sampled", "paths", "nets", "memory"), np.dtype(np.int64)),
    "clocks": record_dtype(CLOCK), "reals": np.dtype(np.float64), "events": record_dtype(EventRow._fields),
}  # fmt: skip
SHAPE = ("rules", "groups", "length", *(f"mask_{name}" for name in MASKED), *(f"at_{name}" for name in POINTED))
SCOPE_NUMBERS = {name: number for number, name in enumerate(SCOPES)}
EMPTY = {"rates": RATE, "conversions": CONVERSION, "converted_books": ACCOUNT}  # tables that few rules need


class Fact(NamedTuple):
    """An expression of the template that is read as a word; ``known`` are the values of its constants.

    The word of one of a kind of event has a bit for each kind; that of a pair of a rule and a group one for each group.
    """

    level: str
    text: str
    known: tuple[tuple[str, Any], ...]
    by_kind: bool

    def word(self, shape: Shape, **names: Any) -> int:
        """Its word for a shape, and a rule or group of it."""
        if self.level == "pair":
            return sum(self._value(shape=shape, group=group, **names) << n for n, group in enumerate(shape.groups))
        if self.by_kind:
            return sum(self._value(shape=shape, kind=kind, **names) << kind for kind in EventKind)
        return self._value(shape=shape, **names)

    def _value(self, **names: Any) -> int:
        found = eval(_code(self.text), {}, {**template().facts, **dict(self.known), **names})
        return int(found) if isinstance(found, int) else int(bool(found))


@cache
def _code(text: str) -> Any:
    return compile(text, "<fact>", "eval")


class Facts(NamedTuple):
    """The facts that a generic loop reads, in the order of their words: of the shape, of its rules, of its groups."""

    shape: tuple[Fact, ...]
    rule: tuple[Fact, ...]
    group: tuple[Fact, ...]


class Layout(NamedTuple):
    """The generic loop of rule types: name and text of its module, and the facts that it reads."""

    kinds: tuple[RuleType, ...]
    name: str
    text: str
    facts: Facts


@lru_cache(maxsize=64)
def _facts(facts: Facts, shape: Shape) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """The words of a shape, of each rule and of each group."""
    return (
        [fact.word(shape) for fact in facts.shape],
        [[fact.word(shape, rule=rule) for fact in facts.rule] for rule in shape.rules],
        [[fact.word(shape, group=group) for fact in facts.group] for group in shape.groups],
    )


def generic_arrays(
    layout: Layout,
    rules: RuleSet,
    shape: Shape,
    state: State,
    columns: Mapping[str, np.ndarray],
    fixed: Mapping[str, Any],
) -> dict[str, np.ndarray]:
    """The arrays that only the generic loop takes: words, one value for each column that is absent, empty tables."""
    shape = shape._replace(columns=tuple(OPTIONAL))
    of_shape, of_rules, of_groups = _facts(layout.facts, shape)
    rows = []
    for rule, shaped, terms, params, table, facts in zip(
        rules, shape.rules, fixed["terms"], fixed["params"], state.rules, of_rules, strict=True
    ):
        own = params[1] if rule.overrides else params
        rows.append([*_head(layout, shape, rule, shaped, table, [*terms, *own]), *facts])
    groups = []
    for n, (group, facts) in enumerate(zip(shape.groups, of_groups, strict=True)):
        tables = [state.groups[group.table(name)] for name in GROUP[1:] if name != "cash" or group.has_cash]
        head = [n, *map(_first, tables)]
        groups.append([*head, *[0] * (len(GROUP) - len(head)), *facts])
    masks = [-1 if name in columns else 0 for name in MASKED]
    absent = {name: np.full(1, DEFAULTS[name], DTYPES[name]) for name in MASKED if name not in columns}
    empty = {name: np.zeros(1, record_dtype(fields)) for name, fields in EMPTY.items() if name not in state.groups}
    words = _with_addresses(_laid_out(rows, RULE_WORDS), fixed["params"])
    return {
        **absent,
        **empty,
        "rule_words": words,
        "group_words": _laid_out(groups, GROUP_WORDS),
        "events": np.zeros(EVENTS, record_dtype(EventRow._fields)),
        "shape_words": np.array([*_counted(rows, groups, columns), *masks, *[0] * len(POINTED), *of_shape], np.int64),
    }


def _counted(rows: list[Any], groups: list[Any], columns: Mapping[str, np.ndarray]) -> tuple[int, int, int]:
    """Words of all rules and of all groups, and events."""
    return len(rows) * RULE_WORDS, len(groups) * GROUP_WORDS, len(columns["ts"])


def point(arrays: Mapping[str, np.ndarray]) -> None:
    """Write the addresses of the arrays of a loop into its words; that of a table is the one after its empty record."""
    words = arrays["all_shape_words"]
    first = SHAPE.index("mask_" + MASKED[-1]) + 1
    for place, name in enumerate(POINTED, first):
        array = arrays["all_" + name.removeprefix("log_")]
        words[place] = array.__array_interface__["data"][0] + array.itemsize * (name in TABLES)


def _laid_out(rows: list[list[int]], words: int) -> np.ndarray:
    """Rows of so many words, one after the other; at least one."""
    made = np.zeros((max(len(rows), 1), words), np.int64)
    for row, numbers in zip(made, rows, strict=False):
        row[: len(numbers)] = numbers
    return made.reshape(-1)


def _with_addresses(words: np.ndarray, params: list[Any]) -> np.ndarray:
    """Words of rules with the addresses of their terms and parameters: among them, or the versions of them behind all."""
    versions = {place: table for place, table in enumerate(params) if isinstance(table, np.ndarray)}
    found = np.concatenate([words, *(table.view(np.int64) for table in versions.values())])
    rows, end = found[: len(words)].reshape(-1, RULE_WORDS), len(words)
    for name, first in (("terms", Terms._fields[0]), ("params", "param_0")):
        rows[:, RULE.index(name)] = found.ctypes.data + 8 * (RULE_WORDS * np.arange(len(rows)) + RULE.index(first))
    for place, table in versions.items():
        rows[place, RULE.index("params")] = found.ctypes.data + 8 * end + table.itemsize  # after an empty record
        rows[place, RULE.index("version")] = table.itemsize
        end += table.nbytes // 8
    return found


def _head(
    layout: Layout, shape: Shape, rule: Rule, shaped: RuleShape, table: np.ndarray, numbers: list[int]
) -> list[int]:
    """The words of a rule before its facts."""
    code = layout.kinds.index(rule.kind)
    check = code + len(layout.kinds) if rule.currency else code
    group = shape.groups.index(shaped.group) * GROUP_WORDS if shaped.group else 0
    first = {"address": _first(table), "stride": table.itemsize, "n_keys": len(table) - 1, "type": code, "check": check}
    first |= {"scope": SCOPE_NUMBERS[rule.scope], "group": group}
    head = [first.get(name, 0) for name in RULE[: RULE.index("rejects")]] + numbers
    return head + [0] * (len(RULE) - len(head))


def _first(table: np.ndarray) -> int:
    """Address of the first record of a table, after the empty one."""
    return int(table.ctypes.data + table.itemsize)
