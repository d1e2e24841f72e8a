"""The VaR gate: hand-computed edges, what it cannot judge yet, parity with adding up from scratch, and one digest."""

from __future__ import annotations

import math
import random
import tomllib

import numpy as np
import pytest
from naive.replay import interpret
from naive.var_limit import Gate
from random_scenarios import scenario
from rows import load
from scenario_runner import run
from streams import log_of_rows, random_log, universe, whole_lists, with_every_column

from riskkit import Account, InputError, Instrument, Rule, RuleSet, Session
from riskkit.covariance import EwmaCovariance
from riskkit.replay.engine.compiler import ReplayLoop, fixed_arguments, shape_of
from riskkit.replay.engine.order_columns import assign_slots
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.engine.state import calendars, new_state, opening
from riskkit.replay.kernels import covariance_state
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.live.engine import Engine
from riskkit.replay.rules.catalogue.var_limit import value_at_risk
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind
from riskkit.replay.schema.constants import LARGEST
from riskkit.rules import PositionLimit, VarLimit

S = 1_000_000_000
X, Y = Instrument("X"), Instrument("Y")
# z = 2, decay 1/2. X: 100, 110, 99, returns +10 % and -10 %; Y: 50, 45, 49.5, the opposite. The weights 1/4 and 1/2 sum
# to 3/4, so both have a standard deviation of 10 % and their correlation is -1
HAND = {"z": 2, "decay": "0.5", "warmup": 2}
OPPOSITE = {"X": (100, 110, 99), "Y": (50, 45, "49.5")}


def bars(closes: dict[str, tuple] = OPPOSITE) -> list[dict]:
    """A price of each instrument and a CLOCK for each bar, a second apart."""
    rows: list[dict] = []
    for bar in range(max(map(len, closes.values()))):
        rows += [
            {"kind": "price", "instrument": label, "price": prices[bar]}
            for label, prices in closes.items()
            if bar < len(prices) and prices[bar] is not None
        ]
        rows.append({"kind": "clock"})
    return rows


def order(qty, instrument: str = "X", side: str = "B", account: str = "A", **more) -> dict:
    price = {"X": 99, "Y": "49.5"}.get(instrument, 1)
    row = {"kind": "order", "account": account, "instrument": instrument, "side": side, "qty": qty}
    return {**row, "price": price, **more}


def fill(qty, instrument: str = "X", side: str = "B", account: str = "A", **more) -> dict:
    return {**order(qty, instrument, side, account), "kind": "fill", **more}


def stream(*rows: dict, instruments=(X, Y), **options):
    return load(
        *({"ts": place * S, **row} for place, row in enumerate(rows)), instruments=instruments, unit="ns", **options
    )


def gate(limit="1000000", scope: str = "account", action: str = "REJECT", **params) -> RuleSet:
    return RuleSet([Rule("var", VarLimit(limit=limit, **{**HAND, **params}), scope=scope, action=action)])


def codes(log, rules: RuleSet, mode: str = "shadow") -> list[tuple[int, str]]:
    rows = replay_log(log, rules, mode, compiled=False).rows
    return [(int(row["seq"]), DecisionCode(int(row["code"])).name) for row in rows]


def seen(log, **params) -> float:
    """The VaR, in money, that the last order would lead to."""
    rules = gate(limit=0, hedges=False, **params)
    row = replay_log(log, rules, compiled=False).rows[-1]
    assert row["code"] == DecisionCode.OBJECT and row["seq"] == len(log) - 1
    return log.universe.money(int(row["observed"]))


def refused(log, rules: RuleSet) -> bool:
    """Whether the last event is refused."""
    return (len(log) - 1, "OBJECT") in codes(log, rules)


# ---------------------------------------------------------------------- by hand


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ((order(10),), 198.0),  # 2 x 10 % of 990
        ((order(10, side="S"),), 198.0),
        ((fill(10), order(4, "Y")), 158.4),  # 990 - 198, for Y is the opposite of X
        ((fill(10), order(20, "Y")), 0.0),
        ((fill(10), order(1)), 217.8),
        ((fill(10), order(40, "Y")), 198.0),
        ((fill(10), order(4, "Y", "S")), 237.6),
    ],
)
def test_value_by_hand(rows, value):
    log = stream(*bars(), *rows)
    if value > 0:
        assert seen(log) == value
    assert not refused(log, gate(value))
    assert value == 0 or refused(log, gate(value - 0.01, hedges=False))


