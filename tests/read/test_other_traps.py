"""Samples in other clothes (encodings, quotes, order of columns, cases, decimal marks, rows twice, a torn end): each is read
as before, or refused, or the reading says what is different."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
import random
import re
import zipfile
from collections import Counter

import pytest
from format_samples import SAMPLES, name_of, parts_of

import riskkit as rk
from riskkit import InputError
from riskkit.read.registry import formats_of
from riskkit.read.source import Source, sources

SIDE = re.compile(r"(?:(?:open|close|entry|exit) )?(?:buy|sell|long|short)|[KV]", re.I)
DECIMALS = re.compile(r"-?\d+\.\d+(?= ?[A-Za-z]*$)")
NUMBER = re.compile(r"[+(-]? ?\$?(?:\d{1,3}(?:[, ]\d{3})+|\d+)(?:\.\d+)?\)?(?: ?[A-Za-z]\w*)?")
SWAPPED = str.maketrans(",.", ".,")
TABLES = [sample for sample in SAMPLES if all(path.suffix == ".csv" for path in parts_of(sample)[1])]
HEADLESS = ("ib_activity", "lobster", "mt5", "okx")  # several headings, one after other lines, or none


@functools.cache
def as_it_is(sample) -> tuple:
    """The contents of a sample as it is."""
    _, paths, arguments = parts_of(sample)
    return contents(getattr(rk.read, sample.parent.name)(paths, **arguments))


def contents(reading) -> tuple:
    """The standing fills, fees and flows of a reading, whatever their form."""
    fills = reading.standing()
    names = [name for name in ("account", "instrument", "side", "qty", "price", "ts") if name in fills]
    amounts = [{key: amount for key, amount in sums.items() if amount} for sums in (reading.fees, reading.cash)]
    return Counter(map(tuple, fills[names].to_numpy().tolist())), *amounts


def changed(path, change, mark="", **form) -> Source:
    """A file with other cells and, if given, another `mark` between them: `change` gets the rows of its table."""
    if "orderbook" in path.name:  # belongs to messages, line by line
        return Source(path.name, path.read_bytes())
    text = Source(path.name, path).text
    own = ";" if path.name == "ereignisse.csv" else ","
    out = io.StringIO()
    csv.writer(out, delimiter=mark or own, **form).writerows(change(list(csv.reader(io.StringIO(text), delimiter=own))))
    return Source(path.name, out.getvalue().encode("utf-8-sig" if form else "utf-8"))


def as_before_or_refused(sample, change, **form) -> str:
    """The sentence of the refusal; empty if the changed files read as before."""
    _, paths, arguments = parts_of(sample)
    read = getattr(rk.read, sample.parent.name)
    try:
        found = read([changed(path, change, **form) for path in paths], **arguments)
    except rk.InputError as problem:
        assert any(path.name in str(problem) for path in paths)
        return str(problem)
    assert contents(found) == as_it_is(sample)
    return ""


@pytest.mark.parametrize("sample", [one for one in TABLES if one.parent.name != "lobster"], ids=name_of)
def test_a_byte_order_mark_quotes_and_empty_lines_change_nothing(sample):
    assert (
        as_before_or_refused(sample, lambda rows: [*rows, [], []], quoting=csv.QUOTE_ALL, lineterminator="\r\n") == ""
    )


def shuffled(rows):
    """The columns in another order."""
    places = random.Random(1).sample(range(len(rows[0])), len(rows[0]))
    return [[row[place] for place in places if place < len(row)] for row in rows]


def with_other_headings(rows):
    """Headings (rows without a digit, and the first) in capitals, with other blanks around and within them."""
    return [
        [f" {cell.upper()} ".replace("_", " ") for cell in row]
        if (number == 0 and ":" not in row[0]) or not re.search(r"\d", "".join(row))
        else row
        for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize("sample", TABLES, ids=name_of)
@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_mark_between_cells_changes_nothing(sample, mark):
    said = as_before_or_refused(sample, lambda rows: rows, mark=mark, lineterminator="\r\n")
    assert said == ""


@pytest.mark.parametrize("sample", [one for one in TABLES if one.parent.name not in HEADLESS], ids=name_of)
def test_columns_in_another_order_are_found_by_their_names(sample):
    if "OrderHistory" not in sample.name:  # fills stand in the columns beneath their order's
        assert as_before_or_refused(sample, shuffled) == ""


@pytest.mark.parametrize("sample", [one for one in TABLES if one.parent.name != "lobster"], ids=name_of)
@pytest.mark.parametrize("mark", ["", ";"])
def test_headings_in_capitals_with_other_blanks_are_the_same_headings(sample, mark):
    assert as_before_or_refused(sample, with_other_headings, mark=mark) == ""


@pytest.mark.slow
@pytest.mark.parametrize("sample", TABLES, ids=name_of)
def test_sides_in_another_case_are_the_same_sides(sample):
    said = as_before_or_refused(
        sample, lambda rows: [[cell.swapcase() if SIDE.fullmatch(cell) else cell for cell in row] for row in rows]
    )
    assert not said or "is not BUY or SELL" in said


@pytest.mark.parametrize("sample", [one for one in TABLES if "ereignisse" not in one.name], ids=name_of)
def test_decimal_commas_are_never_taken_for_thousands(sample):
    as_before_or_refused(
        sample,
        lambda rows: [[DECIMALS.sub(lambda number: number[0].replace(".", ","), cell) for cell in row] for row in rows],
    )


@pytest.mark.parametrize("sample", [one for one in TABLES if "ereignisse" not in one.name], ids=name_of)
def test_decimal_commas_between_semicolons_are_read_and_said(sample):
    def swapped(rows):
        return [[cell.translate(SWAPPED) if NUMBER.fullmatch(cell) else cell for cell in row] for row in rows]

    _, paths, arguments = parts_of(sample)
    assert as_before_or_refused(sample, swapped, mark=";") == ""
    found = getattr(rk.read, sample.parent.name)([changed(path, swapped, mark=";") for path in paths], **arguments)
    assert "numbers have a decimal comma" in repr(found) or "glbx" in sample.name  # whose numbers are whole


def test_a_comma_between_semicolons_that_may_be_of_thousands_is_asked_for():
    text = "txid;ordertxid;pair;time;type;price;fee;vol\nT;O;XXBTZUSD;2024-03-10 02:30:50;buy;69,100;1;1\n"
    with pytest.raises(rk.InputError, match=r"line 2: '69,100' may have thousands or decimals after its comma"):
        rk.read.kraken(io.StringIO(text))
    assert (
        rk.read.kraken(io.StringIO("sep=;\n" + text.replace("69,100", "69,1"))).frame["price"].map(str).tolist()
        == ["69.1"] * 2
    )


def test_two_columns_of_one_name_with_other_cells_are_refused():
    text = "txid,ordertxid,pair,time,type,price,fee,vol,Vol\nT,O,XXBTZUSD,2024-03-10 02:30:50,buy,69,0,1,2\n"
    with pytest.raises(rk.InputError, match=r"line 2: has '1' and '2' in two columns 'vol'"):
        rk.read.kraken(io.StringIO(text))


@pytest.mark.parametrize("sample", [one for one in SAMPLES if one not in TABLES], ids=name_of)
def test_a_byte_order_mark_and_other_ends_of_lines_of_a_text_change_nothing(sample):
    expected, paths, arguments = parts_of(sample)
    texts = [(path, Source(path.name, path)) for path in paths if path.suffix in (".json", ".xml", ".log", ".html")]
    for mark in ("utf-8", "utf-8-sig") if texts else ():
        files = [Source(p.name, "\r\n".join(one.text.splitlines()).encode(mark)) for p, one in texts]
        assert contents(getattr(rk.read, sample.parent.name)(files, **arguments)) == as_it_is(sample)
        assert rk.read.registry.formats_of(files) == [expected["format"]]


@pytest.mark.slow
@pytest.mark.parametrize("sample", [one for one in TABLES if one.parent.name not in HEADLESS], ids=name_of)
def test_rows_that_stand_twice_are_left_out_refused_or_said(sample):
    _, paths, arguments = parts_of(sample)
    read = getattr(rk.read, sample.parent.name)
    twice = [changed(path, lambda rows: rows[:1] + [row for row in rows[1:] for _ in "12"]) for path in paths]
    try:
        found = read(twice, **arguments)
    except rk.InputError:
        return
    assert contents(found) == as_it_is(sample) or "are equal to another one and have no id" in repr(found)


@pytest.mark.parametrize("sample", [one for one in SAMPLES if parts_of(one)[1][0].suffix == ".json"], ids=name_of)
def test_a_record_with_lists_where_values_belong_is_read_or_refused_by_name(sample):
    _, paths, arguments = parts_of(sample)
    draw = random.Random(name_of(sample))
    for path in paths:
        whole = json.loads(path.read_text())
        entries = whole if isinstance(whole, list) else whole["trades"]
        for name in draw.sample(sorted(entries[0]), 3):
            for wrong in ([7], {"a": 1}):
                record = draw.choice(entries)
                before = record.get(name)
                record[name] = wrong
                given = [
                    Source(one.name, json.dumps(whole).encode() if one == path else one.read_bytes()) for one in paths
                ]
                record[name] = before
                try:
                    getattr(rk.read, sample.parent.name)(given, **arguments)
                except rk.InputError as problem:
                    assert any(one.name in str(problem) for one in paths)


def test_a_statement_names_its_tables_that_are_not_read_and_fees_that_it_does_not_have():
    text = (
        "Statement,Header,Field Name,Field Value\nAccount Information,Header,Field Name,Field Value\n"
        "Account Information,Data,Account,U1\nTrade,Header,Symbol\nTrade,Data,X\n"
        "Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Proceeds\n"
        'Trades,Data,Order,Stocks,USD,X,"2024-03-08, 16:58:29",5,46.96,-234.8\n'
    )
    said = repr(rk.read.ib_activity(io.StringIO(text)))
    assert "file: tables without trades and flows of money are not read: Trade" in said
    assert "has no column of commissions (Comm/Fee); its fees are not known" in said


def test_a_cancelled_trade_of_a_statement_takes_its_trade_away():
    text = (
        "Statement,Header,Field Name,Field Value\nAccount Information,Header,Field Name,Field Value\n"
        "Account Information,Data,Account,U1\n"
        "Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Proceeds,Comm/Fee,Code\n"
        'Trades,Data,Order,Stocks,USD,X,"2024-03-08, 16:58:29",5,46.96,-234.8,-1,O\n'
        'Trades,Data,Order,Stocks,USD,X,"2024-03-08, 16:59:29",-5,46.96,234.8,1,O;Ca\n'
    )
    found = rk.read.ib_activity(io.StringIO(text))
    assert (
        found.events == {}
        and found.fees == {}
        and found.left_out["reason"].tolist() == ["cancelled trade: takes that of line 5 away"]
    )
    assert "no event was found: the files hold no order, fill, price or flow of money" in found.assumed
    other = rk.read.ib_activity(io.StringIO(text.replace("-5,46.96,234.8", "-4,46.96,187.84")))
    assert other.events == {"fill": 2} and "a cancelled trade (Ca) that reverses none of the files" in repr(other)


def test_doubtful_fills_are_said():
    text = "time,symbol,side,qty,price,fee\n" + 2 * "2024-03-05 10:00,X,buy,5,0,-0.5\n"
    said = repr(rk.read.generic_csv(io.StringIO(text)))
    assert "1 fills are equal to another one and have no id; each is a fill of its own" in said
    assert "fills at prices that are not above zero stand as they are: X" in said
    assert "file: a fee below zero is a rebate, money received" in said


def with_sums(rows):
    """A title above the heading, the heading again, and a sum beneath the rows, as people add them in a spreadsheet."""
    blanks = [""] * (len(rows[0]) - 2)
    return [
        ["Trades of 2024", ""],
        rows[0],
        *rows[1:3],
        rows[0],
        *rows[3:],
        ["Total:", *blanks, "12.5"],
        ["", *blanks, "12.5"],
    ]


@pytest.mark.parametrize(
    "sample", [one for one in TABLES if one.parent.name not in (*HEADLESS, "generic_csv")], ids=name_of
)
def test_titles_headings_again_and_sums_are_left_out_by_name(sample):
    _, paths, arguments = parts_of(sample)
    found = getattr(rk.read, sample.parent.name)([changed(path, with_sums) for path in paths], **arguments)
    assert contents(found) == as_it_is(sample)
    reasons = found.left_out["reason"].value_counts()
    assert (
        reasons["sum of the rows"]
        == 2 * len(paths)
        == 2 * reasons["the heading again"]
        == 2 * reasons["stands above the heading"]
    )


BACKTRADER = "date,amount,price,sid,symbol,value\n{} 09:30,-1,99.5,0,GOLD,99.5\n{} 09:30,1,99.5,0,GOLD,-99.5\n"


@pytest.mark.parametrize(
    ("dates", "first"),
    [(("08.03.2024", "11.03.2024"), "day"), (("3/8/2024", "3/14/2024"), "month"), (("8/3/2024", "14/3/2024"), "day")],
)
def test_dates_that_a_spreadsheet_has_turned_round_are_read_and_said(dates, first):
    found = rk.read.backtrader(io.StringIO(BACKTRADER.format(*dates)))
    assert str(found.frame["ts"].iloc[0]) == "2024-03-08 09:30:00+00:00"
    assert f"file: dates have the {first} first" in repr(found)


@pytest.mark.parametrize("dates", [("3/8/2024", "3/9/2024"), ("3/14/2024", "14/3/2024")])
def test_dates_that_leave_day_and_month_open_are_refused(dates):
    with pytest.raises(
        rk.InputError, match=r"line 2: '3/.*' is not a time; its year has to stand first, as in 2024-03-08"
    ):
        rk.read.backtrader(io.StringIO(BACKTRADER.format(*dates)))


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_an_empty_file_is_refused_as_empty(sample, tmp_path):
    path = parts_of(sample)[1][0]
    with pytest.raises(rk.InputError) as refused:
        getattr(rk.read, sample.parent.name)(Source(path.name, b""), **parts_of(sample)[2])
    assert str(refused.value) == f"{path.name} is empty"
    (tmp_path / path.name).write_bytes(b"")
    with pytest.raises(rk.InputError, match="is empty$"):
        rk.read_log(tmp_path / path.name)
    if path.suffix in (".csv", ".json", ".log"):
        with pytest.raises(rk.InputError, match=re.escape(path.name)):
            getattr(rk.read, sample.parent.name)(Source(path.name, b"\xef\xbb\xbf\r\n \n"), **parts_of(sample)[2])


@pytest.mark.parametrize("given", [io.StringIO("ts,kind\n"), io.BytesIO(b"ts"), 5, None, ["a.csv", 3], b"a.csv"])
def test_read_log_takes_paths_and_says_what_takes_open_files(given):
    with pytest.raises(rk.InputError, match=r"path holds .*; give the path of a file"):
        rk.read_log(given)


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
@pytest.mark.parametrize("form", ["gz", "zip"])
def test_a_packed_file_is_read_as_the_file(sample, form, tmp_path):
    _, paths, arguments = parts_of(sample)
    packed = [tmp_path / f"{path.name}.{form}" for path in paths]
    for path, target in zip(paths, packed, strict=True):
        if form == "gz":
            target.write_bytes(gzip.compress(path.read_bytes()))
        else:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(path, f"export/{path.name}")
    assert contents(getattr(rk.read, sample.parent.name)(packed, **arguments)) == as_it_is(sample)


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if one.parent.name in ("ccxt", "alpaca", "freqtrade")], ids=name_of
)
def test_records_with_a_line_for_each_are_the_list_of_them(sample, tmp_path):
    _, paths, arguments = parts_of(sample)
    lined = []
    for path in paths:
        data = json.loads(path.read_text()) if path.suffix == ".json" else None
        data = data.get("trades") if isinstance(data, dict) else data
        if not isinstance(data, list) or len(data) < 2:
            pytest.skip("this sample is no list of records")
        lined.append(tmp_path / f"{path.stem}.jsonl")
        lined[-1].write_text("\ufeff" + "".join(json.dumps(record) + "\r\n\n" for record in data), encoding="utf-8")
    assert contents(getattr(rk.read, sample.parent.name)(lined, **arguments)) == as_it_is(sample)
    assert formats_of(sources(lined)) == [sample.parent.name]
    lined[0].write_text(lined[0].read_text("utf-8").rstrip()[:-1] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"record \d+: is not a whole JSON record"):
        getattr(rk.read, sample.parent.name)(lined, **arguments)


HEADED = {
    "Time,Type,Order ID,Size,Price,Direction": (0, 1, 2, 3, 4, 5),
    '"timestamp","event_type","side","price","quantity","order_id"': (0, 1, 5, 4, 3, 2),
}


@pytest.mark.parametrize("sample", [one for one in SAMPLES if one.parent.name == "lobster"], ids=name_of)
@pytest.mark.parametrize("heading", HEADED)
def test_messages_of_lobster_may_have_a_heading_in_any_order(sample, heading, tmp_path):
    _, paths, arguments = parts_of(sample)
    for path in paths:
        rows = list(csv.reader(path.read_text().splitlines()))
        lines = ["ask price 1,ask size 1,bid price 1,bid size 1", *(",".join(row) for row in rows)]
        if "message" in path.name:
            lines = [heading, *(",".join(row[place] for place in HEADED[heading]) for row in rows)]
        (tmp_path / path.name).write_text("\n".join(lines) + "\n")
    headed = [tmp_path / path.name for path in paths]
    assert contents(rk.read.lobster(headed, **arguments)) == as_it_is(sample)
    assert rk.read_log(headed).about["read as"] == "lobster"
    message = next(path for path in headed if "message" in path.name)
    message.write_text(message.read_text().replace("ize" if "Size" in heading else "quantity", "x", 1))
    with pytest.raises(InputError, match="line 1: has the heading .*; the columns of messages are time, type, order"):
        rk.read.lobster(headed, **arguments)
