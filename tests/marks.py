"""Marks for tests that only make sense in some way of running."""

import os

import pytest

JIT_OFF = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
needs_compiling = pytest.mark.skipif(JIT_OFF, reason="with NUMBA_DISABLE_JIT nothing is compiled that could be counted")
heavy_as_plain_python = pytest.mark.skipif(
    JIT_OFF, reason="with NUMBA_DISABLE_JIT its kernels would run for many minutes"
)
