"""User-defined rules, from a notebook cell or a file: parameters, state, check and update as plain Python.

`custom` declares the rule type; the names that its functions use are imported from here. The type is then equivalent to
those of the catalogue: in TOML, in a dict or as an object, in shadow, enforce and live, plain and compiled, with its
machine code cached for later processes.
"""

from __future__ import annotations

import hashlib
import sys
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from riskkit._check import InputError, one_of, shown
from riskkit.replay.kernels.book import (
    ACCOUNT,
    CASH_BALANCE,
    INSTRUMENT,
    ORDER,
    POSITION,
    Book,
    equity,
    notional,
    order_price,
    profit,
)
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.kernels.records import at
from riskkit.replay.rules.catalogue.message import price_of, rest
from riskkit.replay.rules.custom_check import (
    CellFunction,
    check_ends,
    check_fields,
    check_returns,
    check_writes,
    line_of,
    names_called,
    read,
)
from riskkit.replay.rules.parameters import (
    Breach,
    ComparedLimit,
    Count,
    Duration,
    Flag,
    Limit,
    MinQuantity,
    Money,
    MoneyReached,
    Proportion,
    Quantity,
    Ratio,
    Return,
    Ticks,
    unit_of,
)
from riskkit.replay.rules.rule import RuleType, is_known, parameter_names, register, rule_type
from riskkit.replay.rules.verdict import NO_PRICE, OBJECT, PASS, CapVerdict, Measure, Verdict
from riskkit.replay.schema.columns import MESSAGES, MISSING, WATCHED, EventKind, EventRow

__all__ = [
    "MISSING",
    "NO_PRICE",
    "OBJECT",
    "PASS",
    "Breach",
    "CapVerdict",
    "ComparedLimit",
    "Count",
    "Duration",
    "Explaining",
    "Flag",
    "EventKind",
    "MinQuantity",
    "Limit",
    "Measure",
    "Money",
    "MoneyReached",
    "Proportion",
    "Quantity",
    "Ratio",
    "Return",
    "Ticks",
    "Verdict",
    "at",
    "equity",
    "exceeds_fraction",
    "fraction_of",
    "notional",
    "order_price",
    "custom",
    "price_of",
    "profit",
    "rest",
]

ARGUMENTS = {
    "check": ("state", "params", "book", "event", "memory", "reducing", "orders", "positions", "duplicates"),
    "update": ("state", "params", "book", "event", "memory", "accepted", "passed"),
    "on_new_day": ("state", "params", "book", "memory"),
    "reset": ("state", "params", "book", "memory"),
    "evict": ("state", "params", "event", "memory"),
    "apply_pending": ("state", "params", "book", "event", "sign", "memory"),
}
WRITES = {"check": (), "update": ("state", "memory"), "on_new_day": ("state", "memory"), "reset": ("state", "memory")}
WRITES |= {"evict": ("state", "memory"), "apply_pending": ("state", "memory")}
CHECK_KINDS = tuple(kind.name.lower() for kind in MESSAGES)
OF_MARKET = (EventKind.PRICE, EventKind.CLOSE)  # they have no account, and most scopes no key
UPDATE_KINDS = tuple(kind.name.lower() for kind in WATCHED if kind not in OF_MARKET)
ENGINE = ("owner", "held_until", "trips", "working", "memory")  # fields that the engine adds to a rule's record
VALUED = {"value", "gross", "peak", "drawdown", "net_deposits", "mark", "unpriced"}  # these need marks
VALUES = {"equity", "profit"}
QUEUED = {"open_buy_qty", "open_sell_qty"}


def custom_hooks(functions: Iterable[tuple[str, Any]]) -> list[Any]:
    """Those of named functions that users have written."""
    return [function for _, function in functions if getattr(function, "cell", False)]


class Explaining:
    """A compiled loop with user-defined rules; a compilation error names the line of the rule."""

    def __init__(self, run: Any, functions: Iterable[Any]) -> None:
        self.run = run
        self.functions = tuple(functions)

    @property
    def signatures(self) -> Any:
        """Compiled signatures."""
        return self.run.signatures

    def __call__(self, *args: Any) -> Any:
        """Run the loop."""
        numba_errors = sys.modules["numba.core.errors"]
        try:
            return self.run(*args)
        except numba_errors.NumbaError as error:
            raise InputError(_uncompiled(str(error), self.functions)) from None


