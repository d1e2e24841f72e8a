"""One event at a time at the price of a small compiled call.

Calling the loop from Python costs microseconds, nearly all of it for unpacking its sixty arguments. So a second
function is written for each loop: `step` takes two integers, the address of a block of words that says where every
array is, and the address of one prepared event; it writes the event into the journal and lets the loop take it. What
it cannot do alone (a full journal, a new record, a time that went back, a sum that could leave 64 bits) it leaves
undone, returns -1, and the long way is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np

from riskkit._jit import FLAGS
from riskkit.replay.columns import OPTIONAL, REQUIRED, Flag
from riskkit.replay.engine import Engine, load_module
from riskkit.replay.queue import CELLS_LEFT
from riskkit.replay.reach import ENOUGH, FIELDS, adds
from riskkit.replay.shape import arguments
from riskkit.replay.steps import Counter

__all__ = ["HEAD", "PLACE", "Prepared", "Quick", "can_step"]

# the words of a block, before the arguments of the loop
HEAD = ("size", "capacity", "latest", "slots", "slot_capacity", "cells", "reach", "slots_at", "written")
PLACE = {name: place for place, name in enumerate(HEAD)}
COLUMNS = (*REQUIRED, *OPTIONAL)
EVENT_WORDS = (*COLUMNS, "named", "lots", "highest", "money")
LOTS, HIGHEST, WORTH, UNIT, MOST = (1 + place for place in range(len(FIELDS)))


class Prepared:
    """An event ready to be taken: its words, and where they stand."""

    __slots__ = ("address", "words")

    def __init__(self, row: Mapping[str, int], named: bool) -> None:
        lots, highest, money = adds(row)
        values = {**row, "named": int(named), "lots": lots, "highest": highest, "money": money}
        self.words = np.array([values[name] for name in EVENT_WORDS], np.int64)
        self.address = int(self.words.ctypes.data)

    def row(self, place: int) -> dict[str, int]:
        """The event as a row of the journal at a place."""
        values = dict(zip(EVENT_WORDS, self.words.tolist(), strict=True))
        if values["named"]:
            values["order"] = place
        return {name: values[name] for name in COLUMNS}


class Quick:
    """The step of one live session: a compiled function and its block of addresses.

    Parameters
    ----------
    engine : Engine
        Compiled; a plain one has no step.
    block : ndarray of int64
        Words of `HEAD` in front, kept by the session; the arguments are written behind them.
    values : list
        The loop's arguments after start and stop: arrays, and NamedTuples of integers.
    """

    def __init__(self, engine: Engine, values: list[Any]) -> None:
        self.names = arguments(engine.shape)[2:]
        kinds = tuple(_kind(name, value) for name, value in zip(self.names, values, strict=True))
        self.block = np.zeros(len(HEAD) + sum(_width(kind) for kind in kinds), np.int64)
        self.address = self.block.ctypes.data
        self.step = _compiled_step(engine.run, tuple(self.names), kinds)

    def point_to(self, values: list[Any]) -> None:
        """Take the arguments' new places and values."""
        at = len(HEAD)
        for value in values:
            if isinstance(value, np.ndarray):
                self.block[at] = value.ctypes.data
                self.block[at + 1 : at + 1 + value.ndim] = value.shape
                at += 1 + value.ndim
            else:
                self.block[at : at + len(value)] = value
                at += len(value)
        self.kept = values  # the arrays live as long as their addresses are used


def can_step(engine: Engine, values: list[Any]) -> bool:
    """Whether a step can be written: the loop is compiled, and everything that is no array is whole numbers."""
    tuples = [value for value in values if not isinstance(value, np.ndarray)]
    whole = all(isinstance(one, (int, np.integer)) for value in tuples for one in value)
    return engine.compiled and whole and hasattr(engine.run, "py_func") and not engine.shape.twins


