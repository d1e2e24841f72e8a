"""A partition without a broker: what becomes of each message, and that neither batches nor crashes change it."""

import dataclasses
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service.stream_parts import INSTRUMENTS, START, UNITS_TOML, digest_of, messages, prices, setup

from riskkit import InputError, Rule, RuleSet
from riskkit.replay.log.files import read_units
from riskkit.replay.schema.universe import Universe
from riskkit.rules import CreditLimit
from riskkit.service.stream.partition import Partition, universe_of
from riskkit.service.stream.trade_events import TradeEvent

pytest.importorskip("msgspec", reason="msgspec comes with the extra 'kafka'")
ORDER = {"ts": START * 10**6, "account": "A", "instrument": "ES", "side": "B", "qty": 2, "price": "5000.25"}
SWAP = TradeEvent("ann", "t1", "ETH", "USDC", 2 * 10**18, 3_900 * 10**6, START)


@pytest.fixture
def partition(tmp_path):
    found = Partition(setup(tmp_path, commands=True), "in", 0, 4)
    for value in prices():
        assert found.take(found.offset, value).passed
    yield found
    found.close()


def take(partition, fields):
    return partition.take(partition.offset, fields if isinstance(fields, bytes) else json.dumps(fields).encode())


def positions(partition):
    frame = partition.session.status().positions().reset_index()
    return {(row.account, row.instrument): row.qty for row in frame.itertuples()}


def test_a_snapshot_has_positions_and_orders(partition):
    order = {name: ORDER[name] for name in ("instrument", "side", "qty", "price")}
    said = {"kind": "snapshot", "ts": ORDER["ts"], "account": "A", "positions": {"ES": "3"}}
    found = take(partition, {**said, "orders": [{**order, "order_id": "z"}]})
    assert found.passed and len(found.actions) == 2
    assert positions(partition) == {("A", "ES"): 3}


def test_positions_are_given_moved_split_and_settled(partition):
    about = {"ts": ORDER["ts"], "instrument": "ES"}
    take(partition, {**about, "kind": "adjust", "account": "A", "side": "B", "qty": "4", "price": "100"})
    take(partition, {**about, "kind": "transfer", "from": "A", "to": "B", "qty": "1", "price": "100"})
    assert take(partition, {**about, "kind": "split", "ratio": "2/1"}).passed
    assert positions(partition) == {("A", "ES"): 6, ("B", "ES"): 2}
    assert take(partition, {**about, "kind": "funding", "rate": "0.001"}).passed
    found = take(partition, {**about, "kind": "expiry", "price": "99"})
    assert found.passed and len(found.actions) == 2 and set(positions(partition).values()) == {0}


def test_credit_is_reserved_used_and_given_back_and_a_restart_forgets_nothing(tmp_path):
    line = RuleSet([Rule("line", CreditLimit(100), scope="global")])
    about = {"ts": ORDER["ts"], "kind": "credit", "account": "A"}
    money = {"step": "reserve", "currency": "USD"}

    def opened():
        return Partition(dataclasses.replace(setup(tmp_path), rules=line), "in", 0, 4)

    partition = opened()
    assert take(partition, {**about, **money, "reserve_id": "a", "amount": "60"}).passed
    refused = json.loads(take(partition, {**about, **money, "reserve_id": "b", "amount": "40.01"}).message(0, 1))
    assert (refused["actions"][0]["rule"], refused["actions"][0]["observed"]) == ("line", 100.01)
    assert take(partition, {**about, "reserve_id": "a", "step": "commit"}).passed
    assert not take(partition, {**about, "reserve_id": "a", "step": "commit"}).passed
    partition.commit()
    partition.close()
    partition = opened()
    assert (
        partition.offset == 4 and not take(partition, {**about, **money, "reserve_id": "c", "amount": "40.01"}).passed
    )
    assert take(partition, {**about, "reserve_id": "a", "step": "release", "amount": "0.01"}).passed
    assert take(partition, {**about, **money, "reserve_id": "d", "amount": "40.01"}).passed
    partition.close()