def custom(
    name: str,
    parameters: Any,
    *,
    check: Callable[..., Any] | None = None,
    update: Callable[..., Any] | None = None,
    on_new_day: Callable[..., Any] | None = None,
    reset: Callable[..., Any] | None = None,
    evict: Callable[..., Any] | None = None,
    apply_pending: Callable[..., Any] | None = None,
    state: Iterable[str] = (),
    checks_on: Iterable[str] = CHECK_KINDS,
    updates_on: Iterable[str] = (),
    workspace_size: int = 0,
    requires: Iterable[str] = (),
    sentence: str = "",
    **declared: Any,
) -> RuleType:
    """Declare a user-defined rule, in a notebook cell or a file.

    Its functions name the arguments that they need: ``check`` out of state, params, book, event, memory, reducing,
    orders, positions, duplicates, and it returns a `Verdict`; ``update`` out of state, params, book, event, memory,
    accepted, passed, and it returns 1 to trip, else 0; ``on_new_day`` (the trading day turns) and ``reset`` (manual
    reset) out of state, params, book, memory; ``evict`` (time passes) out of state, params, event, memory;
    ``apply_pending`` (an order of a list is added, ``sign`` 1, while the orders after it are checked, and removed, -1)
    out of state, params, book, event, sign, memory. `riskkit.replay.rules.rule` describes the arguments.

    The functions are integer arithmetic, branches and loops over ``range``, the same compiled and interpreted. Beside
    their arguments they read integer constants, `EventKind`, other functions of the cell, and riskkit's helpers, all
    with their values at the declaration; a list, a float constant, a module or a variable of the cell is refused.
    A loop has bounds that are numbers or parameters, and all loops of a function at most a million turns together. A division
    by zero, a number beyond 64 bits, a fraction that is observed or remembered, a word of `memory` that is not the rule's own,
    a verdict with an unknown code and an ``update`` that returns neither 0 nor 1 end the replay with the line, plain and
    compiled alike.

    Parameters
    ----------
    name : str
        The ``type`` in a rule set. Running the cell again replaces it; catalogue names are refused.
    parameters : NamedTuple class
        Fields annotated with `Count`, `Duration`, `Quantity` (internally lots of the finest instrument), `Money`
        (quanta), `Proportion` (a fraction, internally millionths), `Flag`, ... A limit is written ``Limit[Quantity]``: a
        parameter ``breach: Breach`` then decides whether a value equal to it passes.
    state : names of the record's fields, int64, 0 at the start.
    checks_on : of "order", "modify"
        Events for which ``check`` is called.
    updates_on : of "order", "modify", "cancel", "fill", "trade", "error", "ack", "execution", "mark"
        Events for which ``update`` is called; "mark": an account's equity moved.
    workspace_size : int
        Words of workspace per key; they start at ``memory[state.memory]``.
    requires : of "marks", "orders", "chains", "cash", "duplicates", "parents", "working"
        Data that the engine maintains in addition to that implied by the functions' fields.
    sentence : str
        The limit in words, with parameters in braces: ``"at most {limit} an hour"``.
    **declared
        As in `RuleType`: scopes, action, hold, checked_by_pause, breach_trips, may_pause, exempt_reducing, and facts
        about the verdict: observes (default: the parameter that every `Verdict` has as its limit), standing (default:
        True with a state), looks_at, counts_itself, one_pass.

    Returns
    -------
    RuleType
        Call it to make a rule: ``kind("my-id", limit=3)``.

    Raises
    ------
    InputError
        If a function or field is not allowed; the message names the function, the line and its text.

    Examples
    --------
    A limit on orders in a row on one side:

    >>> from typing import NamedTuple
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> from riskkit.replay.rules.custom import OBJECT, PASS, Count
    >>> from riskkit.rules import Verdict, custom
    >>> class OneWay(NamedTuple):
    ...     limit: Count
    >>> def check(state, params, event):
    ...     run = state.run + 1 if event.side == state.side else 1
    ...     return Verdict(OBJECT if run > params.limit else PASS, run, params.limit)
    >>> def update(state, event, accepted):
    ...     if accepted != 0:
    ...         state.run = state.run + 1 if event.side == state.side else 1
    ...         state.side = event.side
    ...     return 0
    >>> one_way = custom("one_way", OneWay, state=("run", "side"), check=check, update=update, checks_on=["order"],
    ...                    updates_on=["order"], sentence="at most {limit} orders in a row on one side")
    >>> frame = pd.DataFrame({"ts": range(5), "kind": "order", "account": "A", "instrument": "X",
    ...                       "side": ["B", "B", "B", "S", "B"], "qty": 1, "price": 10.0})
    >>> rules = rk.RuleSet.from_dict({"rules": [{"type": "one_way", "params": {"limit": 2}}]})
    >>> print(rules)
    1. one_way: at most 2 orders in a row on one side, for each account. Orders that would breach it are
    rejected (severity WARN).
    >>> result = rk.replay_log(rk.EventLog.from_frame(frame), rules, compiled=False)
    >>> result.rejections()["seq"].tolist()
    [2]
    """
    _check_name(name)
    _check_parameters(name, parameters)
    fields = _state_fields(name, state, workspace_size)
    functions = {"check": check, "update": update, "on_new_day": on_new_day, "reset": reset, "evict": evict}
    functions |= {"apply_pending": apply_pending}
    known: dict[Any, CellFunction] = {}
    parsed = {
        role: read(function, known=known, words=workspace_size, role=role)
        for role, function in functions.items()
        if function is not None
    }
    if not parsed:
        raise InputError(f"rule type {name!r} has neither a check nor an update; it needs at least one of them")
    needed = {
        one_of(need, ("marks", "orders", "chains", "cash", "duplicates", "parents", "working"), "requires")
        for need in requires
    }
    for role, found in parsed.items():
        _check_role(role, found, parameters, fields)
        needed |= _requirements(found)
    checked = _kinds(checks_on, CHECK_KINDS, "checks_on") if check is not None else frozenset()
    watched = _kinds(updates_on, UPDATE_KINDS, "updates_on")
    if (update is None) != (not watched):
        raise InputError(
            f"rule type {name!r}: update and updates_on belong together; declare the events for which update is called"
        )
    needed |= {"marks"} if EventKind.MARK in watched else set()
    declared.setdefault("scopes", ("account",))
    observes = declared.get("observes", ())
    if type(observes) is tuple and len(observes) > 1 and "CapVerdict" not in names_called(parsed["check"]):
        raise InputError(
            f"rule type {name!r} observes several limits; its check must name the limit: return "
            "CapVerdict(code, observed, limit, cap, base)"
        )
    declared.setdefault("standing", bool(fields) and check is not None)
    declared.setdefault("observes", _named_limit(parsed.get("check"), parameters))
    return register(
        RuleType(
            name=name,
            parameters=parameters,
            state=fields,
            checks_on=checked,
            updates_on=watched,
            workspace_size=workspace_size,
            requires=frozenset(needed),
            sentence=_sentence(name, sentence, parameters),
            source_hash=_mark(
                parsed,
                [fields, sorted(checked), sorted(watched), workspace_size, sorted(needed), sorted(declared.items())],
            ),
            integer_parameters=integers_class(parameters._fields),
            **{role: found.frozen for role, found in parsed.items()},
            **declared,
        )
    )


