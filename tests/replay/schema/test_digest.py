"""The running hash: it survives cuts and copies, and changes with whatever it is meant to prove."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import random_log

from riskkit import EventLog, RuleSet, replay_log
from riskkit.replay.schema.columns import OPTIONAL, REQUIRED
from riskkit.replay.schema.digest import BLOCK_ROWS, Chain, hash_columns, hash_plain, hash_rows, seal

ROW = 8


def chain_of(rows: bytes, cuts: list[int]) -> Chain:
    chain = Chain(ROW)
    places = [0, *sorted(cuts), len(rows)]
    for start, stop in zip(places, places[1:], strict=False):
        chain.update(rows[start:stop])
    return chain


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3 * BLOCK_ROWS), st.lists(st.integers(0, 3 * BLOCK_ROWS), max_size=5))
def test_cuts_do_not_change_the_hash(count, cuts):
    rows = np.arange(count, dtype="<i8").tobytes()
    assert chain_of(rows, [ROW * min(cut, count) for cut in cuts]).digest() == chain_of(rows, []).digest()


def test_the_chain_by_hand():
    """BLAKE2b(previous, block) over whole blocks, and at the end over what is open."""
    rows = np.arange(BLOCK_ROWS + 3, dtype="<i8").tobytes()
    size = ROW * BLOCK_ROWS
    first = hashlib.blake2b(rows[:size], digest_size=32).digest()
    assert chain_of(rows, []).digest() == hashlib.blake2b(first + b"end" + rows[size:], digest_size=32).digest()


def test_asking_for_the_hash_does_not_end_the_chain():
    one, two = Chain(ROW), Chain(ROW)
    one.update(b"a" * ROW)
    one.digest()
    one.update(b"b" * ROW)
    two.update(b"a" * ROW + b"b" * ROW)
    assert one.hexdigest() == two.hexdigest() == two.digest().hex()


def test_a_copy_goes_on_alone():
    chain = chain_of(np.arange(BLOCK_ROWS + 5, dtype="<i8").tobytes(), [])
    prev_duplicate = chain.copy()
    before = chain.digest()
    prev_duplicate.update(b"x" * ROW)
    assert chain.digest() == before != prev_duplicate.digest()
    chain.update(b"x" * ROW)
    assert chain.digest() == prev_duplicate.digest()


def test_a_chain_restored_from_its_parts_goes_on():
    rows = np.arange(2 * BLOCK_ROWS + 7, dtype="<i8").tobytes()
    chain = chain_of(rows[: ROW * (BLOCK_ROWS + 9)], [])
    again = Chain(ROW, chain.state, chain.open_block)
    again.update(rows[ROW * (BLOCK_ROWS + 9) :])
    assert again.digest() == chain_of(rows, []).digest()


@pytest.mark.parametrize("name", [name for name in (*REQUIRED, *OPTIONAL) if name != "pair"])
def test_every_column_counts(name):
    columns = random_log(1, 60).columns
    changed = {**columns, name: columns[name].copy()}
    changed[name][11] ^= 1
    assert hash_columns(columns) != hash_columns(changed)


def test_columns_that_say_nothing_do_not_count():
    columns = {name: array for name, array in random_log(1, 60).columns.items() if name in REQUIRED}
    silent = {name: np.full(len(columns["ts"]), absent, dtype) for name, (dtype, absent) in OPTIONAL.items()}
    assert hash_columns(columns) == hash_columns({**columns, **silent})
    assert hash_columns(columns) == hash_columns({**silent, **columns}), "nor does their order"


def test_swapped_columns_and_missing_rows_count():
    columns = random_log(1, 60).columns
    swapped = {**columns, "bid": columns["ask"], "ask": columns["bid"]}
    fewer = {name: array[:-1] for name, array in columns.items()}
    assert len({hash_columns(columns), hash_columns(swapped), hash_columns(fewer)}) == 3


def test_rows_are_hashed_whatever_their_width():
    wide = np.arange(BLOCK_ROWS + 10)
    assert hash_rows([wide]) == hash_rows([wide.astype(np.int32)])
    assert hash_rows([wide]) != hash_rows([wide[:-1]])
    assert hash_rows([wide, wide[::-1]]) != hash_rows([wide[::-1], wide])


def test_plain_data_is_hashed_by_content():
    assert hash_plain({"a": 1, "b": [2]}) == hash_plain({"b": [2], "a": 1})
    assert hash_plain([1]) != hash_plain(["1"])
    assert seal(b"a", b"b") == seal(b"ab") != seal(b"b", b"a")


# ---------------------------------------------------------------------- a log that is kept


DATA = (
    Path(__file__).parents[2] / "data"
)  # events.parquet is random_log(7, 300, opened=True) of tests/streams.py, stored
KEPT = {
    "shadow": "bcee87f8eeb514d5c4399fb7d2eef55765a76dbe28f973cb5ba4a667fa3df45e",
    "enforce": "ddd1ac6aed0a21d4d8025f46420ddb52882efaddcfe5403e7095ff10e8368f5f",
}


def test_the_kept_log_is_what_it_was():
    log = EventLog.from_parquet(DATA / "events.parquet")
    assert len(log) == 302 and set(log.counts()) >= {"ORDER", "FILL", "PRICE", "MODIFY", "CANCEL", "TRADE", "CONTROL"}
    assert log.event_hash.hex() == "286fde586caba9675fd4ea6691a6386b8aa3a114016496c5db8d6b88ad28a79a"


@pytest.mark.parametrize("mode", KEPT)
def test_the_kept_log_has_its_digest(mode):
    """A change of these digits is a change of what riskkit decides: raise `riskkit.replay.schema.digest.SEMANTICS` with it."""
    log, rules = EventLog.from_parquet(DATA / "events.parquet"), RuleSet.from_toml(DATA / "rules.toml")
    assert replay_log(log, rules, mode, orphans="clip", compiled=False).digest == KEPT[mode]