def test_value_by_hand_of_imperfect_correlation():
    # Y: 50, 50, 55. Var X = 1/100, Var Y = (1/2 of 1/100) / (3/4) = 1/150, Cov = -(1/2 of 1/100) / (3/4) = -1/150
    log = stream(*bars({"X": (100, 110, 99), "Y": (50, 50, 55)}), fill(10), order(10, "Y"))
    assert seen(log) == round(2 * math.sqrt(990**2 / 100 + (550**2 - 2 * 990 * 550) / 150), 2) == 135.02


@pytest.mark.parametrize(
    ("limit", "exceed", "reach"), [("198.01", False, False), ("198", False, True), ("197.99", True, True)]
)
def test_just_below_equal_and_just_above(limit, exceed, reach):
    log = stream(*bars(), order(10))
    assert refused(log, gate(limit)) is exceed
    assert refused(log, gate(limit, breach="reach")) is reach


@pytest.mark.parametrize(("qty", "out"), [(9, False), (10, False), (11, True)])
def test_the_quantity_just_below_equal_and_just_above(qty, out):
    assert refused(stream(*bars(), order(qty)), gate(198)) is out


def test_confidence_horizon_and_z():
    log = stream(*bars(), order(10))
    assert seen(log, z=None, confidence=0.99) == pytest.approx(99 * 2.3263478740408408, abs=0.005)
    assert seen(log, z=None, confidence="0.95") == pytest.approx(99 * 1.6448536269514722, abs=0.005)
    assert seen(log, z="1.65") == 163.35
    assert seen(log, horizon=4) == 396.0


def test_what_is_rounded_is_said():
    for quanta, whole in ((0.5, 0), (1.5, 2), (2.5, 2), (2.5000001, 3), (7.49, 7)):
        params = gate(z=1)[0].to_integers(stream(*bars()).universe)
        assert value_at_risk(params, quanta * quanta) == whole
    assert value_at_risk(params, math.nan) == value_at_risk(params, math.inf) == value_at_risk(params, 1e40) == LARGEST
    assert value_at_risk(params, -1e-9) == 0


# ---------------------------------------------------------------------- what it lets pass, and what it counts


def test_what_only_reduces_passes_above_the_limit():
    held = [*bars(), fill(10)]
    for rows in ([order(4, side="S")], [order(10, side="S")]):
        assert codes(stream(*held, *rows), gate(0)) == []
    assert codes(stream(*held, order(11, side="S")), gate(0, hedges=False)) == [(10, "OBJECT")]


def test_a_hedge_passes_above_the_limit_unless_told_otherwise():
    held = [*bars(), fill(10)]
    assert not refused(stream(*held, order(4, "Y")), gate(100))
    assert refused(stream(*held, order(4, "Y")), gate(100, hedges=False))
    assert not refused(stream(*held, order(40, "Y")), gate(100))  # it ends where it began
    assert refused(stream(*held, order(41, "Y")), gate(100))
    assert refused(stream(*held, order(1, "Y", "S")), gate(100))


def test_working_orders_of_the_side_count_unless_told_not_to():
    twice = stream(*bars(), order(6, order_id="a"), order(5, order_id="b"))
    assert codes(twice, gate(198)) == [(10, "OBJECT")]
    assert codes(twice, gate(198, include_open=False)) == []
    filled = stream(*bars(), order(6, order_id="a"), fill(6, order_id="a"), order(5, order_id="b"))
    assert codes(filled, gate(198)) == [(11, "OBJECT")]


def test_working_orders_never_make_room():
    # short 10 and 20 bought back at work: with them another 5 end at +15, without them at -5
    flip = [fill(10, side="S"), order(20, order_id="a"), order(5, side="S")]
    assert seen(stream(*bars(), *flip)) == 297.0
    buy = [fill(10, side="S"), order(9, order_id="a"), order(12)]
    assert seen(stream(*bars(), *buy)) == 217.8  # 11 with the working ones, 2 without