# ---------------------------------------------------------------------- validation


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise InputError(f"name={shown(name)} is not a name for a rule type; use a word such as 'one_way'")
    if is_known(name) and not rule_type(name).source_hash:
        raise InputError(f"rule type {shown(name)} is a built-in type; choose another name")


def _check_parameters(name: str, parameters: Any) -> None:
    if not (isinstance(parameters, type) and issubclass(parameters, tuple) and hasattr(parameters, "_fields")):
        raise InputError(f"rule type {name!r}: parameters={shown(parameters)} is not a NamedTuple class")
    from typing import get_type_hints

    try:
        hints = get_type_hints(parameters, include_extras=True)
    except NameError as error:
        raise InputError(
            f"rule type {name!r}: an annotation of {parameters.__name__} is not defined ({error})"
        ) from None
    for field in parameters._fields:
        if unit_of(hints[field]) is None:
            raise InputError(
                f"rule type {name!r}: the parameter {field!r} has no unit; annotate it with Count, Duration, Quantity, "
                "Money, Proportion or Flag of riskkit.replay.rules.custom"
            )


def _state_fields(name: str, state: Iterable[str], workspace_size: int) -> tuple[str, ...]:
    fields = (state,) if isinstance(state, str) else tuple(state)
    for field in fields:
        if not isinstance(field, str) or not field.isidentifier() or fields.count(field) > 1 or field in ENGINE:
            raise InputError(
                f"rule type {name!r}: {field!r} is not a name for a field of state, is repeated, or is reserved"
            )
    if isinstance(workspace_size, bool) or not isinstance(workspace_size, int) or workspace_size < 0:
        raise InputError(f"rule type {name!r}: workspace_size={workspace_size!r} is not a number of words of workspace")
    return (*fields, "memory") if workspace_size else fields


