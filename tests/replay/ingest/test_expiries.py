"""Time in force at both doors: when an order stops working by itself."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import NAMED, load, refusal

from riskkit import Rule, RuleSet, Session, replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import MaxActiveOrders

DAY = 86_400_000_000_000
RULES = RuleSet([Rule("one", MaxActiveOrders(limit=1))])
NEXT = {**NAMED, "order_id": "b"}


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ({"tif": "GTC"}, None),
        ({"tif": "IOC"}, 2),
        ({"tif": "fok"}, 2),
        ({"tif": "DAY"}, DAY),
        ({"tif": "DAY", "expires": "session 01:00 UTC"}, 3_600_000_000_000),
        ({"tif": None, "expires": 7}, 7),
    ],
)
def test_an_order_works_up_to_its_end_and_not_at_it(given, ends):
    first = {**NAMED, **{name: value for name, value in given.items() if value is not None}}
    for ts in [DAY] if ends is None else [ends - 1, ends]:
        rows = [first, {**NEXT, "ts": ts}]
        log = load(*rows)
        replayed = replay_log(log, RULES, "enforce", compiled=False)
        assert len(replayed.rejections()) == int(ends is None or ts < ends)
        lapsed = (log.columns["kind"] == EventKind.EXPIRE).tolist()
        assert lapsed == ([False, False] if ends is None or ts < ends else [False, True, False])
        session = Session(RULES, log.universe, mode="enforce", compiled=False)
        submit(session, rows)
        assert session.digest == replayed.digest


@pytest.mark.parametrize(
    "given", [{"tif": "GTD"}, {"tif": 1}, {"tif": "IOC", "expires": 9}, {"tif": "GTC", "expires": 9}]
)
def test_what_is_no_time_in_force_is_refused_at_both_doors(given):
    said = refusal({**NAMED, **given})
    session = Session(RULES, load(NAMED).universe, compiled=False)
    fields = {name: value for name, value in NAMED.items() if name not in ("ts", "kind")}
    told = refusal_of(session.process_order, ts=1, **fields, **given)
    assert ("expires" in said) == ("expires" in told) == ("expires" in given) and ("tif" in said) == ("tif" in told)