def test_an_order_passes_or_is_refused_and_says_why(partition):
    assert json.loads(take(partition, ORDER).message(3, 9)) == {
        "partition": 3, "offset": 9, "seq": 3, "passed": True, "actions": [],
    }  # fmt: skip
    refused = json.loads(take(partition, {**ORDER, "qty": 101}).message(3, 10))
    assert not refused["passed"]
    assert refused["actions"] == [
        {
            "action": "REJECT", "seq": 4, "ts": str(START * 10**6), "rule": "size", "key": "A", "account": "A", "instrument": "ES",
            "reason": "the order is refused by size (one order of at most 100 in quantity): observed 101, limit 100.",
            "observed": 101, "limit": 100, "headroom": -1, "unit": "quantity",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (b"", "the message is no JSON: Input data was truncated"),
        (b"[1]", "the message is no JSON object"),
        (b"\xff", "the message is no JSON: "),
        (b"[" * 100_000, "the message is no JSON: "),
        ({"kind": "nothing", "ts": 1}, "kind='nothing' is not a kind of event"),
        ({"kind": 7}, "kind=7 is not a text"),
        ({**ORDER, "qty": -1}, "qty=-1 is not a quantity"),
        ({**ORDER, "self": 1}, "field 'self' is not known of an event of kind 'order'; it has ts, account"),
        ({"account": "A"}, "field 'ts' is missing; an event of kind 'order' needs it"),
        ({**ORDER, "account": [[]]}, "account=[[]] is neither a text nor a number"),
        ({"token_in": "ETH"}, "a trade event missing 6 required positional arguments"),
        ({**SWAP.fields(), "amount_in": "-1"}, "amount_in='-1' is not a whole number above zero and below 2**256"),
        ({**SWAP.fields(), "amount_in": 2**256}, "is not a whole number above zero and below 2**256"),
        ({**SWAP.fields(), "token_out": "DOGE"}, "token 'DOGE' is not an instrument of this engine"),
        ({**SWAP.fields(), "amount_out": "1" + "0" * 70}, ""),
        ({**SWAP.fields(), "amount_in": "1"}, "amount_in is less than half a step of 1/1000000; nothing is booked"),
        ({"kind": "limits", "limits": {"size.limit": 5}, "who": "Ann"}, "kind='limits': "),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_and_changes_nothing(partition, fields, says):
    before, held = partition.session.digest, positions(partition)
    taken = take(partition, fields)
    assert says in str(taken.error) and not taken.passed and taken.seq is None
    assert json.loads(taken.message(0, 0))["error_type"]
    assert (partition.session.digest, positions(partition)) == (before, held)


NAMES = st.sampled_from([*ORDER, "kind", "order_id", "limits", "user_id"]) | st.text()
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    found = Partition(setup(tmp_path_factory.mktemp("bytes"), commands=True), "in", 0, 4)
    yield found
    found.close()


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_stop_a_partition(attacked, value):
    json.loads(attacked.take(attacked.offset, value).message(0, 0))


def test_a_swap_moves_both_tokens_for_the_same_money(partition):
    assert take(partition, SWAP.message()).passed
    assert positions(partition) == {("ann", "ETH"): pytest.approx(-2.0), ("ann", "USDC"): pytest.approx(3900.0)}
    accounts = partition.session.status().accounts().reset_index()
    assert accounts[accounts["account"] == "ann"]["cash"].item() == pytest.approx(
        0.0, abs=0.01
    )  # what was given was got
    again = take(partition, SWAP.message())
    assert [action.reason for action in again.actions][0].startswith("fill: ")
    assert positions(partition) == {("ann", "ETH"): pytest.approx(-2.0), ("ann", "USDC"): pytest.approx(3900.0)}


def test_a_swap_whose_second_leg_is_refused_leaves_nothing(partition):
    large = TradeEvent("ann", "t1", "ETH", "USDC", 10**21, 10**18, START)
    taken = take(partition, large.message())
    assert taken.error is not None
    assert all(quantity == pytest.approx(0.0) for quantity in positions(partition).values())


def test_a_missing_price_and_an_unknown_user_are_named(tmp_path):
    found = Partition(setup(tmp_path, auto_register=None), "in", 0, 4)
    missing = json.loads(take(found, SWAP.message()).message(0, 0))
    assert missing["error_type"] == "MissingPriceError"
    assert missing["error"] == "no price of 'ETH' is known; send an event of the kind 'price' first"
    for value in prices():
        take(found, value)
    assert "account='ann' is not declared" in str(take(found, SWAP.message()).error)
    found.close()


def test_commands_are_taken_only_where_they_are_asked_for(partition, tmp_path):
    limits = {"kind": "limits", "limits": {"size.limit": 1}, "who": "Ann", "why": "quiet", "ts": START * 10**6}
    assert take(partition, limits).passed
    assert not take(partition, ORDER).passed
    assert take(partition, {"kind": "halt", "account": "A", "who": "Ann", "why": "wrong prices"}).passed
    assert "is stopped by a command" in take(partition, {**ORDER, "qty": 1}).actions[0].reason
    assert take(partition, {"kind": "restart", "account": "A", "who": "Ann", "why": "checked"}).passed
    assert take(partition, {**ORDER, "qty": 1}).passed
    other = Partition(setup(tmp_path / "other"), "in", 0, 4)
    assert "this consumer takes none (option --commands)" in str(take(other, limits).error)
    other.close()


def test_another_number_of_partitions_is_refused(tmp_path):
    found = Partition(setup(tmp_path), "in", 0, 4)
    take(found, prices()[0])
    found.commit()
    found.close()
    with pytest.raises(InputError, match="is of 4 partitions of 'in', and there are 8 of 'in' now"):
        Partition(setup(tmp_path), "in", 0, 8)
    assert Partition(setup(tmp_path), "in", 0, 4).offset == 1  # the folder is free


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", [2, 3])
def test_neither_batches_nor_crashes_change_what_is_told(tmp_path, seed):
    values = [*prices(), *(value for _, value in messages(seed, 200))]
    digest, once = digest_of(tmp_path / "once", 1, "in", values)
    draw, told, sent = random.Random(seed), {}, 0
    while not told or max(told) < len(values) - 1:
        partition = Partition(setup(tmp_path / "often"), "in", 1, 4)
        for _ in range(draw.randrange(1, 6)):  # batches until it is killed
            stop = min(len(values), partition.offset + draw.randrange(1, 40))
            for offset in range(partition.offset, stop):
                value = partition.take(offset, values[offset]).message(1, offset)
                assert told.setdefault(offset, value) == value
                sent += 1
            if draw.random() < 0.7:
                partition.commit()
        partition.session._wal.leave()
        partition.session._lock_file.leave()
    assert [told[offset] for offset in range(len(values))] == once
    assert sent >= len(values)
    last = Partition(setup(tmp_path / "often"), "in", 1, 4)
    for offset in range(last.offset, len(values)):
        last.take(offset, values[offset])
    assert last.session.digest == digest
    last.close()


def test_the_universe_of_a_units_file_is_that_of_the_tests(tmp_path):
    path = tmp_path / "units.toml"
    path.write_text(UNITS_TOML)
    assert universe_of(read_units(path)) == setup(tmp_path).universe
    path.write_text(UNITS_TOML.partition("\n")[2])
    assert universe_of(read_units(path)) == Universe.declare(INSTRUMENTS)
