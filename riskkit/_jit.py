"""The one door to numba: what compiles, with which flags, and why.

numba is imported at the first call of a kernel, never when riskkit is imported: it costs half a second that a
person who only wants a chart should not pay.

Flags, decided once, here:

- ``cache=True``: a second process starts at once. numba keys its cache on one file, so a cached caller keeps
  answering with the old code of a function it calls in another file (numba#1833). Every kernel is therefore
  renamed with a fingerprint of everything it reaches; a change anywhere below it is another cache entry.
- ``nogil=True``: sweeps run kernels on threads.
- ``error_model="numpy"``: no hidden exception paths in a loop. Kernels trust input that was checked at the door.
- no ``fastmath``, no ``parallel``: the order of operations is part of the answer.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import types
from collections.abc import Callable
from typing import Any

__all__ = ["Kernel", "apart", "compiled", "fingerprint", "kernel", "plain", "pointers"]

FLAGS = {"cache": True, "nogil": True, "error_model": "numpy"}


class Kernel:
    """A function that compiles at its first call and is reused afterwards.

    ``kernel.function`` is the plain Python function; ``kernel.signatures`` counts the compiled versions.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        functools.update_wrapper(self, function)

    @functools.cached_property
    def dispatcher(self) -> Callable[..., Any]:
        """The compiled function."""
        return compiled(self.function)

    @property
    def signatures(self) -> int:
        """How many argument types this kernel has been compiled for in this process."""
        return len(getattr(self.dispatcher, "signatures", ()))

    def __call__(self, *args: Any) -> Any:
        """Call the compiled function."""
        return self.dispatcher(*args)


def apart(function: Any) -> Any:
    """Mark a large function that is seldom called: compiled callers do not take its code into their own.

    Its machine code is kept on disk by itself, so that only the first of the loops that call it waits for it.
    """
    function.apart = True
    return function


def kernel(function: Callable[..., Any]) -> Kernel:
    """Mark a function of arrays, records, NamedTuples and numbers as compiled."""
    return Kernel(function)


def compiled(function: Callable[..., Any], flags: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Compile `function` together with every riskkit function that it calls."""
    import numba

    return _compile(function, {**FLAGS, **(flags or {})}, numba.njit, {})


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as ordinary Python all the way down, with no compiled function inside it."""
    return _plain(function, {})


@functools.cache
def pointers() -> dict[str, Callable[..., Any]]:
    """Three primitives: ``words(array)`` and ``table(array)`` give the memory of an array without its owner.

    Passing an array to a function counts a reference, atomically, at every call: several times the cost of a small
    rule. A pointer costs nothing. It is only good while the caller holds the array, as the loop does. ``table``
    points past the first record, so that the index -1 (no account, no pair) is that first one. ``at(table, place)`` is
    a record in place. Their plain twins stand in `riskkit.replay.records`, marked with their name.
    """
    from numba.core import cgutils, types
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array

    def make(skip: int) -> Callable[..., Any]:
        def point(typingctx: Any, array: Any) -> Any:
            def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                data = make_array(signature.args[0])(context, builder, args[0]).data
                return cgutils.gep_inbounds(builder, data, skip) if skip else data

            return types.CPointer(array.dtype)(array), codegen

        return intrinsic(point)

    def record_at(typingctx: Any, pointer: Any, place: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.gep(args[0], [args[1]])  # a record is its address

        return pointer.dtype(pointer, types.int64), codegen

    return {"words": make(0), "table": make(1), "at": intrinsic(record_at)}


def fingerprint(*functions: Callable[..., Any]) -> str:
    """Sixteen hexadecimal digits that change when any code or constant reachable from `functions` changes."""
    digest = hashlib.blake2b(digest_size=8)
    seen: set[int] = set()
    for function in functions:
        _feed(digest, _unwrap(function), seen)
    return digest.hexdigest()


def _unwrap(value: Any) -> Any:
    return value.function if isinstance(value, Kernel) else value


def _is_ours(value: Any) -> bool:
    """A Python function written as code we may compile: a kernel, or a plain function without a compiler's wrapper."""
    return isinstance(value, (Kernel, types.FunctionType))


def _reached(function: types.FunctionType) -> dict[str, Any]:
    """The globals and closure cells that a function reads, nested code included, in a fixed order."""
    names: list[str] = []
    stack = [function.__code__]
    while stack:
        code = stack.pop()
        names.extend(op.argval for op in dis.get_instructions(code) if op.opname == "LOAD_GLOBAL")
        stack.extend(const for const in code.co_consts if isinstance(const, types.CodeType))
    found = {name: function.__globals__[name] for name in sorted(set(names)) if name in function.__globals__}
    cells = function.__closure__ or ()
    found.update(zip(function.__code__.co_freevars, (cell.cell_contents for cell in cells), strict=True))
    return found


def _feed(digest: Any, function: types.FunctionType, seen: set[int]) -> None:
    if id(function) in seen:
        return
    seen.add(id(function))
    _feed_code(digest, function.__code__)
    for name, value in _reached(function).items():
        digest.update(name.encode())
        if _is_ours(value):
            _feed(digest, _unwrap(value), seen)
        elif isinstance(value, (bool, int, float, str, tuple)):
            digest.update(repr(value).encode())
        elif hasattr(value, "_fields"):
            digest.update(repr(value._fields).encode())


def _feed_code(digest: Any, code: types.CodeType) -> None:
    digest.update(code.co_code)
    digest.update(repr((code.co_names, code.co_varnames, code.co_argcount)).encode())
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            _feed_code(digest, const)
        else:
            digest.update(repr(const).encode())


def _compile(function: Any, flags: dict[str, Any], njit: Any, seen: dict[Any, Any]) -> Callable[..., Any]:
    source = _unwrap(function)
    if hasattr(source, "primitive"):
        return pointers()[source.primitive]
    mark = fingerprint(source)

    def resolve(found: Any, seen: dict[Any, Any]) -> Callable[..., Any]:
        return _compile(found, flags, njit, seen)

    bound = seen.get(source)
    if bound is None:
        rebound = _rebind(source, seen, resolve)
        rebound.__qualname__ = f"{source.__name__}_{mark}"
        rebound.__name__ = rebound.__qualname__
        own = {**flags, "forceinline": False, "cache": True} if hasattr(source, "apart") else flags
        bound = seen[source] = njit(**own)(rebound)
    return bound


def _plain(function: Any, seen: dict[Any, Any]) -> Callable[..., Any]:
    source = _unwrap(function)
    if source not in seen:
        seen[source] = _rebind(source, seen, _plain)
    return seen[source]


def _rebind(function: Any, seen: dict[Any, Any], resolve: Callable[[Any, dict[Any, Any]], Any]) -> Any:
    """Copy `function` with the riskkit functions it names replaced by what `resolve` makes of them."""
    source = _unwrap(function)
    copied = dict(source.__globals__)
    rebound = types.FunctionType(source.__code__, copied, source.__name__, source.__defaults__, source.__closure__)
    rebound.__kwdefaults__ = source.__kwdefaults__
    rebound.__module__ = source.__module__
    for name, value in _reached(source).items():
        if _is_ours(value):
            copied[name] = resolve(value, seen)
    return rebound
