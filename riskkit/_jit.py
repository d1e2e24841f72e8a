"""All use of numba goes through here: what is compiled, with which flags, and why.

numba is imported at the first call of a kernel, never by ``import riskkit``: the import takes half a second.

Flags:

- ``cache=True``: a second process need not compile. numba keys its cache on one file, so a cached caller keeps the old
  code of a function that it calls in another file (numba#1833). Every kernel is therefore renamed with a fingerprint
  of all code that it reaches; any change below it gives another cache entry.
- ``nogil=True``: sweeps run kernels on threads.
- ``error_model="numpy"``: no hidden exception paths in a loop. Kernels trust input that was validated before.
- no ``fastmath``, no ``parallel``: results must not depend on the order of operations.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import os
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

from riskkit._cache import kernels_of

Bound = dict[Any, Callable[..., Any]]  # function -> its compiled or plain form
FEW_TURNS = 20_000  # of a loop over events, in plain Python: some hundredths of a second
FLAGS = {"cache": True, "nogil": True, "error_model": "numpy"}


class Kernel:
    """A function compiled at its first call.

    ``kernel.function`` is the plain Python function; ``kernel.signatures`` is the number of compiled versions.
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
        """Number of signatures compiled in this process."""
        return len(getattr(self.dispatcher, "signatures", ()))

    def __call__(self, *args: Any) -> Any:
        """Call the compiled function."""
        return self.dispatcher(*args)


def apart(function: Any) -> Any:
    """Mark a large, rarely called function that compiled callers must not inline.

    Its machine code is cached separately, so that only the first of its callers waits for its compilation.
    """
    function.apart = True
    return function


def kernel(function: Callable[..., Any]) -> Kernel:
    """Mark a function of arrays, records, NamedTuples and numbers for compilation."""
    return Kernel(function)


