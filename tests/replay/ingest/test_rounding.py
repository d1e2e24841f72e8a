"""Numbers that no tick, lot or unit of money holds: refused with advice that works, at every door, or rounded to the nearest."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskkit
from riskkit import EventLog, InputError, Instrument, Rule, RuleSet, Session, read_log
from riskkit.__main__ import main
from riskkit.replay.schema.universe import decimal_text, exact
from riskkit.rules import MaxOrderQty

BTC = Instrument("BTC", tick="0.00000001", lot="0.00000001")
START = 1_709_649_000_000_000_000


def fills(*numbers: tuple[Any, ...], instrument: str = "BTC") -> list[dict[str, Any]]:
    """A fill of each (quantity, price, fee)."""
    names = ("qty", "price", "fee")
    trade = {"kind": "fill", "account": "A", "instrument": instrument, "side": "B"}
    return [{**trade, **dict(zip(names, one, strict=False))} for one in numbers]


NAMED = {"kind": "order", "account": "A", "instrument": "BTC", "side": "B", "qty": 1, "price": 10, "order_id": "a"}
HARD: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "8 and 8 decimals": (fills(("0.12345678", "67000.12345678")), {}),
    "8 and 8 decimals, declared": (fills(("0.12345678", "67000.12345678")), {"instruments": [BTC]}),
    "a small coin beside a large one": (
        fills(("25000000", "0.00000001"), ("25000000", "0.00002345"), instrument="SHIB")
        + fills(("0.00000001", "67000.12345678")),
        {},
    ),
    "floats of 17 digits": (
        fills(
            (0.12345678901234567, 2345.6789012345678, 0.28951234567890123),
            (3.3333333333333335, 2400.1234567890123, 0.1 + 0.2),
            (0.1 + 0.2, 2401.0000000000005, 1 / 3),
        ),
        {},
    ),
    "a quantum without need": (fills((1, 100.25)), {"quanta": {"USD": "1e-22"}}),
    "a quantum too coarse for the ratio": (
        fills(("0.12345678", "67000.1")),
        {"instruments": [BTC], "quanta": {"USD": 1}},
    ),
    "off the tick": (fills((1, 10.005)), {"instruments": [Instrument("BTC")]}),
    "off the lot": (fills((1.25, 10)), {"instruments": [Instrument("BTC")]}),
    "a fee finer than money": (fills((1, 10, "0.0123")), {"quanta": {"USD": "0.01"}}),
    "steps that no unit of money fits": (
        fills(("0.123456789012", "67000.123456789012")),
        {"instruments": [Instrument("BTC", tick="1e-12", lot="1e-12")]},
    ),
    "two currencies": (
        [{"kind": "cash", "account": "A", "amount": 1, "currency": name} for name in ("USD", "EUR")],
        {},
    ),
    "another heading": ([{"kind": "clock", "Venue": "V"}], {}),
    "a fill of yesterday's order": ([{**NAMED, "kind": "fill"}], {}),
    "a cancel of yesterday's order": ([{"kind": "cancel", "account": "A", "instrument": "BTC", "order_id": "a"}], {}),
    "an id used again in another account": ([NAMED, {**NAMED, "account": "C"}], {}),
    "a time that goes back": ([{"kind": "clock"}, {"kind": "clock", "ts": START - 10}], {}),
}


def frame_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame([{"ts": START + number, **row} for number, row in enumerate(rows)])


def advised(sentence: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options with what a sentence says changed in them."""
    changed = dict(options)
    sentence = re.sub(
        r"--([a-z]+)-?([a-z]*)", lambda one: "_".join(filter(None, one.groups())) + "=", sentence
    ).replace("==", "=")
    for name, value in re.findall(r"(rounding|currencies|ts_policy|unknown_orders|order_ids)='(\w+)'", sentence):
        changed[name] = value
    if "leave out quanta" in sentence:
        changed.pop("quanta")
    for label, steps in re.findall(r"declare (\w+) with ((?:(?:tick|lot)='[^']+'(?: and )?)+)", sentence):
        fields = dict(re.findall(r"(tick|lot)='([^']+)'", steps))
        changed["instruments"] = [
            Instrument(one.id, **{"tick": one.tick, "lot": one.lot, **fields}) if one.id == label else one
            for one in changed["instruments"]
        ]
    if "ignore=" in sentence:
        found = re.search(r"column '([^']+)'", sentence)
        assert found is not None
        changed["ignore"] = [found[1]]
    return changed


def follow(load: Callable[[dict[str, Any]], object], options: dict[str, Any]) -> None:
    """Load with the options, following the advice of each refusal; three are enough, or it leads nowhere."""
    for _ in range(4):
        try:
            load(options)
            return
        except InputError as refusal:
            changed = advised(str(refusal), options)
            assert changed != options, f"no advice in: {refusal}"
            options = changed
    raise AssertionError("the advice of the last refusal leads to another")


