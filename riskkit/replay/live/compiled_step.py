"""One event, or many, at the price of a small compiled call.

A call of the loop from Python costs microseconds, nearly all for unpacking its sixty arguments. So a second function is
generated for each loop: `step` takes three integers, the address of a block of words with the addresses of all arrays, that
of prepared events and their number; it appends the events to the journal and runs the loop over them. It stops before an
event that it cannot take alone (a full journal, a new record, an earlier time, an amount that could overflow), and returns
-1 if that is the first; the engine then takes the event without it. The journal's size is written last, so nothing is done
by half.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

from riskkit._cache import kernels_of, load_module
from riskkit._jit import FLAGS, pointer_to
from riskkit.replay.engine.compiler import ReplayLoop
from riskkit.replay.live.overflow import ENOUGH, FIELDS, adds
from riskkit.replay.schema.columns import OPTIONAL, REQUIRED, RowFlag

# the words of a block before the arguments of the loop
HEAD = ("size", "capacity", "latest", "slots", "slot_capacity", "reach", "slots_at", "written")
PLACE = {name: index for index, name in enumerate(HEAD)}
COLUMNS = (*REQUIRED, *OPTIONAL)
# those that differ from one plain order to the next are neighbours, and so are those of plain fills: each are written in one
# go (`riskkit.replay.live.door`)
OF_BOTH = ("ts", "account", "instrument", "pair", "side", "qty", "price", "lots", "highest", "strategy")
FILL_WORDS = ("order", "trade_id", *OF_BOTH)
ORDER_WORDS = (*OF_BOTH, "connection", "named")
PLAIN_WORDS = ("kind", "flags", "bid", "ask", *FILL_WORDS, "connection", "named")
EVENT_WORDS = (*PLAIN_WORDS, *(name for name in COLUMNS if name not in PLAIN_WORDS), "money", "prev_duplicate")
WORDS = {name: place for place, name in enumerate(EVENT_WORDS)}
LOTS, HIGHEST, WORTH, UNIT, MAX_PRICE = (1 + index for index in range(len(FIELDS)))


class Prepared:
    """A checked event as an int64 buffer, and its address."""

    __slots__ = ("address", "words")

    def __init__(self, row: Mapping[str, int], named: bool) -> None:
        lots, highest, money = adds(row)
        values = {**row, "named": int(named), "lots": lots, "highest": highest, "money": money}
        values.setdefault("prev_duplicate", -1)
        self.words = np.array([values[name] for name in EVENT_WORDS], np.int64)
        self.address = int(self.words.ctypes.data)

    def row(self, number: int) -> dict[str, int]:
        """The event as row `number` of the journal."""
        values = dict(zip(EVENT_WORDS, self.words.tolist(), strict=True))
        if values["named"]:
            values["order"] = number
        return {name: values[name] for name in COLUMNS}


class Quick:
    """The step of one live session: a compiled function and its block of addresses.

    Parameters
    ----------
    engine : Engine
        A compiled engine; a plain one has no step.
    values : list
        The loop's arguments after start and stop: arrays, and NamedTuples of integers.

    Attributes
    ----------
    block : ndarray of int64
        The words of `HEAD`, kept by the session, then the arguments.
    """

    def __init__(self, engine: ReplayLoop, values: list[Any]) -> None:
        self.names = engine.names
        kinds = tuple(_kind(name, value) for name, value in zip(self.names, values, strict=True))
        widths = [_width(kind) for kind in kinds]
        self._starts = list(itertools.accumulate(widths, initial=len(HEAD)))  # of the words of each argument
        self.block = np.zeros(self._starts[-1], np.int64)
        self.kept: list[Any] = [None] * len(kinds)  # the arguments, so that the arrays stay alive
        self.address = self.block.ctypes.data
        self.step = _compiled_step(engine.run, tuple(self.names), kinds)

    def again(self) -> Quick:
        """The same step with a block of its own."""
        other = copy(self)
        other.block = self.block.copy()
        other.address = other.block.ctypes.data
        return other

    def point_to(self, values: list[Any]) -> None:
        """Store the addresses and values of the arguments that are others than before."""
        kept, self.kept = self.kept, [None] * len(values)  # what an interrupt leaves is stored anew
        for at, value, before in zip(self._starts, values, kept, strict=False):
            if value is before:
                continue
            if isinstance(value, np.ndarray):
                # faster than `ndarray.ctypes`, but for records, whose fields it lists
                named = value.dtype.names is not None
                words = value.ctypes.data if named else value.__array_interface__["data"][0], *value.shape
            else:
                words = tuple(value)
            self.block[at : at + len(words)] = words
        self.kept = values


def can_step(engine: ReplayLoop, values: list[Any]) -> bool:
    """True if a step can be generated: the loop is compiled, and all arguments except arrays are integers."""
    if not engine.compiled:
        return False
    tuples = [value for value in values if not isinstance(value, np.ndarray)]
    integers = all(isinstance(field, (int, np.integer)) for value in tuples for field in value)
    return integers and hasattr(engine.run, "py_func")


def _kind(name: str, value: Any) -> tuple[Any, ...]:
    """The properties of an argument on which the source of the step depends."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype.descr) if value.dtype.names else value.dtype.str, value.ndim, value.dtype)
    return (type(value).__name__, len(value), type(value))


def _width(kind: tuple[Any, ...]) -> int:
    return 1 + kind[1] if isinstance(kind[2], np.dtype) else kind[1]


