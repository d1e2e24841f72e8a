"""Files that overlap: what is read twice counts once, and is named."""

from __future__ import annotations

import pytest
from format_samples import FORMATS, name_of, parts_of

import riskkit as rk

WITH_IDS = ("alpaca", "fix", "ib_activity", "ib_flex", "mt5", "nautilus_trader")
SAMPLES = [sample for form in WITH_IDS for sample in sorted((FORMATS / form).glob("*.expected.json"))]


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_a_file_that_is_given_twice_counts_once(sample):
    _, files, arguments = parts_of(sample)
    read = getattr(rk.read, sample.parent.name)
    once, twice = read(files, **arguments), read([*files, *files], **arguments)
    assert twice.events == once.events
    assert twice.derived == once.derived
    assert (twice.fees, twice.cash, twice.realised_pnl) == (once.fees, once.cash, once.realised_pnl)
    assert len(twice.left_out) > 2 * len(once.left_out)
