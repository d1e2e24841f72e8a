"""Compile the loop of a rule set in another process while the generic loop replays, and go on with it once it is there.

The other process gets the rules and the shape as JSON, keeps the machine code in the cache folder, and ends; nobody waits
for it. Both loops change the same state, so one can follow the other between two events.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from riskkit.replay.engine.compiler import Functions, ReplayLoop, functions_of, is_compiled, shape_of
from riskkit.replay.engine.shape import Shape, arguments
from riskkit.replay.engine.state import State
from riskkit.replay.kernels.runtime import ROW, Terms
from riskkit.replay.rules.ruleset import RuleSet

LONG = 4_000_000  # events that a process replays under the same rules until their own loop is compiled
NICE = 10  # added to the niceness of the other process
DERIVED = ("rules", "groups")  # fields of a shape that follow from the rules

_replayed: Counter[tuple[Shape, Functions]] = Counter()  # events, by the loop that is awaited
_begun: dict[tuple[Shape, Functions], subprocess.Popen[bytes] | None] = {}


class AwaitedLoop(ReplayLoop):
    """The generic loop, which the loop of the rules follows between two calls of `feed` once another process has compiled it."""

    def __init__(self, rules: RuleSet, shape: Shape) -> None:
        super().__init__(rules, shape, compiled="generic")
        self.awaited = shape, functions_of(rules, shape)
        self.before = ""  # which loop ran until the own one followed

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
        """As `ReplayLoop.feed`."""
        begun = _begun.get(self.awaited)
        ended = begun is not None and begun.poll() is not None
        if ended and self.tier == "generic" and is_compiled(self.rules, self.shape, on_disk=True):
            self.before = f"{super().how}, then "
            self.take(True)
        yield from super().feed(state, columns, fixed, start, stop, copy=copy)
        _replayed[self.awaited] += stop - start
        if self.awaited not in _begun and _replayed[self.awaited] >= LONG:
            _begun[self.awaited] = begin(description(self.rules, self.shape, {**columns, **state.arrays(), **fixed}))

    @property
    def how(self) -> str:
        """Which loops run, in words."""
        return self.before + super().how


def description(rules: RuleSet, shape: Shape, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What another process needs to know to compile a loop: rules, shape, and the type of each array."""
    flags = {name: value for name, value in shape._asdict().items() if name not in DERIVED}
    types = {
        f"all_{name}": [np.lib.format.dtype_to_descr(array.dtype), array.ndim]
        for name, array in arrays.items()
        if isinstance(array, np.ndarray)
    }
    return {"rules": rules.to_dict(), "shape": flags, "arrays": types}


def begin(described: Mapping[str, Any]) -> subprocess.Popen[bytes] | None:
    """Let another process compile the loop that is described; None where there can be none."""
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    with suppress(OSError):
        other = subprocess.Popen([sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, **quiet)
        assert other.stdin is not None
        with other.stdin as words:
            words.write(json.dumps(described).encode())
        return other
    return None


def loop_of(described: Mapping[str, Any]) -> tuple[ReplayLoop, tuple[Any, ...]]:
    """The loop that is described, and arguments of the types that it is called with."""
    rules = RuleSet.from_dict(described["rules"])
    flags: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in described["shape"].items()
    }
    bare = shape_of(rules, {"kind": np.zeros(0, np.int8)}, enforce=False, sampled=False, cancels=False, opened=False)
    shape = bare._replace(**flags)
    values: dict[str, Any] = {
        name: np.zeros((0,) * ndim, np.lib.format.descr_to_dtype(_tuples(dtype)))
        for name, (dtype, ndim) in described["arrays"].items()
    }
    values["all_rows"] = np.zeros(0, ROW)
    for number, (rule, shaped) in enumerate(zip(rules, shape.rules, strict=True)):
        made = rule.kind.integer_parameters or rule.kind.parameters
        values[f"terms_{shaped.name}"] = Terms(*[0] * len(Terms._fields))
        values[f"params_{shaped.name}"] = made(*[0] * len(rule.kind.units()))
        values[f"all_states_{shaped.name}"] = values[f"all_s{number}"]
    return ReplayLoop(rules, shape), (0, 0, *(values[name] for name in arguments(shape)[2:]))


def _tuples(dtype: Any) -> Any:
    """The description of a dtype as it was before it became JSON."""
    return [tuple(field) for field in dtype] if isinstance(dtype, list) else dtype


def main() -> None:
    """Compile the loop that standard input describes."""
    import numba

    if hasattr(os, "nice"):
        os.nice(NICE)
    loop, values = loop_of(json.load(sys.stdin))
    loop.run.compile(tuple(map(numba.typeof, values)))


if __name__ == "__main__":
    main()