def test_a_modify_is_judged_without_what_it_has_at_work():
    rows = [order(6, order_id="a"), {**order(10, order_id="a"), "kind": "modify"}]
    assert codes(stream(*bars(), *rows), gate(198)) == []
    rows[1]["qty"] = 11
    assert codes(stream(*bars(), *rows), gate(198)) == [(10, "OBJECT")]


def test_scopes_net_their_accounts():
    accounts = [Account("A", desk="d", firm="f"), Account("B", desk="d", firm="f"), Account("C", desk="e", firm="f")]
    rows = [*bars(), fill(10), fill(4, side="S", account="B"), fill(2, account="C"), order(1)]
    values = {"account": 217.8, "desk": 138.6, "firm": 178.2, "global": 178.2}
    for scope, value in values.items():
        assert seen(stream(*rows, accounts=accounts), scope=scope) == value


def test_a_pause_begins_with_the_order_beyond_the_limit():
    log = stream(*bars(), order(11), order(1), order(1))
    found = codes(log, gate(198, action="PAUSE"))
    assert found == [(9, "OBJECT"), (9, "TRIP"), (10, "HELD"), (11, "HELD")]


def test_enforce_takes_the_fills_of_a_refused_order_out_of_the_exposure():
    log = stream(*bars(), order(11, order_id="a"), fill(11, order_id="a"), order(10))
    assert codes(log, gate(198), "enforce") == [(9, "OBJECT"), (10, "VANISH")]
    assert codes(log, gate(198)) == [(9, "OBJECT"), (11, "OBJECT")]


# ---------------------------------------------------------------------- what it cannot judge, and what is nothing


@pytest.mark.parametrize(("policy", "code"), [("reject", "NO_PRICE"), ("alert", "ALERTED"), ("allow", None)])
def test_warm_up(policy, code):
    log = stream(*bars({"X": (100, 110)}), order(1), *bars({"X": (None, 99)}), order(1))
    assert codes(log, gate(on_warmup=policy)) == ([(4, code)] if code else [])


def test_a_held_instrument_without_returns_keeps_the_account_unknown_but_for_exits():
    early = [*bars(), fill(3, "Z"), order(1), order(3, "Z", "S"), order(1, account="B")]
    log = stream(*early, {"kind": "price", "instrument": "Z", "price": 7}, instruments=(X, Y, Instrument("Z")))
    assert codes(log, gate()) == [(10, "NO_PRICE")]
    text = str(replay_log(log, gate(), compiled=False).explain(10))
    assert "refused: too few returns are known by var (observed 0, warmup 2)" in text
    assert "too few returns are known" in replay_log(log, gate(), compiled=False).to_frame()["decision"][10]
    after = [fill(3, "Z", "S"), order(1)]
    assert codes(stream(*early[:-3], *after, instruments=(X, Y, Instrument("Z"))), gate()) == []


def test_what_is_allowed_unknown_is_judged_by_what_is_known():
    log = stream(*bars(), fill(3, "Z"), order(10), order(11), instruments=(X, Y, Instrument("Z")))
    assert codes(log, gate(198, on_warmup="allow", include_open=False)) == [(11, "OBJECT")]
    assert codes(log, gate(198, on_warmup="alert", include_open=False)) == [(10, "ALERTED"), (11, "OBJECT")]


@pytest.mark.parametrize(("policy", "code"), [("reject", "NO_PRICE"), ("alert", "ALERTED"), ("allow", None)])
def test_a_missing_price(policy, code):
    log = stream(*bars(), order(1, "Z"), instruments=(X, Y, Instrument("Z")))
    assert codes(log, gate(on_missing_price=policy, on_warmup="reject")) == ([(9, code)] if code else [])