def _kinds(names: Iterable[Any], allowed: tuple[str, ...], argument: str) -> frozenset[EventKind]:
    if isinstance(names, str):
        names = (names,)
    texts = [name.name.lower() if isinstance(name, EventKind) else str(name) for name in names]
    return frozenset(EventKind[one_of(text, allowed, argument).upper()] for text in texts)


def _check_role(role: str, found: CellFunction, parameters: Any, fields: tuple[str, ...]) -> None:
    """Raise if a function has an unknown argument, or reads or writes a field that it may not."""
    for argument in parameter_names(found.function):
        if argument not in ARGUMENTS[role]:
            allowed = ", ".join(ARGUMENTS[role])
            raise InputError(f"{found.at(found.tree)} has the argument {argument!r}; {role} may have {allowed}")
    book: dict[str, Any] = dict.fromkeys(Book._fields, None)
    book |= {"position": POSITION, "account": ACCOUNT, "instrument": INSTRUMENT, "order": ORDER}
    book |= {"parent": ORDER, "cash_balance": CASH_BALANCE}
    records: dict[str, Any] = {"state": (*fields, *ENGINE), "params": parameters._fields, "event": EventRow._fields}
    check_fields(found, {**records, "book": book})
    for part in found.with_helpers():
        check_writes(part, WRITES[role], ENGINE)
    if role == "check":
        if "duplicates" in parameter_names(found.function) and not {"limit", "window_ns"} <= set(parameters._fields):
            raise InputError(
                f"{found.at(found.tree)} has the argument 'duplicates'; its parameters must include limit and window_ns"
            )
        check_returns(found)
    elif role == "update":
        check_ends(found, "number: 1 to trip, else 0")


def _requirements(found: CellFunction) -> set[str]:
    """Data that the engine maintains for the fields and functions used."""
    import ast

    required: set[str] = set()
    for cell in found.with_helpers():
        names = {node.attr for node in ast.walk(cell.tree) if isinstance(node, ast.Attribute)}
        arguments = set(parameter_names(cell.function))
        required |= {"marks"} if names & VALUED or names_called(cell) & VALUES else set()
        required |= {"orders"} if names & (QUEUED | {"order"}) or "orders" in arguments else set()
        required |= {"cash"} if "cash_balance" in names else set()
        required |= {"parents"} if "parent" in names and "child_qty" in names else set()
        required |= {"chains"} if "orders" in arguments else set()
        required |= {"duplicates"} if "duplicates" in arguments else set()
        required |= {"working"} if "working" in names else set()
    return required


def _named_limit(check: CellFunction | None, parameters: Any) -> tuple[str, ...]:
    """The parameter that is the limit of every verdict of a check; empty if it varies or is computed."""
    import ast

    calls = [node for node in ast.walk(check.tree) if isinstance(node, ast.Call)] if check is not None else []
    limits = [call.args[2] for call in calls if getattr(call.func, "id", "") == "Verdict" and len(call.args) == 3]
    names = {limit.attr if isinstance(limit, ast.Attribute) else "" for limit in limits}
    units = {name: unit.name for name in names if name in parameters._fields for unit in [_unit(parameters, name)]}
    return tuple(names) if len(names) == 1 and set(units.values()) <= set(Measure) and units else ()


