"""Compile the loop of a rule set, and run it over any range of a log, compiled or plain.

The specialised module is cached in the user's cache folder under a digest of its text and of all functions that it
calls, so a second process starts at once and a changed rule never uses an old loop (numba#1833).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from riskkit._bar import say, waiting
from riskkit._cache import alone, cache_folder, folder_of_numba, kernels_of, load_module
from riskkit._docs import counted
from riskkit._jit import (
    FLAGS,
    UNNEEDED,
    compiled,
    fingerprint,
    jit_is_off,
    loop_compilers,
    once_a_type,
    plain,
    pointer_to,
)
from riskkit.replay.engine import log_facts
from riskkit.replay.engine.generic import arguments as generic_arguments
from riskkit.replay.engine.generic import catalogue, catalogue_loop
from riskkit.replay.engine.generic_kept import digest_of_sources, kept
from riskkit.replay.engine.generic_words import Facts, Layout, generic_arrays, point
from riskkit.replay.engine.groups import book_of, groups_of, has_group
from riskkit.replay.engine.loop import FUNCTIONS
from riskkit.replay.engine.plain import is_followed, plain_code, plain_loop
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.shape import HOOKS, OPEN_SCOPES, GroupShape, RuleShape, Shape, arguments, table_places
from riskkit.replay.engine.specialise import Loop, specialise
from riskkit.replay.engine.state import State, fills_noted, hold_fills, terms
from riskkit.replay.kernels import queue, runtime
from riskkit.replay.kernels.records import copied, record_dtype, with_objects
from riskkit.replay.rules.custom import Explaining, custom_hooks
from riskkit.replay.rules.rule import Rule, parameter_names
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import AMENDS, FACTS, OPTIONAL, SETTLES, EventKind, RowFlag
from riskkit.replay.schema.universe import Universe

RARE = {int(kind) for kind in EventKind if FACTS[kind].rare}
INNER = {
    **FLAGS,
    "cache": False,
    "forceinline": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}  # only the loop is called from Python
# rarely called: inlined, they would cost the loop registers
SEPARATE = tuple(name for name in FUNCTIONS if name not in ("run", "judge", "moved"))
CHARACTERS_PER_SECOND = 1_800  # of the loop's text, compiled on a free core of a laptop
FLUSH_ROWS = 1 << 16
READ_ORDERS = {int(kind) for kind in EventKind if FACTS[kind].reads_orders}
MOVES_LOTS = {int(kind) for kind in EventKind if FACTS[kind].moves_lots}
USE_ORDERS = {"orders", "working", "chains", "cash", "parents", "exposures", "volume", "opening"}
Tier = bool | str  # True: the loop of a rule set alone, "generic": that of the catalogue, False: plain Python
Functions = tuple[tuple[str, Callable[..., Any]], ...]


def shape_of(
    rules: RuleSet,
    columns: Mapping[str, Any],
    *,
    enforce: bool,
    sampled: bool,
    cancels: bool,
    opened: bool,
    flattens: bool = False,
    netted: bool = False,
) -> Shape:
    """The shape of the loop for these rules and a log with these columns.

    What is tracked follows from the rules and from what events of the log can do: a MODIFY changes an order, a PAUSE command
    frees orders that only reduce. `netted` allows a total that is sampled alone, if no rule needs the accounts at every price.
    """
    groups = groups_of(rules)
    shapes = tuple(_rule_shape(k, rule, groups) for k, rule in enumerate(rules))
    requires = frozenset().union(*(rule.requires for rule in rules))
    kinds = set(np.unique(columns["kind"]).tolist()) if len(columns["kind"]) else set()
    amends = bool(kinds & {int(kind) for kind in AMENDS}) and "fill" in columns
    tags = any(s.scope in OPEN_SCOPES and s.scope in columns for s in shapes)
    marks = "marks" in requires or opened
    netted = netted and sampled and not (marks or amends or {int(EventKind.EQUITY), *MOVES_LOTS} & kinds)
    return Shape(
        shapes,
        enforce,
        marks=marks or (sampled and not netted),
        orders=enforce or tags or bool(requires & USE_ORDERS) or bool(kinds & READ_ORDERS) or any(map(_frees, shapes)),
        controls=int(EventKind.CONTROL) in kinds,
        samples=sampled,
        cancels=cancels and enforce,
        modifies=int(EventKind.MODIFY) in kinds,
        others=bool(kinds & RARE),
        chains="chains" in requires,
        cash="cash" in requires,
        duplicates="duplicates" in requires,
        parents="parents" in requires,
        tags=tags,
        exposures="exposures" in requires,
        references="references" in requires,
        groups=tuple(groups.values()),
        answers=log_facts.answers(columns, kinds),
        amends=amends,
        flattens=enforce and (flattens or log_facts.flattened(columns)),
        columns=tuple(name for name in OPTIONAL if name in columns),
        commands=log_facts.commands(columns, kinds),
        dividends=int(EventKind.DIVIDEND) in kinds,
        snapshots=int(EventKind.SNAPSHOT) in kinds and "batch" in columns,
        fundings=int(EventKind.FUNDING) in kinds,
        adjusts=int(EventKind.ADJUST) in kinds,
        settles=bool(set(map(int, SETTLES)) & kinds),
        splits=int(EventKind.SPLIT) in kinds,
        multipliers=int(EventKind.MULTIPLIER) in kinds,
        phases=int(EventKind.PHASE) in kinds,
        unconfirmed=log_facts.has_flag(columns, RowFlag.UNCONFIRMED),
        externals=log_facts.has_flag(columns, RowFlag.EXTERNAL),
        credits=int(EventKind.CREDIT) in kinds,
        closes=log_facts.has_flag(columns, RowFlag.CLOSE_POSITION),
        lifetimes="lifetimes" in requires,
        turnover="turnover" in requires,
        netted=netted,
    )


def _frees(shape: RuleShape) -> bool:
    """True if orders that only reduce a position are an exception to a rule: their working orders must be known."""
    return (shape.can_pause and not shape.halts) or shape.exempt_reducing or "reducing" in shape.arguments("check")


def _rule_shape(number: int, rule: Rule, groups: Mapping[tuple[str, bool, bool], GroupShape]) -> RuleShape:
    kind = rule.kind
    return RuleShape(
        number=number,
        name=f"{rule.type}_{number}",
        scope=rule.scope,
        can_pause=rule.can_pause,
        halts=rule.action == "HALT",
        checked_by_pause=kind.checked_by_pause,
        breach_trips=kind.breach_trips,
        exempt_reducing=kind.exempt_reducing,
        working="working" in kind.requires,
        covariance="covariance" in kind.requires,
        credit="credit" in kind.requires,
        tagged=bool(getattr(rule.parameters, "tagged", False)),
        nodes_per_event=kind.nodes_per_event,
        caps=kind.caps,
        volume="volume" in kind.requires,
        opening="opening" in kind.requires,
        whole="later" in (parameter_names(kind.check) if kind.check else ()),
        group=groups.get(book_of(rule)) if has_group(rule) else None,
        converts=bool(rule.currency),
        recovers=kind.recovers,
        queues=rule.action == "QUEUE",
        overridden=bool(rule.overrides),
        reads=tuple(sorted(kind.reads)),
        checks_on=tuple(sorted(map(int, kind.checks_on))),
        updates_on=tuple(sorted(map(int, kind.updates_on))),
        alerts_on=tuple(map(int, rule.alerts_on)),
        hooks=tuple((hook, parameter_names(function)) for hook, function in _hooks(rule)),
    )


def _hooks(rule: Rule) -> list[tuple[str, Callable[..., Any]]]:
    """The functions of a rule's type that the loop calls."""
    found = [(hook, getattr(rule.kind, hook)) for hook in HOOKS]
    if rule.currency:
        found[HOOKS.index("check")] = ("check", rule.kind.converted)
    return [(hook, function) for hook, function in found if function is not None]