def test_a_price_at_or_below_zero_is_none():
    spread = Instrument("Y", negative_price=True)
    fallen = [*bars({**OPPOSITE, "Y": (50, 45, "49.5", 0)}), order(1, "Y")]
    assert codes(stream(*fallen, instruments=(X, spread)), gate()) == [(11, "NO_PRICE")]
    held = [*bars(), fill(1, "Y"), *bars({"Y": (-1,)}), order(1)]
    assert codes(stream(*held, instruments=(X, spread)), gate()) == [(12, "NO_PRICE")]


def test_constant_prices_have_no_risk():
    log = stream(*bars({"X": (5, 5, 5, 5)}), order(10))
    assert codes(log, gate(0)) == []
    assert codes(log, gate(0, breach="reach", hedges=False)) == [(8, "OBJECT")]  # 0 reaches 0


def test_one_instrument():
    assert seen(stream(*bars({"X": (100, 110, 99)}), order(10), instruments=(X,))) == 198.0


def test_opening_positions_are_exposed_from_the_first_bars_on():
    accounts = [Account("A", positions={"X": 10})]
    assert seen(stream(*bars(), order(1), accounts=accounts)) == 217.8


def test_exposures_are_revalued_at_the_close_and_only_there():
    moved = {"kind": "price", "instrument": "X", "price": 198}
    assert seen(stream(*bars(), fill(10), moved, order(1))) == 217.8
    # a return of 100 %: variance (1/8 + 1/4) of 1/100 and 1/2 of 1, by 7/8
    sd = math.sqrt((0.00375 + 0.5) / 0.875)
    assert seen(stream(*bars(), fill(10), moved, {"kind": "clock"}, order(1))) == round(2 * sd * 198 * 11, 2)


# ---------------------------------------------------------------------- bars


def timed(log_rows: list[dict], clocks: bool) -> list[dict]:
    """The rows of `bars`, each bar ten seconds, told by CLOCK events or by the time alone."""
    rows, bar = [], 0
    for row in log_rows:
        if row["kind"] == "clock":
            bar += 1
            rows += [{**row, "ts": bar * 10 * S}] if clocks else []
        else:
            rows.append({**row, "ts": bar * 10 * S + S})
    return rows


def test_bars_end_with_the_time_whoever_tells_it():
    closes = {"X": (100, 110, 99, 105, 98), "Y": (50, 45, "49.5", None, 51)}
    rows = [*bars(closes), order(10)]
    by_clock = load(*timed(rows, True), instruments=(X, Y), unit="ns")
    by_time = load(*timed(rows, False), instruments=(X, Y), unit="ns")
    value = seen(by_clock)
    assert value == seen(by_time, bar_ns="10s") == seen(by_clock, bar_ns="10s")
    more = sorted(
        [*timed(rows, True), *({"kind": "clock", "ts": s * S} for s in range(3, 48, 7))], key=lambda row: row["ts"]
    )
    assert seen(load(*more, instruments=(X, Y), unit="ns"), bar_ns="10s") == value


def test_a_bar_holds_what_came_before_its_end_to_the_nanosecond():
    late = {"kind": "price", "instrument": "X", "price": 150}
    rows = timed(bars(), False)
    inside, at_end = ({**late, "ts": 30 * S - 1}, {**late, "ts": 30 * S})
    asked = {**order(10), "ts": 30 * S}
    assert seen(load(*rows, at_end, asked, instruments=(X, Y), unit="ns"), bar_ns="10s") == 198.0
    assert seen(load(*rows, inside, asked, instruments=(X, Y), unit="ns"), bar_ns="10s") > 198.0


def test_a_time_without_prices_is_no_bar():
    rows = timed(bars(), False)
    night = [{**order(10), "ts": 10**6 * S}]
    assert seen(load(*rows, *night, instruments=(X, Y), unit="ns"), bar_ns="10s") == 198.0


# ---------------------------------------------------------------------- parity with adding up from scratch

WIDE = universe(accounts=4, instruments=8)
TOTAL = 100_000
BAR = 60 * S