def _unit(parameters: Any, name: str) -> Any:
    from typing import get_type_hints

    return unit_of(get_type_hints(parameters, include_extras=True)[name])


def _mark(functions: Mapping[str, CellFunction], declared: list[Any]) -> str:
    """Hash of the rule: source of its functions and declared fields."""
    texts = [(role, found.mark) for role, found in functions.items()]
    return hashlib.blake2b(repr((texts, declared)).encode(), digest_size=16).hexdigest()


def _sentence(name: str, text: str, parameters: Any) -> Callable[[Any], str]:
    try:
        text.format_map(dict.fromkeys(parameters._fields, 0))
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"rule type {name!r}: sentence={text!r} names an unknown parameter ({error})") from None
    return lambda given: text.format_map(given._asdict()) if text else f"{name}({_given(given)})"


def _given(parameters: Any) -> str:
    """Parameters other than the defaults, as limit=1,000."""
    fields, absent = parameters._asdict(), parameters._field_defaults
    given = {name: value for name, value in fields.items() if name not in absent or value != absent[name]}
    return ", ".join(f"{name}={value:,}" if type(value) is int else f"{name}={value}" for name, value in given.items())


# ---------------------------------------------------------------------- support of the compiled loop


@cache
def integers_class(fields: tuple[str, ...]) -> Any:
    """Class of a rule's integer parameters, shared by all rules with the same fields.

    A later process that loads the cached machine code finds this class by name, unlike a class of a cell.
    """
    name = "Integers" + "".join(f"_{len(field)}_{field}" for field in fields)
    made = namedtuple(name, fields)  # type: ignore[misc]
    made.__module__ = __name__
    return made


def __getattr__(name: str) -> Any:
    """Find a class of `integers_class` by its name, for the cache."""
    fields: list[str] = []
    rest_of = name.removeprefix("Integers")
    while name.startswith("Integers") and rest_of:
        size, _, tail = rest_of[1:].partition("_")
        if not size.isdigit():
            break
        fields.append(tail[: int(size)])
        rest_of = tail[int(size) :]
    if rest_of or not name.startswith("Integers"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return integers_class(tuple(fields))


class _Line(NamedTuple):
    function: Any
    line: int


def _uncompiled(message: str, functions: tuple[Any, ...]) -> str:
    """Summary of a numba error: the innermost line of a user-defined rule, and the reason."""
    import re

    found: list[_Line] = []
    for match in re.finditer(r'File "(.*?)", line (\d+)', message):
        for function in _with_callees(functions):
            code = function.__code__
            last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
            same = code.co_filename == match[1] or code.co_filename.endswith(match[1].lstrip("./"))
            if same and code.co_firstlineno <= int(match[2]) <= last:
                found.append(_Line(function, int(match[2])))
    texts = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in message.splitlines()]
    reasons = [
        text
        for text in texts
        if text and not text.startswith(("Failed in", "During:", "File ", "def ", "-", "<source"))
    ]
    reason = next(
        (text for text in reasons if re.match(r"(Cannot|No implementation|Unknown|Invalid|Type|Unsupported)", text)), ""
    )
    reason = re.sub(r",? defined at .*$", "", reason or (reasons[0] if reasons else "no reason given"))
    where = line_of(*found[-1]) if found else f"a user-defined rule ({', '.join(f.__name__ for f in functions)})"
    return f"{where} cannot be compiled: {reason.rstrip('.:')}; compiled=False runs it as plain Python"


def _with_callees(functions: Iterable[Any]) -> list[Any]:
    """The functions, and the functions of their cell that they call."""
    found: list[Any] = []
    stack = list(functions)
    while stack:
        function = stack.pop()
        if function not in found:
            found.append(function)
            stack += [value for value in function.__globals__.values() if getattr(value, "cell", False)]
    return found