def functions_of(rules: RuleSet, shape: Shape) -> Functions:
    """The hooks of the rules, by their names in the loop of their shape."""
    return tuple(
        (f"{hook}_{shaped.name}", function)
        for shaped, rule in zip(shape.rules, rules, strict=True)
        for hook, function in _hooks(rule)
    )


def rows_of_an_event(state: State, shape: Shape) -> int:
    """The most decision rows that one event may write."""
    rows = sum(map(len, state.rules)) + 8 + 2 * len(state.rules) + shape.takes_away * (len(state.orders) + 1)
    rows += shape.snapshots * (len(state.orders) + 2 * len(state.positions))
    return rows + (shape.settles or shape.splits) * 2 * len(state.positions)


class ReplayLoop:
    """The loop of a rule set for logs of one shape.

    Parameters
    ----------
    rules : RuleSet
        In their declared order.
    shape : Shape
        From `shape_of`.
    compiled : bool or "generic"
        True compiles the loop of this shape; "generic" takes that of the whole catalogue, which reads the shape as data;
        False runs the loop of this shape as plain Python, with the lines of the template.
    """

    def __init__(self, rules: RuleSet, shape: Shape, *, compiled: Tier = True) -> None:
        self.rules = rules
        self.shape = shape
        self.take(compiled)

    def take(self, compiled: Tier) -> None:
        """Run the events to come by another loop; "background" is "generic" where nobody awaits the loop of the rules."""
        self.tier = False if jit_is_off() else "generic" if compiled == "background" else compiled
        self.compiled = bool(self.tier)
        self.layout = _generic() if self.tier == "generic" else None
        if self.layout is not None:
            self.names = generic_arguments()[2:]
            self.run = _generic_run()
            return
        self.names = arguments(self.shape)[2:]
        functions = functions_of(self.rules, self.shape)
        self.run = (
            _compiled_run(self.shape, functions) if self.compiled else _plain_run(self.shape, functions, is_followed())
        )

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

        Without `copy` they are views of the buffer, which the next iteration overwrites.
        """
        limit = rows_of_an_event(state, self.shape)
        rows = np.zeros(max(FLUSH_ROWS, 4 * limit), runtime.ROW)
        state.counts[runtime.Counter.ROOM] = limit
        self.make_room(state)
        if self.shape.amends:
            hold_fills(state, fills_noted(columns["kind"], len(state.positions)))
        values = self.arguments(state, columns, fixed, rows)
        at = start
        while at < stop:
            at, used = self.run(at, stop, *values)
            if used:
                yield copied(rows[: int(used)]) if copy else rows[: int(used)]
            if at < stop and self.make_room(state):
                values = self.arguments(state, columns, fixed, rows)

    def make_room(self, state: State) -> bool:
        """Add nodes to the workspace if the next event might need more; return whether it moved."""
        if state.memory[queue.FREE_NODES] >= self.shape.nodes_per_event:
            return False
        state.memory = queue.add_nodes(state.memory, self.shape.nodes_per_event)
        return True

    def arguments(
        self, state: State, columns: Mapping[str, Any], fixed: Mapping[str, Any], rows: np.ndarray
    ) -> list[Any]:
        """The arguments of ``run`` after start and stop."""
        given = {name: _writable(column) for name, column in columns.items()} if self.compiled else columns
        arrays = {**given, **state.arrays(), **fixed, "rows": rows}
        values = {f"all_{name}": array for name, array in arrays.items()}
        for rule, of_terms, params, states in zip(
            self.shape.rules, fixed["terms"], fixed["params"], state.rules, strict=True
        ):
            values |= {f"terms_{rule.name}": of_terms, f"params_{rule.name}": params, f"all_states_{rule.name}": states}
        if self.layout is not None:
            found = generic_arrays(self.layout, self.rules, self.shape, state, columns, fixed)
            values |= {f"all_{name}": array for name, array in found.items()}
            point(values)
        return [values[name] for name in self.names]

    @property
    def how(self) -> str:
        """Which loop runs, in words."""
        return {False: "plain Python", "generic": "generic loop"}.get(self.tier, "loop of these rules")

    @property
    def signatures(self) -> int:
        """Number of compiled versions of the loop."""
        return len(getattr(self.run, "signatures", ()))


def fixed_arguments(
    rules: RuleSet, params: list[Any], found: Any, samples: Samples, universe: Universe
) -> dict[str, Any]:
    """The arguments of ``run`` beside columns, state and rows."""
    return {
        "bounds": np.array(found.bounds),
        **samples._asdict(),
        "terms": [terms(rule, found, universe.currencies) for rule in rules],
        "params": [
            _versions(rule, integers, universe) if rule.overrides else integers
            for rule, integers in zip(rules, params, strict=True)
        ],
    }


def _versions(rule: Rule, integers: Any, universe: Universe) -> np.ndarray:
    """The parameters of the versions of a rule as a table, after an empty record."""
    table = np.zeros(len(rule.versions) + 1, record_dtype(integers._fields))
    for place, version in enumerate(rule.versions, 1):
        table[place] = tuple(version.to_integers(universe))
    return table


class _Writable:
    """The memory of an array, as of one that may be written."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def _writable(column: np.ndarray) -> np.ndarray:
    """A column of a mapped file as the type of any other, so that no loop is compiled for it; loops write in none."""
    return column if column.flags.writeable else np.asarray(_Writable(column))