def long_rows() -> list[dict[str, int]]:
    """100,000 events: random walks of eight instruments (one joins late), orders and their fills, bars of a minute."""
    draw = np.random.default_rng(12)
    prices = np.full(8, 10_000.0)
    kinds = draw.choice([EventKind.PRICE, EventKind.ORDER, EventKind.CLOCK], TOTAL, p=[0.58, 0.41, 0.01]).tolist()
    jumps = np.exp(0.002 * draw.standard_normal(TOTAL)).tolist()
    codes_of = draw.integers(0, 8, TOTAL).tolist()
    owners, sides = draw.integers(0, 4, TOTAL).tolist(), draw.choice([-1, 1], TOTAL).tolist()
    lots, steps = draw.integers(1, 50, TOTAL).tolist(), draw.choice([0, 1, S], TOTAL).tolist()
    rows: list[dict[str, int]] = []
    ts = 1_709_649_000 * S
    place = 0
    while len(rows) < TOTAL - 3:
        kind, code, ts = kinds[place], codes_of[place], ts + steps[place]
        if code == 7 and place < TOTAL // 4:
            code = 6
        row = {"ts": ts, "kind": kind, "account": -1, "instrument": code, "side": 0, "qty": 0, "order": -1}
        if kind == EventKind.PRICE:
            prices[code] *= jumps[place]
            rows.append({**row, "price": round(prices[code])})
        elif kind == EventKind.CLOCK:
            rows.append({**row, "instrument": -1, "price": MISSING})
        else:
            number, price = len(rows), round(prices[code])
            row |= {"account": owners[place], "side": sides[place], "qty": lots[place], "order": number}
            rows += [{**row, "price": price}, {**row, "kind": int(EventKind.FILL), "price": price}]
        place += 1
    last = {"ts": ts, "account": 0, "instrument": -1, "side": 0, "qty": 0, "price": MISSING, "order": -1}
    every = [{**last, "kind": int(kind)} for kind in (EventKind.ERROR, EventKind.CONTROL)]
    return [*rows, *every, {**last, "instrument": 0, "kind": int(EventKind.MODIFY)}]  # every branch of the random logs


@pytest.fixture(scope="module")
def long_log():
    rows = long_rows()
    return rows, log_of_rows(rows, WIDE)


def two_gates(limit=0, rebuild: int = 1_000, firm: str = "REJECT") -> RuleSet:
    """One rule by time for accounts, one by CLOCK events for desks."""
    one = {"warmup": 1, "on_warmup": "allow", "hedges": False, "include_open": False, "rebuild": rebuild}
    return RuleSet(
        [
            Rule("var", VarLimit(limit=limit, bar_ns="1min", **one)),
            Rule("desk", VarLimit(limit=10**9, decay="0.97", **one), scope="desk", action=firm),
        ]
    )


def stretches(log, rules: RuleSet, step: int):
    """Run the compiled loop and stop every `step` events: (events so far, rows of the stretch, state)."""
    engine = ReplayLoop(
        rules, shape_of(rules, log.columns, enforce=False, sampled=False, cancels=False, opened=False), compiled=True
    )
    params = [rule.to_integers(log.universe) for rule in rules]
    ts = log.columns["ts"]
    found = calendars(rules, int(ts.min()), int(ts.max()))
    slots, count = assign_slots(log.columns, engine.shape)
    opened = opening(log.universe, log.pair_account, log.pair_instrument)
    state = new_state(log.universe, opened, rules, params, found, count)
    fixed = fixed_arguments(rules, params, found, Samples.none(4), log.universe)
    for start in range(0, len(log), step):
        stop = min(start + step, len(log))
        yield stop, list(engine.feed(state, {**log.columns, "slots": slots}, fixed, start, stop)), state