def _text(names: tuple[str, ...], kinds: tuple[tuple[Any, ...], ...]) -> str:
    """Source of the step."""
    lines = [
        '"""A step of a fused replay loop, written by riskkit.replay.live.compiled_step; it can be deleted at any time."""'
    ]
    lines += ["", "", "def step(block, events, count):", "    w = int64_at(block)"]
    at = len(HEAD)
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if isinstance(kind[2], np.dtype):
            sizes, start = ", ".join(f"w[{at + 1 + axis}]" for axis in range(kind[1])), f"w[{at}]"
            if name == "all_rows":  # after the rows written so far
                written = f"w[{PLACE['written']}]"
                sizes, start = f"{sizes} - {written}", f"{start} + {kind[2].itemsize} * {written}"
            lines += [f"    {name} = carray(at_{index}({start}), ({sizes},))"]
        else:
            lines += [f"    {name} = make_{index}({', '.join(f'w[{at + k}]' for k in range(kind[1]))})"]
        at += _width(kind)
    word, head = {name: f"e[{k}]" for k, name in enumerate(EVENT_WORDS)}, {n: f"w[{k}]" for n, k in PLACE.items()}
    stored = [name for name in (*COLUMNS, "prev_duplicate") if f"all_{name}" in names]
    body = [
        f"slots = int32_at({head['slots_at']})",
        f"reach = float_at({head['reach']})",
        f"first = {head['size']}",
        "place = first",
        f"latest = {head['latest']}",
        f"next_slot = {head['slots']}",
        "for k in range(count):",
        f"    e = int64_at(events + {8 * len(EVENT_WORDS)} * k)",
        f"    if place >= {head['capacity']} or {word['ts']} < latest or {word['flags']} & {int(RowFlag.BAD_TS)}:",
        "        break",
        f"    order = {word['order']}",
        "    slot = -1",
        f"    if {word['named']} != 0:",
        "        order = place",
        "        slot = next_slot",
        f"        if slot >= {head['slot_capacity']}:",
        "            break",
        "    elif order >= 0:",
        "        if order >= place or all_order[order] != order:",
        "            break",
        "        slot = slots[order]",
        f"    more = float({word['money']})",
        f"    code = {len(FIELDS)} * {word['instrument']}",
        "    lots = 0.0",
        "    highest = 0.0",
        "    if code >= 0:",
        f"        lots = reach[code + {LOTS}] + {word['lots']}",
        f"        highest = max(reach[code + {HIGHEST}], float({word['highest']}))",
        f"        if highest > reach[code + {MAX_PRICE}]:",
        "            break",
        f"        more += lots * max(highest * reach[code + {WORTH}], reach[code + {UNIT}])",
        f"        before = reach[code + {HIGHEST}] * reach[code + {WORTH}]",
        f"        more -= reach[code + {LOTS}] * max(before, reach[code + {UNIT}])",
        "    if reach[0] + more >= ENOUGH:",
        "        break",
        "    reach[0] += more",
        "    if code >= 0:",
        f"        reach[code + {LOTS}] = lots",
        f"        reach[code + {HIGHEST}] = highest",
        *(f"    all_{name}[place] = {'order' if name == 'order' else word[name]}" for name in stored),
        "    slots[place] = slot",
        f"    next_slot += {word['named']}",
        f"    latest = {word['ts']}",
        "    place += 1",
        "if place == first:",
        "    return -1",
        f"done, used = run(first, place, {', '.join(names)})",
        "if done == first:",  # no room for decisions or entries of windows; a bound that is too high does no harm
        "    return -1",
        "for row in range(done, place):",
        f"    next_slot -= slots[row] >= {head['slots']} and all_order[row] == row",
        f"{head['latest']} = all_ts[done - 1]",
        f"{head['slots']} = next_slot",
        f"{head['written']} += used",
        f"{head['size']} = done",
        "return used",
    ]
    return "\n".join([*lines, *(f"    {line}" for line in body)]) + "\n"


@lru_cache(maxsize=64)
def _compiled_step(
    run: Any, names: tuple[str, ...], kinds: tuple[tuple[Any, ...], ...]
) -> Callable[[int, int, int], int]:
    import numba

    text = _text(names, kinds)
    mark = hashlib.blake2b(text.encode() + run.py_func.__module__.encode(), digest_size=8)
    mark.update(repr([kind[:2] for kind in kinds]).encode() + repr(ENOUGH).encode())
    module = load_module(f"riskkit_step_{mark.hexdigest()}", text)
    vars(module).update(carray=numba.carray, run=run, ENOUGH=ENOUGH)
    vars(module).update(int64_at=pointer_to(np.dtype(np.int64)), float_at=pointer_to(np.dtype(np.float64)))
    vars(module).update(int32_at=pointer_to(np.dtype(np.int32)))
    for index, kind in enumerate(kinds):
        if isinstance(kind[2], np.dtype):
            setattr(module, f"at_{index}", pointer_to(kind[2]))
        else:
            setattr(module, f"make_{index}", kind[2])
    njit: Any = numba.njit
    with kernels_of(module.__file__):
        step = njit(**FLAGS, no_cfunc_wrapper=True)(module.step)
    # called without the search for a version that fits, a third of the price of a call
    entry: Callable[[int, int, int], int] = step.compile("(int64, int64, int64)")
    return entry