# ---------------------------------------------------------------------- generation of the loop


def _namespace(found: Loop, make: Callable[[Any], Any]) -> dict[str, Any]:
    """Globals of a loop; each function is compiled, or converted to plain Python, once; a dtype stands for its pointers."""
    functions = [value for value in found.names.values() if isinstance(value, FunctionType)]
    made = {value: make(value) for value in dict.fromkeys(functions)}
    return {
        name: made[value] if isinstance(value, FunctionType)
        else pointer_to(value) if isinstance(value, np.dtype)
        else value
        for name, value in found.names.items()
    }  # fmt: skip


@lru_cache(maxsize=64)
def _plain_run(shape: Shape, functions: Functions, followed: bool) -> Callable[..., Any]:
    """The loop as plain Python: one function; where it is followed, slower, with the functions and lines of the template."""
    found = _loop_of(shape, functions, plain_loop) if followed else _loop_of(shape, functions)
    module = _namespace(found, plain)
    exec(plain_code(found) if followed else compile(found.tree, "<plain loop>", "exec"), module)  # no user input
    return module["run"] if custom_hooks(functions) else with_objects(module, table_places(shape))


@lru_cache(maxsize=64)
def _compiled_run(shape: Shape, functions: Functions) -> Callable[..., Any]:
    found = _loop_of(shape, functions)
    run = _machine_code(lambda: found, found.text, _own_name(shape, functions), len(shape.rules))
    _MADE.add((shape, functions))
    with suppress(OSError):
        _mark(shape, functions).touch()
    custom = custom_hooks(functions)
    return Explaining(run, custom) if custom else run


