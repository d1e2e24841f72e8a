"""Fuses the chosen rules into one loop and runs it, compiled or plain, over any stretch of a log.

The written module lies in the user's cache folder under a digest of its text and of everything that it calls, so a
second process starts at once and a changed rule can never meet an old loop (numba#1833).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit._jit import FLAGS, compiled, fingerprint, plain
from riskkit.replay import book, covariance_state, integers, queue, records, steps
from riskkit.replay.columns import MISSING, OPTIONAL, Command, Event, Flag, Kind
from riskkit.replay.own import Explaining
from riskkit.replay.rule import Rule, parameter_names
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.shape import OPEN_SCOPES, RuleShape, Shape
from riskkit.replay.source import FUNCTIONS, arguments, source
from riskkit.replay.state import State, terms

__all__ = ["Engine", "assign_slots", "cache_folder", "find_twins", "fixed_arguments", "load_module", "shape_of"]

CALLED = {
    "at": records.at,
    "words": records.words,
    "table": records.table,
    "emit": steps.emit,
    "release_time": steps.release_time,
    "stopping": steps.stopping,
    "join": steps.join,
    "keep_judgement": steps.keep_judgement,
    "kept_judgement": steps.kept_judgement,
    "tentative": steps.tentative,
    "command": steps.command,
    "is_key_of": steps.is_key_of,
    "twins_before": steps.twins_before,
    "equity": book.equity,
    "reduces": book.reduces,
    "fill": book.fill,
    "mark": book.mark,
    "quote": book.quote,
    "cash_flow": book.cash_flow,
    "track": book.track,
    "open_order": book.open_order,
    "forget_order": book.forget_order,
    "close_order": book.close_order,
    "fill_order": book.fill_order,
    "change_order": book.change_order,
    "worse": book.worse,
    "tag_order": book.tag_order,
    "link_order": book.link_order,
    "unlink_order": book.unlink_order,
    "value_order": book.value_order,
    "hold_cash": book.hold_cash,
    "assume_hold": book.assume_hold,
    "committed": book.committed,
    "adopt": book.adopt,
    "give_back": book.give_back,
    "list_order": book.list_order,
    "unlist_orders": book.unlist_orders,
    "share": integers.share,
    "pass_time": covariance_state.pass_time,
    "price_came": covariance_state.price_came,
}
NAMED = {
    "MISSING": MISSING,
    "NEVER": steps.NEVER,
    "UNKNOWN": steps.UNKNOWN,
    "WORKING": steps.WORKING,
    "BLOCKED": steps.BLOCKED,
    "COMMAND": steps.COMMAND,
    "COMMAND_BIT": steps.COMMAND_BIT,
    "LIMITED_QTY": steps.LIMITED_QTY,
    "LIMITED_PRICE": steps.LIMITED_PRICE,
    "HOLD_SESSION": steps.HOLD_SESSION,
    "ORPHANS_KEEP": int(steps.Orphans.KEEP),
    "ORPHANS_DROP": int(steps.Orphans.DROP),
    "RESUME": int(Command.RESUME),
    "RESET": int(Command.RESET),
    "BAD_TS": int(Flag.BAD_TS),
    "BAD_PRICE": int(Flag.BAD_PRICE),
    "DUPLICATE": int(Flag.DUPLICATE),
    "INHERITED": int(Flag.REDUCE_ONLY | Flag.BAD_PRICE),  # by a modify, of its order
    "VANISHED": steps.VANISHED,
    "CELLS_LEFT": queue.CELLS_LEFT,
    **{counter.name: int(counter) for counter in steps.Counter},
    **{decision.name: int(decision) for decision in steps.Decision},
}
BASIC = {Kind.ORDER, Kind.FILL, Kind.PRICE, Kind.CANCEL, Kind.CLOCK, Kind.MODIFY, Kind.CONTROL}
OTHERS = {int(kind) for kind in set(Kind) - BASIC}
INNER = {
    **FLAGS,
    "cache": False,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}  # only the loop is called from Python
SEPARATE = ("turn_over", "cancel_working")  # seldom called: inside the loop they would cost it registers
FLUSH_ROWS = 1 << 16
USE_ORDERS = {"orders", "working", "chains", "cash", "parents"}
TWIN_FIELDS = ("account", "instrument", "side", "qty", "price")


def shape_of(
    rules: RuleSet, columns: Mapping[str, Any], *, enforce: bool, sampled: bool, cancels: bool, opened: bool
) -> Shape:
    """What the loop must do for these rules over a log with these columns."""
    shapes = tuple(_rule_shape(rule) for rule in rules)
    needs = frozenset().union(*(rule.kind.needs for rule in rules))
    holds = any((s.holds and not s.halts) or s.reduces or "reducing" in s.check for s in shapes)
    cancels = cancels and enforce
    kinds = set(np.unique(columns["kind"]).tolist()) if len(columns["kind"]) else set()
    return Shape(
        shapes,
        enforce,
        marks="marks" in needs or sampled or opened,
        orders=enforce or holds or bool(needs & USE_ORDERS) or int(Kind.MODIFY) in kinds,
        controls=int(Kind.CONTROL) in kinds,
        samples=sampled,
        cancels=cancels,
        modifies=int(Kind.MODIFY) in kinds,
        others=bool(kinds & OTHERS),
        chains="chains" in needs,
        cash="cash" in needs,
        twins="twins" in needs,
        parents="parents" in needs,
        tags=any(s.scope in OPEN_SCOPES for s in shapes),
        columns=tuple(name for name in OPTIONAL if name in columns),
    )


def _rule_shape(rule: Rule) -> RuleShape:
    kind = rule.kind

    def names(function: Any) -> tuple[str, ...]:
        return parameter_names(function) if function is not None else ()

    return RuleShape(
        rule.scope,
        rule.holds,
        rule.action == "HALT",
        kind.latches,
        kind.trips,
        kind.reduces,
        "working" in kind.needs,
        "covariance" in kind.needs,
        kind.cells,
        tuple(sorted(map(int, kind.judges))),
        tuple(sorted(map(int, kind.watches))),
        names(kind.check),
        names(kind.record),
        names(kind.turn) if kind.turn is not None else None,
        names(kind.reset) if kind.reset is not None else None,
        names(kind.advance) if kind.advance is not None else None,
        names(kind.assume) if kind.assume is not None else None,
    )


class Engine:
    """The loop of a rule set over logs of one shape.

    Parameters
    ----------
    rules : RuleSet
        In their declared order.
    shape : Shape
        From `shape_of`.
    compiled : bool
        False runs the same text as plain Python.
    """

    def __init__(self, rules: RuleSet, shape: Shape, *, compiled: bool = True) -> None:
        self.rules = rules
        self.shape = shape
        self.compiled = compiled and not _jit_is_off()
        functions = tuple(
            (f"{name}{k}", getattr(rule.kind, name))
            for k, rule in enumerate(rules)
            for name in ("check", "record", "turn", "reset", "advance", "assume")
            if getattr(rule.kind, name) is not None
        )
        self.run = (_compiled_run if self.compiled else _plain_run)(shape, functions)

    def feed(
        self,
        state: State,
        columns: Mapping[str, np.ndarray],
        fixed: Mapping[str, Any],
        start: int,
        stop: int,
        *,
        copy: bool = True,
    ) -> Iterator[np.ndarray]:
        """Run events [start, stop) and yield the decision rows as the buffer fills.

        Without `copy` they are the buffer itself, which the next turn writes over.
        """
        most = sum(map(len, state.rules)) + 8 + 2 * len(state.rules)
        rows = np.zeros(max(FLUSH_ROWS, 4 * most), steps.ROW)
        state.counts[steps.Counter.ROOM] = most
        self.make_room(state)
        values = self.arguments(state, columns, fixed, rows)
        at = start
        while at < stop:
            at, used = self.run(at, stop, *values)
            if used:
                yield rows[: int(used)].copy() if copy else rows[: int(used)]
            if at < stop and self.make_room(state):
                values = self.arguments(state, columns, fixed, rows)

    def make_room(self, state: State) -> bool:
        """Add cells to the workspace where the next event might need more than there are; say whether it moved."""
        if state.memory[queue.CELLS_LEFT] >= self.shape.cells:
            return False
        state.memory = queue.more_cells(state.memory, self.shape.cells)
        return True

    def arguments(
        self, state: State, columns: Mapping[str, Any], fixed: Mapping[str, Any], rows: np.ndarray
    ) -> list[Any]:
        """Everything that ``run`` takes after start and stop."""
        arrays = {**columns, **state.arrays(), **fixed, "rows": rows}
        return [arrays[name.removeprefix("all_")] for name in arguments(self.shape)[2:]]

    @property
    def signatures(self) -> int:
        """How many versions of the loop have been compiled."""
        return len(getattr(self.run, "signatures", ()))


def fixed_arguments(
    rules: RuleSet, params: list[Any], found: Any, sample_at: np.ndarray, sampled: np.ndarray
) -> dict[str, Any]:
    """The arguments of ``run`` that no event changes."""
    fixed: dict[str, Any] = {"bounds": np.array(found.bounds), "sample_at": sample_at, "sampled": sampled}
    for k, (rule, integers_of) in enumerate(zip(rules, params, strict=True)):
        fixed[f"t{k}"] = terms(rule, found)
        fixed[f"p{k}"] = integers_of
    return fixed


def cache_folder() -> Path:
    """Where written loops and their machine code are kept: RISKKIT_CACHE, else the user's cache folder."""
    if "RISKKIT_CACHE" in os.environ:
        return Path(os.environ["RISKKIT_CACHE"])
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "riskkit"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "riskkit" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "riskkit"


