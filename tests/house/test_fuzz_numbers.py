"""No number from outside hangs, crashes or floods: it is taken, or refused at once, in one sentence of ours."""

from __future__ import annotations

import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from number_doors import COMBINATION, EVENTS, FILES, LIVE

from riskkit import InputError, Session
from riskkit.replay.ingest.fields import FIELDS

SECONDS = 2.0  # of this thread, where a hanging conversion takes minutes
LONGEST = 600  # characters of a refusal


def nested(depth: int) -> list:
    found: list = []
    for _ in range(depth):
        found = [found]
    return found


HOSTILE = [
    "1e9999999", "1e99999999", "1e-99999999", "9" * 5_000, "9" * 300_000, "1e" + "9" * 100, "0." + "0" * 5_000 + "1",
    Decimal("1e999999"), Decimal("1e-999999"), Decimal("sNaN"), Decimal("-Infinity"), 10**5_000, -(10**5_000), 2**64,
    Fraction(10**5_000), Fraction(1, 10**5_000), Fraction(10**1_000, 3), 1e308, 5e-324, float("nan"), -float("inf"), np.float64("inf"),
    np.int64(2**62), np.uint64(2**64 - 1), np.longdouble("1e4000"), np.datetime64("NaT"), True, None, "", "nan", "0x10",
    b"1", 1j, "\x00", "\ud800", [1], {"a": 1}, nested(5_000), {"format": 1, "books": nested(5_000)},
    np.array([1, 2]), np.array(1), bytearray(b"1"), {1}, object(),
]  # fmt: skip


def hostile(at: int) -> object:
    return HOSTILE[at]


TEXTS = st.text("0123456789+-.eE_ ", max_size=30) | st.tuples(st.integers(), st.integers(-(10**9), 10**9)).map(
    lambda parts: "{}e{}".format(*parts)
)
NUMBERS = st.integers() | st.floats() | st.decimals() | st.fractions() | st.binary(max_size=8)
LEAVES = TEXTS | NUMBERS | st.none() | st.booleans() | st.integers(0, len(HOSTILE) - 1).map(hostile)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def taken_or_refused(call, *given) -> None:
    begun = time.thread_time()
    try:
        with np.errstate(all="ignore"):
            call(*given)
    except InputError as error:
        assert 0 < len(str(error)) <= LONGEST and "\n" not in str(error)
    assert time.thread_time() - begun < SECONDS


@pytest.fixture(scope="module", autouse=True)
def loaded():
    """numba, its kernels and sessions, which the first call loads: seconds where machines are busy, whatever the number."""
    LIVE["manager quantity"](1)
    LIVE["session accounts"](["A"])


@pytest.mark.parametrize("door", LIVE)
def test_a_hostile_number_is_taken_or_refused_at_once(door):
    for value in HOSTILE:
        taken_or_refused(LIVE[door], value)


def test_every_field_of_every_event_is_a_door():
    names = {"fill": "trade", "closed trade": "closed_trade"}
    known = {names.get(kind, kind): set(fields) for kind, fields in FIELDS.items() if kind != "snapshot order"}
    assert known.pop("combination") - {"instrument"} == COMBINATION.keys()
    assert known.keys() == EVENTS.keys()
    calls = {name.removeprefix("process_") for name in dir(Session) if name.startswith("process_")}
    assert calls == EVENTS.keys()
    assert {f"session {kind} {field}" for kind in EVENTS for field in ("ts", *EVENTS[kind])} <= LIVE.keys()


@pytest.mark.parametrize("door", FILES)
def test_a_hostile_number_in_a_file_is_taken_or_refused_at_once(door, tmp_path):
    for value in HOSTILE:
        taken_or_refused(FILES[door], value, tmp_path)


@settings(max_examples=20_000)
@given(st.sampled_from(list(LIVE)), VALUES)
def test_whatever_comes_is_taken_or_refused_at_once(door, value):
    taken_or_refused(LIVE[door], value)


def test_a_message_shows_the_beginning_and_the_end_of_what_is_endless():
    text = str(InputError(f"a.csv, line 2: side={'9' * 6_000} is not a side"))
    assert text.startswith("a.csv, line 2: side=999") and text.endswith("999 is not a side") and len(text) <= 600