_MADE: set[tuple[Shape, Functions]] = set()  # compiled or loaded in this process


@lru_cache(maxsize=64)
def _loop_of(shape: Shape, functions: Functions, make: Callable[[Shape], Loop] = specialise) -> Loop:
    found = make(shape)
    return found._replace(names={**found.names, **dict(functions)})


@cache
def _generic() -> Layout:
    def make() -> tuple[str, str, Facts]:
        loop, facts = catalogue_loop()
        return _module_name(loop, "generic"), loop.text, facts

    return Layout(catalogue(), *kept(make))


@cache
def _generic_run() -> Any:
    kinds, name, text, _ = _generic()
    return _machine_code(lambda: catalogue_loop()[0], text, name, len(kinds), inline=False)


def is_compiled(rules: RuleSet, shape: Shape, *, on_disk: bool) -> bool:
    """True if the loop of a rule set is there in machine code: in this process, or (`on_disk`) in the cache folder."""
    functions = functions_of(rules, shape)
    if (shape, functions) in _MADE or not on_disk:
        return (shape, functions) in _MADE
    return _mark(shape, functions).exists() and _is_kept(_own_name(shape, functions))


def _mark(shape: Shape, functions: Functions) -> Path:
    """An empty file that says that the loop of a shape was made once: to look for its machine code, its text has to be made."""
    made = repr((digest_of_sources(), shape, [(name, fingerprint(function)) for name, function in functions]))
    return cache_folder() / f"riskkit_loop_{hashlib.blake2b(made.encode(), digest_size=8).hexdigest()}.made"