@pytest.mark.xdist_group("var gate")
def test_parity_with_adding_up_from_scratch_over_100_000_events(long_log):
    """To 1e-12 of |w|'|Σ||w|, what the variance is a sum of; and of the variance itself where it has not cancelled."""
    rows, log = long_log
    worth = [float(log.universe.ratio(instrument)) for instrument in log.universe.instruments]
    duplicates = Gate(worth, [0, 1, 2, 3], 0.94, BAR), Gate(worth, [0, 1, 0, 1], 0.97, None)
    done, judged, worst, relative = 0, 0, 0.0, 0.0
    for stop, blocks, state in stretches(log, two_gates(), 2_500):
        said = {int(row["seq"]): int(row["observed"]) for block in blocks for row in block if row["cause"] == 0}
        for number in range(done, stop):
            row = rows[number]
            if (
                row["kind"] == EventKind.ORDER
            ):  # the row stands before what it changes; time has passed for it all the same
                duplicates[0].take({**row, "kind": -1})
                after, _ = duplicates[0].now(row["account"], row["instrument"], row["side"] * row["qty"])
                quanta = 2.3263478740408408 * math.sqrt(max(after, 0.0))
                if number in said:
                    assert abs(said[number] - quanta) <= 0.5 + 1e-9 * quanta
                    judged += 1
            for prev_duplicate in duplicates:
                prev_duplicate.take(row)
        done = stop
        for k, prev_duplicate in enumerate(duplicates):
            for key, variance in enumerate(state.rules[k]["variance"][1:].tolist()):
                exact, scale = prev_duplicate.now(key)
                if scale > 0:
                    worst = max(worst, abs(variance - exact) / scale)
                    relative = max(relative, abs(variance - exact) / exact)
    assert done == TOTAL and judged > 15_000
    assert len(duplicates[0].closes) > 200 and len(duplicates[1].closes) > 200
    assert worst <= 1e-12 and relative <= 1e-12


@pytest.mark.xdist_group("var gate")
def test_the_declared_rebuild_bounds_the_drift(long_log):
    _, log = long_log
    matrices, ends = [], {}
    for rebuild in (1, 1_000, 10**9):
        *_, (_, _, state) = stretches(log, two_gates(rebuild=rebuild), TOTAL)
        table = state.rules[0][1:]
        start = int(table["matrix"][0])
        matrices.append(state.reals[start : start + 64].tobytes())
        ends[rebuild] = table["variance"].copy()
        assert (table["updates"] < rebuild).all()
        sigma = state.reals[start : start + 64].reshape(8, 8)
        loading, key = state.reals[start + 64 + 16 : start + 64 + 24], int(table["reals"][2])
        lots, cached = state.reals[key : key + 8], state.reals[key + 8 : key + 16]
        drift = np.abs(cached - sigma @ (lots * loading)).max() / (sigma @ np.abs(lots * loading)).max()
        assert drift <= {1: 1e-15, 1_000: 1e-13, 10**9: 1e-11}[rebuild]
    assert len(set(matrices)) == 1  # what is rebuilt is Σw; Σ has one history
    np.testing.assert_allclose(ends[1], ends[1_000], rtol=1e-12)
    np.testing.assert_allclose(ends[1], ends[10**9], rtol=1e-10)


def test_the_matrix_is_that_of_the_covariance_module_to_the_bit():
    closes = {"X": (100, 110, 99, 104, 101), "Y": (50, 45, "49.5", 51, 48)}
    state = replay_log(stream(*bars(closes), order(1)), gate(decay="0.9"), compiled=False).state
    prices = np.array([[float(price) for price in row] for row in closes.values()]).T
    returns = (100 * prices[1:] - 100 * prices[:-1]) / (100 * prices[:-1])
    found = EwmaCovariance.init(returns, 0.9, "zero").update_many(returns).covariance
    start = int(state.rules[0]["matrix"][0])
    assert state.reals[start : start + 4].tobytes() == found.tobytes()


def gated(seed: int) -> dict:
    """A random scenario under a gate with random parameters."""
    draw = random.Random(seed)
    given = scenario(seed, 150, types=["max_order_qty"])
    params = {"limit": draw.choice(["0", "1.5", "8", "40"]), "bar_ns": draw.choice([7, 25, 60]), "z": "2"}
    params |= {"decay": draw.choice(["0.5", "0.94"]), "warmup": draw.choice([1, 2, 5])}
    params |= {name: draw.random() < 0.5 for name in ("include_open", "hedges")}
    params |= {name: draw.choice(["reject", "alert", "allow"]) for name in ("on_warmup", "on_missing_price")}
    params["breach"] = draw.choice(["exceed", "reach"])
    kinds = {"scope": draw.choice(["account", "global"]), "action": draw.choice(["REJECT", "REJECT", "PAUSE", "HALT"])}
    return {**given, "rules": [{"id": "var", "type": "var_limit", **kinds, "params": params}]}