def compiled(function: Callable[..., Any], flags: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Compile `function` together with every riskkit function that it calls."""
    import numba

    return _compile(function, {**FLAGS, **(flags or {})}, numba.njit, {})


def jit_is_off() -> bool:
    """True if NUMBA_DISABLE_JIT is set."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def loaded() -> bool:
    """True once numba is imported, so that one more kernel costs little."""
    return "numba" in sys.modules


def soonest(function: Kernel, turns: int, compiled: bool | str = "auto") -> Callable[..., Any]:
    """A kernel; for few turns of its loop as plain Python, which answers before a compiled function is loaded.

    With `compiled` other than "auto" it is as asked for: a kernel unless that is False.
    """
    return function if (turns > FEW_TURNS if compiled == "auto" else compiled) else plain(function)


@functools.lru_cache(maxsize=1024)
def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as plain Python, including every kernel that it calls."""
    return _plain(function, {})


@functools.cache
def pointers() -> dict[str, Callable[..., Any]]:
    """Three primitives: pointers to the memory of an array, without a reference to the array.

    Passing an array to a function increments a reference count atomically at every call, which costs several times a
    small rule; a pointer costs nothing. A pointer is valid only while the caller keeps the array, as the loop does.
    ``words(array)`` points to the first element; ``table(array)`` past the first record, so that index -1 (no account,
    no pair) is that record; ``at(table, row)`` is the record itself. `riskkit.replay.kernels.records` has the plain Python
    version of each, marked with its name.
    """
    from numba.core import cgutils, types
    from numba.extending import intrinsic
    from numba.np import arrayobj

    untyped_cgutils: Any = cgutils  # numba has no annotations
    array_of: Any = arrayobj.make_array
    pointer_to: Any = types.CPointer

    def make(skip: int) -> Callable[..., Any]:
        def point(typingctx: Any, array: Any) -> Any:
            def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                data = array_of(signature.args[0])(context, builder, args[0]).data
                return untyped_cgutils.gep_inbounds(builder, data, skip) if skip else data

            return pointer_to(array.dtype)(array), codegen

        return intrinsic(point)

    def record_at(typingctx: Any, pointer: Any, row: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.gep(args[0], [args[1]])  # a record is its address

        return pointer.dtype(pointer, types.int64), codegen

    return {"words": make(0), "table": make(1), "at": intrinsic(record_at)}


UNNEEDED = (
    "WithLifting",
    "InlineClosureLikes",
    "InlineInlinables",
    "FindLiterallyCalls",
    "LiteralUnroll",
    "LiteralPropagationSubPipelinePass",
    "InlineOverloads",
    "NopythonRewrites",
)  # passes of numba for what no loop has: closures, contexts, expressions of arrays


@functools.cache
def loop_compilers() -> tuple[Any, Any]:
    """Compilers for a replay loop, and for the functions that only compiled functions call.

    Neither runs the passes of `UNNEEDED`, which are much of numba's work on a long function. numba links, optimises and
    emits every function on its own, with all that it calls, and again in each caller. Here an inner function is only
    translated; the loop links all of them, and the whole is optimised and emitted once, as functions that nobody else calls.
    """
    from llvmlite import binding
    from numba.core import compiler, compiler_machinery, typed_passes

    machinery: Any = compiler_machinery  # numba has no annotations
    lowering: Any = typed_passes.NativeLowering
    usual: Any = compiler.DefaultPassBuilder
    linkage: Any = binding.Linkage
    parts = weakref.WeakSet[Any]()  # libraries of functions that are only translated

    def library_of(state: Any) -> Any:
        state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        state.library.enable_object_caching()
        return state.library

    def own_functions(library: Any) -> Any:
        return type(library)._get_module_for_linking(library)

    def link_all(module: Any, library: Any) -> None:
        """Link the functions into a module that a function calls, with those that they call, each once."""
        found: set[Any] = set()
        waiting = list(library._linking_libraries)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                module.link_in(own_functions(one), preserve=True)
                waiting += one._linking_libraries if one in parts else ()

    @machinery.register_pass(mutates_CFG=True, analysis_only=False)
    class InnerLowering(lowering):  # type: ignore[misc]
        _name = "inner_lowering"

        def run_pass(self, state: Any) -> bool:
            library = library_of(state)
            parts.add(library)

            def finalise() -> None:
                library._finalize_dynamic_globals()
                library._reload_init.update(*(one._reload_init for one in library._linking_libraries))
                library._finalized = True

            @functools.cache
            def linked() -> Any:  # for a caller that is no loop
                module = own_functions(library).clone()
                link_all(module, library)
                return module

            library.finalize, library._get_module_for_linking = finalise, linked
            state.flags.no_compile = True
            super().run_pass(state)
            never_called: Any = [].append  # a builtin of its own stands for the machine code
            state.targetctx.insert_user_function(never_called, state["cr"].fndesc, [library])
            state["cr"] = state["cr"]._replace(cfunc=never_called)
            return True

    @machinery.register_pass(mutates_CFG=True, analysis_only=False)
    class LoopLowering(lowering):  # type: ignore[misc]
        _name = "loop_lowering"

        def run_pass(self, state: Any) -> bool:
            library = library_of(state)
            optimise, finalise = library._optimize_final_module, library.finalize

            def finalise_whole() -> None:
                library._reload_init.update(*(one._reload_init for one in library._linking_libraries))
                link_all(library._final_module, library)
                library._linking_libraries = []
                finalise()

            def optimise_whole() -> None:
                for function in library._final_module.functions:
                    if function.linkage == linkage.linkonce_odr:
                        function.linkage = linkage.internal
                optimise()

            library.finalize = finalise_whole
            library._optimize_final_module = optimise_whole
            return bool(super().run_pass(state))

    def compiler_with(own: Any) -> Any:
        class LoopCompiler(compiler.CompilerBase):
            def define_pipelines(self) -> list[Any]:
                made = machinery.PassManager(own._name)
                for one, why in usual.define_nopython_pipeline(self.state).passes:
                    if one.__name__ not in UNNEEDED:
                        made.add_pass(own if one is lowering else one, why)
                made.finalize()
                return [made]

        return LoopCompiler

    return compiler_with(LoopLowering), compiler_with(InnerLowering)


def once_a_type(function: Any) -> Any:
    """Let a compiled function have one version for all constants of a type; numba makes one for each constant in a call."""
    if not hasattr(function, "get_call_template"):  # with NUMBA_DISABLE_JIT it is not compiled
        return function
    from numba.core import types

    resolve: Any = function.get_call_template
    plain_type: Any = types.unliteral
    function.get_call_template = lambda args, kws: resolve(tuple(map(plain_type, args)), kws)
    return function


@functools.cache
def pointer_to(dtype: Any) -> Any:
    """A compiled function from an address to a pointer to elements of a numpy dtype; a record is its address.

    A pointer is valid only while the array is kept.
    """
    from numba.core import types
    from numba.extending import intrinsic
    from numba.np.numpy_support import from_dtype

    pointer: Any = types.CPointer
    kind = from_dtype(dtype)

    def point(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(pointer(kind)))

        return pointer(kind)(types.int64), codegen

    return intrinsic(point)


def fingerprint(*functions: Callable[..., Any]) -> str:
    """Hash (16 hexadecimal digits) of all code and constants reachable from `functions`."""
    digest = hashlib.blake2b(digest_size=8)
    seen: set[int] = set()
    for function in functions:
        _feed(digest, _unwrap(function), seen)
    return digest.hexdigest()


def _unwrap(value: Any) -> Any:
    return value.function if isinstance(value, Kernel) else value


def _is_ours(value: Any) -> bool:
    """True for a kernel, or a Python function that no compiler has wrapped."""
    return isinstance(value, (Kernel, types.FunctionType))


def _reached(function: types.FunctionType) -> dict[str, Any]:
    """Globals and closure cells that a function reads, including nested code, in a fixed order."""
    names = _global_names(function.__code__)
    found = {name: function.__globals__[name] for name in names if name in function.__globals__}
    cells = function.__closure__ or ()
    found.update(zip(function.__code__.co_freevars, (cell.cell_contents for cell in cells), strict=True))
    return found


@functools.cache
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """The globals that code reads, nested code too, sorted."""
    names = {op.argval for op in dis.get_instructions(code) if op.opname == "LOAD_GLOBAL"}
    nested = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return tuple(sorted(names.union(*map(_global_names, nested))))


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


def _compile(function: Any, flags: dict[str, Any], njit: Any, seen: Bound) -> Callable[..., Any]:
    source = _unwrap(function)
    if hasattr(source, "primitive"):
        return pointers()[source.primitive]
    mark = fingerprint(source)

    def resolve(found: Any, seen: Bound) -> Callable[..., Any]:
        return _compile(found, flags, njit, seen)

    if source not in seen:
        rebound = _rebind(source, seen, resolve)
        rebound.__qualname__ = f"{source.__name__}_{mark}"
        rebound.__name__ = rebound.__qualname__
        own = {**flags, "forceinline": False, **FLAGS, "pipeline_class": None} if hasattr(source, "apart") else flags
        own = {name: value for name, value in own.items() if value is not None}
        with kernels_of(source.__code__.co_filename):
            seen[source] = once_a_type(njit(**own)(rebound))
    return seen[source]


def _plain(function: Any, seen: Bound) -> Callable[..., Any]:
    source = _unwrap(function)
    if source not in seen:
        seen[source] = _rebind(source, seen, _plain)
    return seen[source]


def _rebind(function: Any, seen: Bound, resolve: Callable[[Any, Bound], Any]) -> Any:
    """Copy `function` with each riskkit function that it calls replaced by ``resolve(function)``."""
    source = _unwrap(function)
    copied = dict(source.__globals__)
    rebound = types.FunctionType(source.__code__, copied, source.__name__, source.__defaults__, source.__closure__)
    rebound.__kwdefaults__ = source.__kwdefaults__
    importable = source.__module__ in sys.modules  # a cached loop imports it, and a cell run by exec is no module
    rebound.__module__ = source.__module__ if importable else __name__
    for name, value in _reached(source).items():
        if _is_ours(value):
            copied[name] = resolve(value, seen)
    return rebound
