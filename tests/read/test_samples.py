"""Every sample file of every format is read as its ``.expected.json`` says, key by key."""

from __future__ import annotations

import random
import re
from collections import Counter
from fractions import Fraction

import pandas as pd
import pytest
from format_samples import FORMATS, SAMPLES, name_of, parts_of

import riskkit as rk
from riskkit.read.source import Source

ERRORS = ("error", "reject", "cancel_reject", "modify_reject")
PLAIN = {
    "format", "files", "events", "derived", "accounts", "instruments", "bought", "sold", "turnover_bought", "turnover_sold",
    "fees", "cash", "first_ns", "last_ns", "first", "last", "realised_pnl", "left_out", "assumed", "traps",
}  # fmt: skip


@pytest.fixture(scope="module", params=SAMPLES, ids=name_of)
def case(request):
    """What is expected of a sample, and its reading."""
    sample = request.param
    expected, files, arguments = parts_of(sample)
    return expected, getattr(rk.read, sample.parent.name)(files, **arguments), files, arguments


def sums(frame, column):
    """Exact sums of a column by instrument, without those that are 0."""
    found = Counter()
    for label, value in zip(frame["instrument"], frame[column], strict=True):
        found[label] += Fraction(value)
    return dict(found)


def exact(amounts):
    return {key: Fraction(text) for key, text in amounts.items()}


def test_every_folder_has_a_reader_and_every_reader_a_folder():
    from riskkit.read.registry import READERS

    assert {folder.name for folder in FORMATS.iterdir()} == set(READERS)


def test_the_events_and_what_was_derived(case):
    expected, reading, _, _ = case
    events = Counter()
    for kind, count in reading.events.items():
        events["error" if kind in ERRORS else "cancel" if kind == "expire" else kind] += count
    assert dict(events) == expected["events"]
    assert reading.derived == expected["derived"]
    in_frame = reading.frame["kind"].isin(["order", "modify", "fill"]).sum() - (reading.frame["kind"] == "bust").sum()
    stated = sum(reading.events.get(kind, 0) for kind in ("order", "modify", "fill"))
    assert in_frame == stated + reading.derived.get("order", 0)


def test_the_labels(case):
    expected, reading, _, _ = case
    if expected["accounts"]:
        assert sorted(set(reading.frame["account"].dropna())) == expected["accounts"]
    assert sorted(set(reading.frame["instrument"].dropna())) == expected["instruments"]


@pytest.mark.parametrize(("side", "word"), [("B", "bought"), ("S", "sold")])
def test_quantities_and_turnover(case, side, word):
    expected, reading, _, _ = case
    fills = reading.standing()
    fills = fills[fills["side"] == side]
    assert sums(fills, "qty") == exact(expected[word])
    multipliers = {instrument.id: instrument.multiplier for instrument in reading.instruments}
    money = [Fraction(q) * Fraction(p) * multipliers[i] for q, p, i in fills[["qty", "price", "instrument"]].to_numpy()]
    assert sums(fills.assign(money=money), "money") == exact(expected[f"turnover_{word}"])


def test_money(case):
    expected, reading, _, _ = case
    assert exact(reading.fees) == exact(expected["fees"])
    assert exact(reading.cash) == exact(expected["cash"])
    if expected["realised_pnl"] is None:
        assert reading.realised_pnl is None
    else:
        assert exact(reading.realised_pnl) == exact(expected["realised_pnl"])


def test_the_times(case):
    expected, reading, _, _ = case
    stamps = reading.frame["ts"]
    assert stamps.is_monotonic_increasing
    assert (stamps.min().value, stamps.max().value) == (expected["first_ns"], expected["last_ns"])


def test_what_was_left_out_is_named_with_a_reason(case):
    expected, reading, _, _ = case
    assert reading.left_out["row"].tolist() == [entry["at"] for entry in expected["left_out"]]
    assert reading.left_out["reason"].map(len).min() > 3 or reading.left_out.empty
    assert set(reading.left_out["file"]) <= set(expected["files"])


def test_other_facts(case):
    expected, reading, _, _ = case
    assert {key: reading.facts.get(key) for key in expected.keys() - PLAIN} == {
        key: expected[key] for key in expected.keys() - PLAIN
    }


def test_every_sample_becomes_a_log_and_says_what_was_assumed(case):
    expected, reading, files, arguments = case
    try:
        log = reading.log()
    except rk.InputError as refusal:  # more decimals than 64 bits hold: the sentence says what to give
        assert "rounding='nearest'" in str(refusal)
        assert not re.search(r"Decimal\(|-9223372036854775808", str(refusal)), refusal
        log = reading.log(rounding="nearest")
    assert len(log) == len(reading.frame)
    assert len(reading.places) == len(reading.frame)
    assert bool(reading.assumed) or not expected["assumed"]
    for sentence in reading.assumed:
        assert sentence in repr(reading)


def test_the_format_is_known_by_the_content(case, tmp_path):
    expected, reading, files, arguments = case
    log = rk.read_log(files, rounding="nearest", **arguments)
    assert log.about["read as"] == reading.format
    assert isinstance(reading.frame, pd.DataFrame)


def test_a_file_without_events_becomes_a_log_with_and_without_rounding():
    reading = rk.read.generic_csv(Source("empty.csv", b"time,symbol,side,qty,price,account\n"), tz="UTC")
    assert len(reading.log()) == len(reading.log(rounding="nearest")) == 0


def hurt(data, draw, how):
    """The bytes cut off at a place, with another byte at a place, or without a few bytes."""
    place = draw.randrange(len(data))
    changed = {0: b"", 1: draw.choice([b"x", b",", b";", b'"', b"\n", b"9", b"-", b"("]) + data[place + 1 :]}
    return data[:place] + changed.get(how, data[place + draw.randrange(1, 9) :])


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_hurt_file_is_read_or_refused_by_name(sample):
    _, paths, arguments = parts_of(sample)
    whole = [(path.name, path.read_bytes()) for path in paths]
    draw = random.Random(name_of(sample))
    for number in range(9):
        chosen = draw.randrange(len(whole))
        files = [
            Source(name, hurt(data, draw, number % 3) if place == chosen else data)
            for place, (name, data) in enumerate(whole)
        ]
        try:
            reading = getattr(rk.read, sample.parent.name)(files, **arguments)
        except rk.InputError as refusal:
            assert any(name in str(refusal) for name, _ in whole) or "multipliers" in str(refusal)
        else:
            assert len(reading.places) == len(reading.frame)