@pytest.mark.lengthy
def test_random_scenarios_decide_as_the_naive_interpreter():
    breaches = 0
    for seed in range(16):
        given = gated(seed)
        prev_duplicate = interpret(given)
        assert run(given, "plain").decisions == prev_duplicate.decisions, seed
        breaches += sum(decision == ("REJECT", "var") for decision in prev_duplicate.decisions.values())
    assert breaches > 100


# ---------------------------------------------------------------------- one digest

RULES = RuleSet(
    [
        Rule("var", VarLimit(limit="40", bar_ns="10min", warmup=3, decay="0.9", rebuild=7)),
        Rule("desk", VarLimit(limit="60", warmup=2, on_warmup="allow"), scope="desk"),
    ]
)


@pytest.mark.xdist_group("generic")
@pytest.mark.parametrize(("mode", "compiled"), [("shadow", "generic"), ("enforce", True)])
def test_every_way_of_running_gives_one_digest(mode, compiled):
    refusals = 0
    for seed in range(8):
        log = random_log(seed, 200, opened=seed % 2 == 1, venue=True)
        plain = replay_log(log, RULES, mode, compiled=False)
        breaches = plain.rejections()["code"] == DecisionCode.OBJECT
        refusals += int(breaches.sum())
        assert replay_log(log, RULES, mode, compiled=compiled).digest == plain.digest, "compiled"
        assert replay_log(log, RULES, mode, compiled=compiled, chunk=17).digest == plain.digest, "in chunks"
        live = Engine(RULES, log.universe, mode, compiled=compiled)
        stop = whole_lists(log, 20 * seed)
        live.feed(log, 0, stop)
        live = Engine.restore(live.snapshot(), RULES, compiled=compiled)
        live.feed(log, stop)
        assert live.digest == plain.digest, "one at a time, snapshot and restore"
        assert live.state.reals.tobytes() == plain.state.reals.tobytes()
        again = Engine(RULES, log.universe, mode, compiled=False)
        again.feed(log)
        assert again.digest == plain.digest, "plain, one at a time"
        journal = with_every_column(again.log())
        assert replay_log(journal, RULES, mode, compiled=compiled).digest == plain.digest, "the journal replayed"
    assert refusals > 40  # the logs bind the limits often


@pytest.mark.lengthy
def test_a_rule_not_chosen_costs_nothing():
    log = random_log(1, 30)
    for enforce in (False, True):
        rules = RuleSet([Rule("size", PositionLimit(limit=4))])
        shape = shape_of(rules, log.columns, enforce=enforce, sampled=True, cancels=enforce, opened=False)
        with_it = RuleSet([*rules, *gate()])
        other = shape_of(with_it, log.columns, enforce=enforce, sampled=True, cancels=enforce, opened=False)
        for word in ("reals", "pass_time", "price_came"):
            assert word not in specialise(shape).text and word in specialise(other).text
    state = replay_log(log, RuleSet([]), compiled=False).state
    assert len(state.reals) == 1


def test_bars_and_samples_share_the_turn_of_time():
    log = load(*timed([*bars(), order(10)], False), instruments=(X, Y), unit="ns")
    result = replay_log(log, gate(0, bar_ns="10s"), sample_ns=7 * S, compiled=False)
    assert len(result.equity()) == 5 and result.rows["observed"].tolist() == [19_800]
    assert result.state.counts[Counter.NEXT_TURN] > 30 * S


# ---------------------------------------------------------------------- live, words, refusals


def test_a_live_session_says_var_in_money():
    session = Session.create(gate(198), [X, Y], ["A"], compiled=False)
    for place, row in enumerate(bars()):
        if row["kind"] == "clock":
            assert session.tick(place * S) == []
        else:
            assert session.process_price(ts=place * S, instrument=row["instrument"], price=row["price"]) == []
    asked = {"account": "A", "instrument": "X", "side": "B", "price": 99}
    [one] = session.process_order(ts=10 * S, qty=11, **asked)
    assert (one.rule, one.observed, one.limit, one.headroom) == ("var", 217.8, 198, -19.8)
    assert session.process_order(ts=11 * S, qty=10, order_id="a", **asked) == []
    session.process_trade(ts=12 * S, qty=10, order_id="a", **asked)
    [used] = session.status().utilization().to_dict("records")
    assert (used["key"], used["observed"], used["limit"], used["headroom"]) == ("A", 198, 198, 0)