@pytest.mark.parametrize("case", HARD)
def test_the_advice_of_a_refusal_leads_into_from_frame(case):
    rows, options = HARD[case]
    with pytest.raises(InputError):
        EventLog.from_frame(frame_of(rows), **options)
    follow(lambda given: EventLog.from_frame(frame_of(rows), **given), options)


def write_units(path: Path, options: dict[str, Any], further: str = "") -> dict[str, Any]:
    """Write the options that belong in a units file; return the others."""
    lines = [f'quanta = {{ USD = "{options["quanta"]["USD"]}" }}'] if "quanta" in options else []
    for one in options.get("instruments", ()):
        tick, lot = decimal_text(one.tick), decimal_text(one.lot)
        lines += ["[[instruments]]", f'id = "{one.id}"', f'tick = "{tick}"', f'lot = "{lot}"']
    path.write_text("\n".join([*lines, further if "instruments" in options else ""]))
    return {name: value for name, value in options.items() if name not in ("instruments", "quanta")}


@pytest.mark.parametrize("case", HARD)
def test_the_advice_of_a_refusal_leads_into_read_log(case, tmp_path):
    rows, options = HARD[case]
    table, units = tmp_path / "orders.csv", tmp_path / "units.toml"
    frame_of(rows).to_csv(table, index=False)
    follow(lambda given: read_log(table, units=units, **write_units(units, given)), options)


LAST = {"kind": "order", "account": "B", "instrument": "LAST", "side": "B", "qty": 1, "price": 1}
RULES = '[[rules]]\nid = "size"\ntype = "max_order_qty"\n[rules.params]\nlimit = 1000\n'


@pytest.mark.lengthy
def test_the_advice_of_a_refusal_leads_through_the_command_line(tmp_path, capsys):
    table, units, rules = (tmp_path / name for name in ("orders.csv", "units.toml", "rules.toml"))
    rules.write_text(RULES)

    def run(options: dict[str, Any]) -> None:
        rest = write_units(units, options, '[[instruments]]\nid = "LAST"\n')
        words = [
            word
            for name, value in rest.items()
            for one in ([value] if isinstance(value, str) else value)
            for word in (f"--{name.replace('_', '-')}", one)
        ]
        if main(["replay", str(table), str(rules), "--plain", "--units", str(units), *words]):
            raise InputError(capsys.readouterr().err)

    for rows, options in HARD.values():
        frame_of([*rows, LAST]).to_csv(table, index=False)
        follow(run, options)


ADVISED = ("rounding", "currencies", "ts_policy", "on_bad_order", "quanta", "unit", "time_format", "columns", "ignore")
ADVISED += ("order_ids", "unknown_orders")


@pytest.mark.parametrize("name", ADVISED)
def test_what_refusals_advise_is_an_option_of_every_door(name):
    for door in (EventLog.from_frame, read_log):
        assert name in inspect.signature(door).parameters
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        main(["replay", "--help"])
    assert f"--{name.replace('_', '-')} " in told.getvalue() or f"{name} = {{" in told.getvalue()


def test_what_is_advised_is_known_to_this_test():
    """A sentence of the doors that recommends another argument has to be followed here as well."""
    room = Path(riskkit.__file__).parent / "replay" / "ingest"
    texts = "".join(path.read_text() for path in room.glob("*.py") if path.stem != "from_vectorbt")
    found = set(re.findall(r"""(?:give|say|use|with|map it with|leave it out with) ([a-z_]+)=""", texts))
    assert (
        {"ignore", "rounding", "currencies", "ts_policy", "order_ids", "unknown_orders"}
        <= found
        <= {*ADVISED, "type", "negative_price"}
    )


# ---------------------------------------------------------------------- live


def live(rows: list[dict[str, Any]], **options: Any) -> Session:
    listed = dict.fromkeys(row["instrument"] for row in rows)
    units = [BTC if label == "BTC" else Instrument(label, tick="0.00000001") for label in listed]
    rules = RuleSet([Rule("size", MaxOrderQty(limit=10**9))])
    session = Session.create(rules, options.pop("instruments", units), ["A"], compiled=False, **options)
    for ts, row in enumerate(rows):
        session.process_trade(ts=ts, **{name: value for name, value in row.items() if name != "kind"})
    return session


@pytest.mark.parametrize("case", ["8 and 8 decimals", "a small coin beside a large one", "floats of 17 digits"])
def test_the_advice_of_a_refusal_leads_into_a_session(case):
    rows, options = HARD[case][0], {}
    for _ in range(4):
        try:
            session = live(rows, **options)
            break
        except InputError as refusal:
            sentence = str(refusal)
            options |= dict(re.findall(r"(rounding|quantum)='([^']+)'", sentence))
    assert len(session) == len(rows)


