"""A text table loses nothing on its way: its log is that of the same texts in a frame."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit._check import InputError
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.files import read_events
from riskkit.replay.log.text_table import read_text_table

ROW = st.fixed_dictionaries(
    {
        "account": st.sampled_from(["7", "007", "NA", "null", "1.0", "nan", "A,B", 'say "x"']),
        "instrument": st.sampled_from(["X", "-1", "+1", "1e3", "True"]),
        "side": st.sampled_from(["1", "-1", "+1", "B"]),
        "qty": st.sampled_from(["1", "2", "0.10", "1e2"]),
        "price": st.sampled_from(["10", "0.1", "0.30", ""]),
    }
)


def read(tmp_path_factory, frame):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    frame.to_csv(path, index=False)
    return path


@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_a_log_of_a_text_table_is_that_of_its_texts(rows, tmp_path_factory):
    frame = pd.DataFrame(rows, dtype=str).assign(ts="5", kind="order")
    frame["type"] = ["market" if not price else "limit" for price in frame["price"]]
    path = read(tmp_path_factory, frame)
    made = [make(source) for make, source in ((EventLog.from_frame, frame), (read_events, path))]
    assert made[0].event_hash == made[1].event_hash
    assert [a.id for a in made[0].universe.accounts] == [a.id for a in made[1].universe.accounts]


@pytest.mark.parametrize(
    ("texts", "read_as"),
    [
        (["7", "8"], [7, 8]),
        (["007", "8"], ["007", "8"]),
        (["+7", "8"], ["+7", "8"]),
        (["7", ""], ["7", None]),
        (["20240305", "20240306"], ["20240305", "20240306"]),
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["0.10", "0.10"], ["0.10", "0.10"]),
        (["NA", "a\nb"], ["NA", "a\nb"]),
    ],
)
def test_integers_are_those_that_lose_nothing(texts, read_as, tmp_path_factory):
    frame = pd.DataFrame({"a": texts, "b": "x"})
    found = read_text_table(read(tmp_path_factory, frame), ",")["a"].astype(object)
    assert found.where(found.notna(), None).tolist() == read_as


@pytest.mark.parametrize("text", ["ts,kind\n1\n", "ts,kind\n1,order,X\n", "", 'ts,kind\n1,"ord\n'])
def test_a_torn_table_is_refused_by_name(text, tmp_path):
    (tmp_path / "torn.csv").write_text(text)
    with pytest.raises(InputError, match=r"^torn\.csv cannot be read as a table: "):
        read_events(tmp_path / "torn.csv")


@pytest.mark.parametrize("good", [0, 5_000])
def test_a_torn_row_is_refused_in_the_same_words_on_any_number_of_cores(good, tmp_path):
    path = tmp_path / "torn.csv"
    path.write_text("ts,kind\n" + "1,order\n" * good + "1\n", encoding="utf-8")
    before, said = pa.cpu_count(), set()
    try:
        for cores in (1, 4):
            pa.set_cpu_count(cores)
            with pytest.raises(InputError) as refused:
                read_text_table(path, ",")
            said.add(str(refused.value))
    finally:
        pa.set_cpu_count(before)
    assert said == {"torn.csv cannot be read as a table: CSV parse error: Expected 2 columns, got 1: 1"}
