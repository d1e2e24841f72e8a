"""The one door to numba: lazily loaded, one fingerprint for all that a kernel reaches, plain twins."""

import sys
import types

import numpy as np
import pytest
from marks import needs_compiling

from riskkit import _jit
from riskkit._jit import FLAGS, compiled, fingerprint, kernel, plain

FACTOR = 3


def inner(x):
    return x * FACTOR


@kernel
def outer(x):
    return inner(x) + 1


def altered(function, name, value):
    """A copy of `function` that reads another global."""
    return types.FunctionType(function.__code__, {**function.__globals__, name: value}, function.__name__)


def test_a_kernel_and_its_plain_twin_agree():
    assert outer(2) == plain(outer)(2) == 7


def test_a_kernel_counts_its_signatures():
    @kernel
    def double(x):
        return x + x

    assert _not_cached(double) == 0
    double.dispatcher = compiled(double.function, {**FLAGS, "cache": False})
    double(1)
    double(1.5)
    assert _not_cached(double) in (0, 2)  # 0 where NUMBA_DISABLE_JIT is set


def _not_cached(function):
    return function.signatures if "dispatcher" in vars(function) else 0


@needs_compiling
def test_a_function_is_compiled_once_for_all_constants_in_its_calls():
    import numba

    def of_two_constants():
        return inner(1) + inner(2)

    found = {}
    assert _jit._compile(of_two_constants, {**FLAGS, "cache": False}, numba.njit, found)() == 9
    assert len(found[inner].signatures) == 1


@needs_compiling
def test_a_function_that_is_only_translated_is_called_by_a_loop_and_by_one_that_is_apart():
    import numba

    whole, parts = _jit.loop_compilers()
    lower = numba.njit(pipeline_class=parts, no_cpython_wrapper=True)(lambda x, y: min(x, y))
    apart = numba.njit(lambda x, y: 10 * lower(x, y))
    loop = numba.njit(pipeline_class=whole)(lambda x, y: apart(x, y) + lower(y, x))
    assert (loop(9, 4), apart(9, 4)) == (44, 40)


def test_the_fingerprint_sees_constants_and_code_below():
    assert fingerprint(inner) == fingerprint(inner)
    assert fingerprint(altered(inner, "FACTOR", 4)) != fingerprint(inner)
    deeper = altered(outer.function, "inner", altered(inner, "FACTOR", 4))
    assert fingerprint(deeper) != fingerprint(outer)


def test_the_fingerprint_does_not_see_what_is_not_read():
    assert fingerprint(altered(inner, "UNREAD", 4)) == fingerprint(inner)


def test_a_plain_twin_calls_nothing_compiled(monkeypatch):
    def refuse(*args):
        raise AssertionError("a compiled function was called")

    monkeypatch.setattr(_jit.Kernel, "__call__", refuse)
    assert plain(outer)(2) == 7


@pytest.mark.parametrize("value", [np.int64(5), 5])
def test_numbers_of_either_kind(value):
    assert outer(value) == 16


def test_a_function_of_no_module_can_be_read_from_a_cache_by_another_process():
    """The compiler imports the module of a function that it reads; a cell run by exec has a name and no module."""
    names = {"__name__": "a_cell"}
    exec("def double(x):\n    return 2 * x", names)
    assert plain(names["double"]).__module__ in sys.modules