def assign_slots(columns: Mapping[str, np.ndarray], shape: Shape) -> tuple[np.ndarray, int]:
    """Give every order a record that is free again after the last event that names it.

    Where the working orders themselves are looked through (chains, cancels), only a cancel or an expiry frees it: an
    order that nobody names again goes on working. Where children are counted, an order keeps its record.

    Returns
    -------
    slots : ndarray of int32, shape (n_events,)
        The record of the event's order, -1 if none.
    count : int
        How many orders are alive at once at most.
    """
    from riskkit.replay.slots import slots_of

    parent = columns.get("parent", np.full(0, -1, np.int64))
    slots = np.empty(len(columns["ts"]), np.int32)
    final = np.zeros(0, bool)
    if shape.parents:
        final = np.zeros(len(slots), bool)
    elif shape.chains or shape.cancels:
        final = np.isin(columns["kind"], (Kind.CANCEL, Kind.EXPIRY))
        if "flags" in columns:
            final &= columns["flags"] & int(Flag.BAD_TS) == 0
    return slots, int(slots_of(columns["order"], parent, final, slots))


def find_twins(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The row of the order before each order that is its like (account, instrument, side, qty, price), -1 if none."""
    flags = columns.get("flags", np.zeros(len(columns["ts"]), np.int32))
    rows = np.flatnonzero((columns["kind"] == Kind.ORDER) & (flags & int(Flag.BAD_TS) == 0))
    twin = np.full(len(columns["ts"]), -1, np.int64)
    fields = [columns[name][rows] for name in TWIN_FIELDS] + [flags[rows] & int(Flag.BAD_PRICE)]
    order = np.lexsort(fields)  # stable: likes stay in the order of their rows
    like = np.ones(max(len(rows) - 1, 0), bool)
    for field in fields:
        like &= field[order[1:]] == field[order[:-1]]
    twin[rows[order[1:][like]]] = rows[order[:-1][like]]
    return twin


# ---------------------------------------------------------------------- making the loop


def _jit_is_off() -> bool:
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def _namespace(functions: tuple[tuple[str, Callable[..., Any]], ...], make: Callable[[Any], Any]) -> dict[str, Any]:
    from riskkit.replay.book import Book
    from riskkit.replay.steps import Judgement

    made: dict[Any, Any] = {}

    def once(function: Any) -> Any:
        if function not in made:
            made[function] = make(function)
        return made[function]

    names = {name: once(function) for name, function in {**CALLED, **dict(functions)}.items()}
    return {**NAMED, **names, "Event": Event, "Book": Book, "Judgement": Judgement, "int64": np.int64}


@lru_cache(maxsize=64)
def _plain_run(shape: Shape, functions: tuple[tuple[str, Callable[..., Any]], ...]) -> Callable[..., Any]:
    module: dict[str, Any] = _namespace(functions, plain)
    exec(compile(source(shape), "<riskkit replay loop>", "exec"), module)  # our own text, no user's
    return module["run"]


@lru_cache(maxsize=64)
def _compiled_run(shape: Shape, functions: tuple[tuple[str, Callable[..., Any]], ...]) -> Callable[..., Any]:
    import numba

    njit: Any = numba.njit
    text = source(shape)
    mark = hashlib.blake2b(text.encode(), digest_size=8)
    for name, function in {**CALLED, **dict(functions)}.items():
        mark.update(name.encode() + fingerprint(function).encode())
    mark.update(repr((sorted(NAMED.items()), sorted(INNER.items()), SEPARATE)).encode())
    module = load_module(f"riskkit_loop_{mark.hexdigest()}", text)
    vars(module).update(_namespace(functions, lambda function: compiled(function, INNER)))
    for name in FUNCTIONS:
        if hasattr(module, name):
            setattr(module, name, njit(**{**INNER, "forceinline": name not in SEPARATE})(getattr(module, name)))
    run = njit(**FLAGS, no_cfunc_wrapper=True)(module.run)
    own = [function for _, function in functions if getattr(function, "cell", False)]
    return Explaining(run, own) if own else run


def load_module(name: str, text: str) -> Any:
    """Write the module if it is not there yet, whole or not at all, and load it."""
    folder = cache_folder()
    path = folder / f"{name}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            part = folder / f"{name}.{os.getpid()}.part"
            part.write_text(text, encoding="utf-8")
            part.replace(path)
    except OSError as error:
        raise InputError(
            f"the cache folder {folder} cannot be written ({error.strerror}); set RISKKIT_CACHE to one that can"
        ) from None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba looks a cached function's module up by name
    spec.loader.exec_module(module)
    return module