def generic_is_warm() -> bool:
    """True if the generic loop is there in machine code."""
    return _generic_run.cache_info().currsize > 0 or _is_kept(_generic().name)


def _is_kept(name: str) -> bool:
    """True if numba has kept machine code of a module's loop."""
    numbas = folder_of_numba()
    places = numbas.glob("*") if numbas else [cache_folder() / "__pycache__"]
    return any(any(place.glob(f"{name}.run-*.nbi")) for place in places)


@lru_cache(maxsize=64)
def _own_name(shape: Shape, functions: Functions) -> str:
    return _module_name(_loop_of(shape, functions), "loop")


def _module_name(found: Loop, kind: str) -> str:
    """Name of a loop's module, which differs if anything differs that is compiled."""
    mark = hashlib.blake2b(found.text.encode(), digest_size=8)
    for name, value in sorted(found.names.items()):
        source = fingerprint(value) if isinstance(value, FunctionType) else repr(getattr(value, "_fields", value))
        mark.update(name.encode() + source.encode())
    mark.update(repr((sorted(INNER.items()), SEPARATE, UNNEEDED)).encode())
    return f"riskkit_{kind}_{mark.hexdigest()}"


def _machine_code(make: Callable[[], Loop], text: str, name: str, rules: int, *, inline: bool = True) -> Any:
    """The compiled `run` of a loop with its functions; made and compiled at the first call, or loaded."""
    import numba

    njit: Any = numba.njit
    module = load_module(name, text)
    whole, parts = loop_compilers()
    # inlined, what it calls would make the generic loop many times as large
    inner = {**INNER, "pipeline_class": parts, "forceinline": inline}

    def prepare() -> None:
        found = make()
        vars(module).update(_namespace(found, lambda function: compiled(function, inner)))
        for function in found.functions[:-1]:
            flags = {**inner, "forceinline": inline and function.name not in SEPARATE}
            setattr(module, function.name, once_a_type(njit(**flags)(getattr(module, function.name))))

    with kernels_of(module.__file__):
        run = njit(**FLAGS, no_cfunc_wrapper=True, pipeline_class=whole)(module.run)
    _prepared(run, prepare)
    if not _is_kept(module.__name__):
        say(compiling(rules, text))
    return _compiled_once(run, module.__name__)


def _prepared(run: Any, prepare: Callable[[], None]) -> None:
    """Prepare what a loop calls before it is compiled for the first time; a kept loop is loaded without."""
    once, compiler = cache(prepare), run._compiler
    compile_core = compiler.compile

    def compile_prepared(*given: Any) -> Any:
        once()
        return compile_core(*given)

    compiler.compile = compile_prepared


def _compiled_once(run: Any, name: str) -> Any:
    """Let one process compile a cached function; another that wants it meanwhile waits, and loads it from the cache."""
    compiler: Any = run.compile

    def compile_alone(signature: Any) -> Any:
        with ExitStack() as held:
            with waiting("another process compiles this loop"):
                held.enter_context(alone(name))
            return compiler(signature)

    run.compile = compile_alone
    return run


def compiling(rules: int, text: str) -> str:
    """What a person is told who waits for the machine code of a loop with this text.

    Examples
    --------
    >>> compiling(3, "x" * 15_000).partition(";")[0]
    'compiling 3 rules once, about 8 s'
    """
    folder = cache_folder()
    home = Path(os.path.expanduser("~"))
    place = Path("~") / folder.relative_to(home) if folder.is_relative_to(home) else folder
    seconds = max(1, round(len(text) / CHARACTERS_PER_SECOND))
    return f"compiling {counted(rules, 'rule')} once, about {seconds} s; kept in {place}"