def _kind(name: str, value: Any) -> tuple[Any, ...]:
    """What of an argument decides the text of the step."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype.descr) if value.dtype.names else value.dtype.str, value.ndim, value.dtype)
    return (type(value).__name__, len(value), type(value))


def _width(kind: tuple[Any, ...]) -> int:
    return 1 + kind[1] if isinstance(kind[2], np.dtype) else kind[1]


def _text(names: tuple[str, ...], kinds: tuple[tuple[Any, ...], ...]) -> str:
    """The step as Python."""
    lines = ['"""A step of a fused replay loop, written by riskkit.replay.quick; it can be deleted at any time."""']
    lines += ["", "", "def step(block, event):", "    w = int64_at(block)", "    e = int64_at(event)"]
    at = len(HEAD)
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        if isinstance(kind[2], np.dtype):
            sizes, start = ", ".join(f"w[{at + 1 + axis}]" for axis in range(kind[1])), f"w[{at}]"
            if name == "all_rows":  # behind what has been written
                written = f"w[{PLACE['written']}]"
                sizes, start = f"{sizes} - {written}", f"{start} + {kind[2].itemsize} * {written}"
            lines += [f"    {name} = carray(at_{place}({start}), ({sizes},))"]
        else:
            lines += [f"    {name} = make_{place}({', '.join(f'w[{at + k}]' for k in range(kind[1]))})"]
        at += _width(kind)
    word, head = {name: f"e[{k}]" for k, name in enumerate(EVENT_WORDS)}, {n: f"w[{k}]" for n, k in PLACE.items()}
    body = [
        f"place = {head['size']}",
        f"if place >= {head['capacity']} or {word['ts']} < {head['latest']} or all_memory[CELLS_LEFT] < {head['cells']}:",
        "    return -1",
        "if len(all_rows) <= all_counts[ROOM]:",
        "    return -1",
        f"if {word['flags']} & {int(Flag.BAD_TS)}:",
        "    return -1",
        f"order = {word['order']}",
        "slot = -1",
        f"slots = int32_at({head['slots_at']})",
        f"if {word['named']} != 0:",
        "    order = place",
        f"    slot = {head['slots']}",
        f"    if slot >= {head['slot_capacity']}:",
        "        return -1",
        "elif order >= 0:",
        "    if order >= place or all_order[order] != order:",
        "        return -1",
        "    slot = slots[order]",
        f"reach = float_at({head['reach']})",
        f"more = float({word['money']})",
        f"code = {len(FIELDS)} * {word['instrument']}",
        "lots = 0.0",
        "highest = 0.0",
        "if code >= 0:",
        f"    lots = reach[code + {LOTS}] + {word['lots']}",
        f"    highest = max(reach[code + {HIGHEST}], float({word['highest']}))",
        f"    if highest > reach[code + {MOST}]:",
        "        return -1",
        f"    more += lots * max(highest * reach[code + {WORTH}], reach[code + {UNIT}])",
        f"    before = reach[code + {HIGHEST}] * reach[code + {WORTH}]",
        f"    more -= reach[code + {LOTS}] * max(before, reach[code + {UNIT}])",
        "if reach[0] + more >= ENOUGH:",
        "    return -1",
        "reach[0] += more",
        "if code >= 0:",
        f"    reach[code + {LOTS}] = lots",
        f"    reach[code + {HIGHEST}] = highest",
    ]
    for name in COLUMNS:
        if f"all_{name}" in names:
            body += [f"all_{name}[place] = {'order' if name == 'order' else word[name]}"]
    body += [
        "slots[place] = slot",
        f"done, used = run(place, place + 1, {', '.join(names)})",
        f"{head['size']} = place + 1",
        f"{head['latest']} = {word['ts']}",
        f"{head['slots']} += {word['named']}",
        f"{head['written']} += used",
        "return used",
    ]
    return "\n".join([*lines, *(f"    {line}" for line in body)]) + "\n"


@lru_cache(maxsize=64)
def _compiled_step(run: Any, names: tuple[str, ...], kinds: tuple[tuple[Any, ...], ...]) -> Callable[[int, int], int]:
    import numba

    text = _text(names, kinds)
    mark = hashlib.blake2b(text.encode() + run.py_func.__module__.encode(), digest_size=8)
    mark.update(repr([kind[:2] for kind in kinds]).encode() + repr(ENOUGH).encode())
    module = load_module(f"riskkit_step_{mark.hexdigest()}", text)
    pointer: Any = _pointer
    vars(module).update(carray=numba.carray, run=run, ENOUGH=ENOUGH, CELLS_LEFT=CELLS_LEFT, ROOM=int(Counter.ROOM))
    vars(module).update(int64_at=pointer(np.dtype(np.int64)), float_at=pointer(np.dtype(np.float64)))
    vars(module).update(int32_at=pointer(np.dtype(np.int32)))
    for place, kind in enumerate(kinds):
        if isinstance(kind[2], np.dtype):
            setattr(module, f"at_{place}", pointer(kind[2]))
        else:
            setattr(module, f"make_{place}", kind[2])
    njit: Any = numba.njit
    return njit(**FLAGS, no_cfunc_wrapper=True)(module.step)


@cache
def _pointer(dtype: np.dtype) -> Any:
    """A compiled function from an address to a pointer to what stands there."""
    from numba.core import types
    from numba.extending import intrinsic
    from numba.np.numpy_support import from_dtype

    kind = from_dtype(dtype)

    def point(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(types.CPointer(kind)))

        return types.CPointer(kind)(types.int64), codegen

    return intrinsic(point)