@pytest.mark.parametrize(
    ("field", "value"), [("qty", 1.26), ("qty", "0.34"), ("price", 10.004), ("price", "10.0050"), ("fee", "0.125")]
)
def test_a_session_rounds_as_a_frame_does(field, value):
    row = {**fills((1, 10, 0))[0], field: value}
    units, money = [Instrument("BTC", lot="0.1")], "0.01"
    frame = EventLog.from_frame(frame_of([row]), units, ["A"], quanta={"USD": money}, rounding="nearest")
    session = live([row], instruments=units, quantum=money, rounding="nearest")
    for name in ("qty", "price", "fee"):
        columns = frame.columns, session.log().columns
        assert {int(one.get(name, [0])[0]) for one in columns} == {int(columns[0].get(name, [0])[0])}
    again = Session.restore(session.snapshot(), session.rules, compiled=False)
    again.process_trade(ts=5, **{name: given for name, given in row.items() if name != "kind"})
    assert len(again) == 2


# ---------------------------------------------------------------------- what is rounded


@given(
    st.lists(
        st.tuples(
            st.decimals("0.01", 10**5, places=8),
            st.decimals("0.01", 10**5, places=8),
            st.decimals(0, 100, places=12),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_rounded_number_is_the_nearest_one_of_its_grid(numbers):
    log = EventLog.from_frame(frame_of(fills(*numbers)), rounding="nearest")
    instrument, money = log.universe.instruments[0], log.universe.quantum
    units = {"qty": instrument.lot, "price": instrument.tick, "fee": money}
    for place, (name, unit) in enumerate(units.items()):
        for count, row in zip(log.columns.get(name, [0] * len(numbers)), numbers, strict=True):
            assert abs(int(count) * unit - exact(row[place], name)) <= unit / 2


@pytest.mark.parametrize("rows", [[], [{"ts": "2024-01-01T00:00Z", "kind": "cash", "account": "A", "amount": 5.123}]])
def test_a_table_without_an_instrument_is_rounded_as_another(rows):
    frame = pd.DataFrame(rows, columns=["ts", "kind", "account", "amount"])
    assert len(EventLog.from_frame(frame, rounding="nearest")) == len(rows)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ((0.4, 10), "0.4 is rounded to 0 at the lot 1 of BTC; declare a finer lot"),
        ((1, 0.004), "0.004 is rounded to 0 at the tick 0.01 of BTC; declare a finer tick"),
    ],
)
def test_nothing_is_rounded_away(number, sentence):
    rows, units = fills(number), [Instrument("BTC")]
    with pytest.raises(InputError, match=re.escape(sentence)):
        EventLog.from_frame(frame_of(rows), units, rounding="nearest")
    with pytest.raises(InputError, match=re.escape(sentence)):
        live(rows, instruments=units, rounding="nearest")


def test_a_number_of_messages_is_not_rounded():
    order = {**LAST, "kind": "order", "order_id": "a"}
    modify = {"kind": "modify", "account": "B", "instrument": "LAST", "order_id": "a", "children": 1.5}
    with pytest.raises(InputError, match="1.5 is not a number of messages"):
        EventLog.from_frame(frame_of([order, modify]), rounding="nearest")


def test_off_grid_orders_are_rounded_rather_than_flagged():
    order = {**LAST, "price": 10.006}
    log = EventLog.from_frame(frame_of([order]), [Instrument("LAST")], on_bad_order="flag", rounding="nearest")
    assert (log.columns["price"][0], "flags" in log.columns) == (1001, False)


def test_none_is_no_account_and_no_declared_instrument():
    rows = fills((1, 10))
    given = EventLog.from_frame(frame_of(rows), None, None)
    assert given.event_hash == EventLog.from_frame(frame_of(rows)).event_hash
    with pytest.raises(InputError, match="'BTC' is not declared .instruments are none; instruments=None proposes them"):
        EventLog.from_frame(frame_of(rows), [])


def test_a_units_file_gives_the_unit_of_money_once(tmp_path):
    table, units = tmp_path / "orders.csv", tmp_path / "units.toml"
    frame_of(fills((1, 10))).to_csv(table, index=False)
    units.write_text('quanta = { USD = "0.5" }\n')
    assert read_log(table, units=units).universe.quantum == Fraction(1, 2)
    with pytest.raises(
        InputError, match="quanta is given twice, here and in the units file 'units.toml'; leave one out"
    ):
        read_log(table, units=units, quanta={"USD": 1})
    units.write_text("quanta = 5\n")
    with pytest.raises(InputError, match=re.escape('quanta=5 is no table; write { USD = "0.01" }')):
        read_log(table, units=units)
