"""Objects in place of views of records: the same books, whatever happens on the way."""

from __future__ import annotations

import numpy as np
import pytest
from proofs.test_proof import RULES
from streams import random_log

from riskkit import replay_log
from riskkit.replay.kernels import records
from riskkit.replay.kernels.records import RecordObjects, copied, extended, record_dtype, stacked, table, with_objects

MANY = 10**9


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_objects_leave_the_books_that_views_leave(mode, monkeypatch, long):
    for seed in range(20 if long else 3):
        log, found = random_log(seed, 300), []
        for few in (MANY, 1):
            monkeypatch.setattr(records, "FEW", few)
            found.append(replay_log(log, RULES, mode, compiled=False))
        views, objects = found
        assert objects.digest == views.digest and len(views.rows)
        for name, array in views.state.arrays().items():
            np.testing.assert_array_equal(objects.state.arrays()[name], array, name)


def test_what_a_loop_changed_before_it_failed_is_written():
    array = np.zeros(3, record_dtype(["qty", "base", "mean:f8"]))

    def run(start, stop, given):
        held = table(given)
        assert len(given) == 3 and held[1] is held[1]
        held[1].qty, held[-1].base, held[1].mean = 5, stop, 0.5
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_objects({"run": run}, [0])(0, 100, array)
    assert array.tolist() == [(0, 100, 0.0), (0, 0, 0.0), (5, 0, 0.5)]


def test_a_field_that_a_record_does_not_have_is_named():
    record = RecordObjects(np.zeros(2, record_dtype(["qty", "base"])))[0]
    with pytest.raises(AttributeError, match="the record has no field 'price'; fields are qty, base"):
        record.price  # noqa: B018


@pytest.mark.parametrize("kind", [record_dtype(["a", "b:f8", "c"]), np.dtype(np.int64)])
def test_tables_are_copied_and_extended_whole(kind):
    words = 1 if kind.names is None else len(kind.names)
    known, more = (np.arange(start, start + words * size).view(kind) for start, size in ((0, 5), (100, 2)))
    assert copied(known).dtype == kind and copied(known).tobytes() == known.tobytes()
    assert not np.shares_memory(copied(known), known)
    assert extended(known, more, 3).tobytes() == np.concatenate([known, more, more, more]).tobytes()
    assert extended(known[:0], more).tobytes() == more.tobytes()
    assert extended(known, more, 0).tobytes() == known.tobytes()
    assert stacked([known, more, known[:0]]).tobytes() == np.concatenate([known, more]).tobytes()
    assert stacked([known[::2], more]).tobytes() == np.concatenate([known[::2], more]).tobytes()


def test_tables_with_their_fields_in_another_order_are_stacked_by_name():
    one, other = np.array([(1, 2)], record_dtype(["a", "b"])), np.array([(4, 3)], record_dtype(["b", "a"]))
    found = stacked([one, other[["a", "b"]]])
    assert found["a"].tolist() == [1, 3] and found["b"].tolist() == [2, 4]