def test_explain_says_var_in_money_and_what_would_have_passed():
    result = replay_log(stream(*bars(), order(15)), gate(198), compiled=False)
    text = result.explain(9)
    assert "refused by var (observed 297 USD, limit 198 USD)" in text
    [one] = text.objections
    assert (one.observed, one.limit, one.next_quantity, one.next_ts) == (297, 198, "10", None)


TOML = """
[[rules]]
id = "var"
type = "var_limit"
scope = "desk"
params = { limit = "1000.50", confidence = 0.95, bar_ns = "1d", warmup = 20, on_warmup = "alert" }
"""


def test_sentence_and_toml():
    rules = RuleSet.from_dict(tomllib.loads(TOML))
    same = RuleSet(
        [
            Rule(
                "var",
                VarLimit(limit="1000.5", confidence="0.95", bar_ns=86_400 * S, warmup=20, on_warmup="alert"),
                scope="desk",
            )
        ]
    )
    assert rules == same == RuleSet.from_dict(rules.to_dict())
    assert str(rules).startswith("1. var: a VaR at 95 % of at most ")
    assert "over 1 of its bars of 1 d, decay 0.94, with working orders of its side" in str(rules)
    other = VarLimit(limit=5, z="1.65", breach="reach", include_open=False, hedges=False)
    assert "a VaR of 1.65 deviations of less than 5 in money after the order over 1 of its bars that CLOCK" in str(
        RuleSet([Rule("v", other)])
    )


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"confidence": 95}, "confidence=95 is not between 0.5 and 1; use 0.99 for 99 %"),
        ({"confidence": 0.5}, "confidence=0.5 is not between 0.5 and 1"),
        ({"z": 0}, "z=0 is not a number above 0"),
        ({"decay": 1}, "decay=1 is not between 0 and 1"),
        ({"decay": "0.9400001"}, "with at most six decimals"),
        ({"horizon": 0}, "horizon=0 is not above zero"),
        ({"warmup": 0}, "warmup=0 is not above zero"),
        ({"rebuild": 0}, "rebuild=0 is not above zero"),
        ({"bar_ns": 0}, "bar_ns=0 is not above zero"),
        ({"bar_ns": "0s"}, "bar_ns='0s' is not above zero"),
        ({"lambda": 0.94}, "rule type 'var_limit' has no parameter 'lambda'"),
        ({"on_warmup": "wait"}, "on_warmup='wait' is not one of 'reject', 'alert', 'allow'"),
    ],
)
def test_what_does_not_fit_is_refused_by_a_sentence(params, sentence):
    with pytest.raises(InputError) as error:
        RuleSet.from_dict({"rules": [{"id": "v", "type": "var_limit", "params": {"limit": 1, **params}}]})
    assert sentence in str(error.value)


def test_a_scope_of_instruments_is_refused():
    with pytest.raises(InputError, match="scope='instrument' does not fit the type 'var_limit'"):
        gate(scope="instrument")


def test_currencies_and_sizes_that_do_not_fit_are_refused(monkeypatch):
    both = (X, Instrument("E", currency="EUR"))
    mixed = stream(*bars(), order(1), order(1, "E"), instruments=(*both, Y), currencies="many")
    with pytest.raises(InputError, match=r"rule 'var' \(var_limit\) has a limit in money without a currency \(limit\)"):
        replay_log(mixed, gate(), compiled=False)
    monkeypatch.setattr(covariance_state, "MAX_FLOATS", 15)
    with pytest.raises(InputError, match="a covariance of 2 instruments for 1 keys needs 16 floats; at most 15 fit"):
        replay_log(stream(*bars(), order(1)), gate(), compiled=False)
