"""Random scenarios: few accounts and instruments, many coincidences, times that fall on the edges of windows."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

from naive.rules.base import AMOUNTS

from riskkit.replay.rules import catalogue  # noqa: F401  (importing it registers its types)
from riskkit.replay.rules.money import ADDED
from riskkit.replay.rules.rule import Rule, rule_type
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.scopes import WIRE
from riskkit.rules import VarLimit

START = 1_709_649_000_000_000_000  # 2024-03-05 14:30 UTC
WINDOW = 10
HOUR = 3_600_000_000_000
TTL = 3 * WINDOW

INSTRUMENTS = [
    {"id": "X", "tick": "0.01", "lot": "1", "delta": "0.5"},
    {"id": "Y", "tick": "0.5", "lot": "0.1", "multiplier": "10", "product": "P", "delta": "-0.25"},
    {"id": "Z", "tick": "1", "lot": "2", "product": "P", "negative_price": True},
]
UNLISTED = "W"
ACCOUNTS = ("account", "trader", "desk", "firm", "global")  # scopes that have an equity


def scenario(
    seed: int, events: int = 80, types: list[str] | None = None, without: Collection[str] = (), narrow: bool = False,
    weights: Mapping[str, float] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A scenario of a few random rules over a random stream, which has no events of the kinds `without`.

    `weights` are those of kinds that come more or less often.
    A `narrow` stream is of one position, and most of its commands are pauses, so that events meet more often.
    """
    draw = random.Random(seed)
    chosen = types or draw.sample(sorted(PARAMETERS), draw.randint(1, 4))
    rules = [rule(draw, name, place) for place, name in enumerate(chosen)]
    stream = Stream(draw, slow=draw.random() < 0.4, without=without, narrow=narrow)
    stream.kinds |= (CREDIT if "credit" in chosen and not without else {}) | (weights or {})
    return {
        "id": f"random-{seed}",
        "mode": draw.choice(["shadow", "enforce"]),
        "instruments": INSTRUMENTS,
        "accounts": [
            {
                "id": "A",
                "cash": {"USD": str(draw.randint(0, 3000))},
                "trader": "T",
                "desk": "E",
                "firm": "F",
                "positions": {"X": "3", "Y": "-0.5"},
            },
            {"id": "B", "cash": {"USD": "2000"}, "trader": "U", "desk": "D", "firm": "F"},
            {"id": "C", "trader": "T", "desk": "D", "firm": "F", "positions": {"X": "-2"}},
        ],
        "rules": rules,
        "events": [stream.event() for _ in range(events)],
    }


def with_changes(given: dict[str, Any], seed: int, often: int = 3) -> dict[str, Any]:
    """A scenario in which rules are added, removed and changed on the way."""
    draw = random.Random(seed)
    events, rules = list(given["events"]), given["rules"]
    places = sorted(draw.sample(range(1, len(events)), often))
    known = {one["id"]: one for one in rules}
    for number, place in enumerate(places):
        rules = [_changed(draw, one) for one in rules if draw.random() < 0.8]
        gone = [one for name, one in known.items() if name not in {other["id"] for other in rules}]
        rules += [one for one in gone if draw.random() < 0.3]
        if draw.random() < 0.5 and "quantum" not in given:
            rules.append(rule(draw, draw.choice(sorted(PARAMETERS)), 10 + number))
        known |= {one["id"]: one for one in rules}
        latest = max(event["ts"] for event in events[: place + number])
        events.insert(place + number, {"ts": latest, "kind": "rules", "rules": rules})
    return {**given, "events": events}


def with_stops(given: dict[str, Any], seed: int, often: float = 0.4) -> dict[str, Any]:
    """A scenario in which some orders wait for a trade at a stop, fixed or behind the trades, and modifies move them."""
    draw = random.Random(seed)
    events = [dict(event) for event in given["events"]]
    for event in events:
        kind = event["kind"]
        for one in event["orders"] if kind == "order_list" else [event] if kind in ("order", "modify") else []:
            if draw.random() > often:
                continue
            limited = kind != "modify" and one.get("price") is not None
            trails = not limited and draw.random() < 0.5
            aim = {"offset": draw.choice(["1", "2"])} if trails else {"stop": draw.choice(["98", "100", "101", "103"])}
            if one.get("type") == "peg":
                del one["reference"], one["offset"]
            one |= aim if kind == "modify" else {"type": _type(limited, trails), **aim}
    return {**given, "events": events}


def with_prices(given: dict[str, Any], *kinds: str) -> dict[str, Any]:
    """A scenario that begins with prices of these kinds and ends with an error, by which some rule can be judged."""
    known = {"ts": given["events"][0]["ts"], "instrument": "X", "price": "10"}
    error = {"kind": "error", "ts": given["events"][-1]["ts"], "account": "A"}
    return {**given, "events": [*({"kind": kind, **known} for kind in kinds), *given["events"], error]}


def _type(limited: bool, trails: bool) -> str:
    return "stop_limit" if limited else "trailing" if trails else "stop"


def _changed(draw: random.Random, old: dict[str, Any]) -> dict[str, Any]:
    """The same rule, with other amounts, or with other parameters altogether."""
    new = {name: value for name, value in rule(draw, old["type"], 0).items() if name != "netting"}
    new |= {name: old[name] for name in ("id", "scope", "netting") if name in old}
    if old["type"] in ("drawdown", "breaker") or draw.random() < 0.2:  # with a scope that not all their parameters have
        return old
    if draw.random() < 0.3 and "currency" not in old:
        return new
    amounts = {name: new["params"][name] for name in AMOUNTS & old["params"].keys() & new["params"].keys()}
    return {**old, "params": {**old["params"], **amounts}}


# ---------------------------------------------------------------------- rules


def rule(draw: random.Random, name: str, place: int) -> dict[str, Any]:
    """One rule of a type with random parameters."""
    params = PARAMETERS[name](draw)
    scopes = [one for one in rule_type(name).scopes if "pct" not in params or one in ACCOUNTS or name != "drawdown"]
    if name in BREACH and draw.random() < 0.4:
        params["breach"] = draw.choice(["exceed", "reach"])
    action = draw.choice(["REJECT", "REJECT", "PAUSE", "PAUSE", "ALERT", "HALT", "REDUCE_ONLY"])
    if action == "REJECT" and (params.get("of") == "cancels" or name in SURVEILLANCE):  # a cancel is never refused
        action = "ALERT"
    if params.get("half_open") and action in ("REJECT", "ALERT"):  # there is no pause to end
        action = "PAUSE"
    if name == "pace":  # what is too fast waits
        action = "QUEUE"
    scope = draw.choice(scopes)
    if name == "breaker" and scope == "strategy":
        params["working"] = False
    if scope == "smp_id":  # of which nobody is paused
        action = "ALERT" if action == "ALERT" else "REJECT"
    added = (
        name != "netting_set" and "exposure" in rule_type(name).reads and scope in ACCOUNTS[1:] and draw.random() < 0.5
    )
    return {
        "id": f"{name}-{place}",
        "type": name,
        "scope": WIRE.get(scope, scope),
        **({"netting": "none"} if added else {}),
        "action": action,
        "severity": "WARN",
        "params": params,
    }


def refusing_rule(name: str) -> Rule:
    """A rule of a type that refuses what breaches it, the same each time."""
    if name == "var_limit":  # in floats, so no part of random scenarios
        return Rule(name, VarLimit(limit=10, bar_ns="1s"))
    scopes, own = rule_type(name).scopes, rule_type(name).action  # QUEUE refuses what finds its queue full
    scope = "account" if "account" in scopes else scopes[0]
    action = own if own == "QUEUE" or name in SURVEILLANCE else "REJECT"
    plain = {**rule(random.Random(name), name, 0), "scope": scope, "action": action}
    plain.pop("netting", None)
    plain["params"] = {key: value for key, value in plain["params"].items() if key != "breach"}
    return RuleSet.from_dict({"rules": [plain]})[0]


def _rate(draw: random.Random) -> dict[str, Any]:
    kinds = draw.choice([None, ["order"], ["modify", "cancel"], ["order", "order_list", "modify", "cancel"]])
    params = {
        "limit": draw.randint(0, 5),
        "window": draw.choice(["sliding", "fixed_from_first", "calendar_day"]),
        "window_ns": draw.choice([WINDOW, 3 * WINDOW, 2 * HOUR]),
        "count": draw.choice(["accepted", "attempted"]),
        "reset_on_trip": draw.random() < 0.3,
        **_day(draw),
    }
    if draw.random() < 0.3:
        params["bucket_ns"] = params["window_ns"] // 4 + 1
    return {**params, **({"kinds": kinds} if kinds else {})}


def _margin(draw: random.Random) -> dict[str, Any]:
    """A model of margin and its data; some do not have every instrument."""
    rows = [["200", "0.1"], ["1500", "0.4"], ["4000", "1"]]
    arrays = {"X": ["40", "-100", "70.5", "0"], "Y": ["-900", "1000.25", "300", "-50"]}
    return draw.choice(
        [
            {"model": "reg_t"},
            {"model": "linear_tier", "base": "0.05", "per_unit": "0.05"},
            {"model": "brackets", "table": draw.choice([rows, {"X": rows, "*": rows[1:]}, {"X": rows}])},
            {"model": "scan", "arrays": arrays, "sign": draw.choice(["gain", "loss"])},
            {"model": "portfolio", **_portfolio(draw)},
            {"model": "scan", "arrays": {**arrays, "Z": ["7", "-20", "3", "5"]}, **_charges(draw)},
        ]
    )


def _charges(draw: random.Random) -> dict[str, Any]:
    """Combined commodities, spreads inside and between them, and minimums."""
    inside = [{"legs": {"Y": "0.4", "Z": "2"}, "charge": "35.5"}, {"legs": {"Z": "2", "Y": "-1"}, "charge": "4"}]
    between = [{"legs": {"X": "1", "Y": "0.3"}, "credit": "0.6"}, {"legs": {"X": "-1", "Z": "2"}, "credit": "0.333"}]
    return {
        "commodities": {"p": ["Y", "Z"], "x": ["X"]},
        **({"intra_spread": inside} if draw.random() < 0.7 else {}),
        **({"inter_spread": between[: draw.choice([1, 2])]} if draw.random() < 0.7 else {}),
        **({"short_option_minimum": {"X": "30", "Z": "0.5"}} if draw.random() < 0.6 else {}),
    }


def _portfolio(draw: random.Random) -> dict[str, Any]:
    """Ten points of two classes, or a house model of 20 scenarios."""
    if draw.random() < 0.5:
        option = {"arrays": {"Y": [str(13 * k % 41 - 20) for k in range(10)]}, "commodities": {"c": ["X", "Y"]}}
        ranges = {"ranges": {"X": ["-0.08", "0.06"], "*": ["-0.1", "0.1"]}}
        return {**draw.choice([option, {}]), **draw.choice([ranges, {}]), "sign": "gain"}
    arrays = {label: [str((17 * k + step) % 39 - 19) for k in range(20)] for label, step in (("X", 3), ("Y", 11))}
    slow = {"adv": {"X": "2", "Y": "1"}, "half_spread": {"X": "3.5", "Z": "2"}, "x": draw.choice(["0.5", "1"])}
    return {
        "arrays": arrays,
        "method": draw.choice(["var", "es"]),
        "confidence": draw.choice(["0.95", "0.9", "0.6"]),
        **draw.choice([{}, {"factor": "3"}, {"factor": "1.5"}]),
        **draw.choice([{}, {"rate": "0.2", "above": "0.5"}, {"rate": "0.1"}]),
        **draw.choice([{}, slow]),
    }


def _scenarios(draw: random.Random) -> dict[str, Any]:
    """Four scenarios as arrays or as a ladder; some do not have every instrument."""
    ladder = {"sensitivities": {"X": ["0.5", "0.03", "4"], "Y": ["-1", "0", "7.5"]}}
    ladder |= {"spot_moves": ["-9.5", "20"], "vol_moves": ["-2", "3"]}
    return draw.choice([{"arrays": {"X": ["40", "-100", "70.5", "0"], "Y": ["-90", "100.25", "30", "-5"]}}, ladder])


def _day(draw: random.Random) -> dict[str, Any]:
    return {"tz": draw.choice(["UTC", "America/New_York", "Asia/Tokyo"]), "roll_hour": draw.choice([0, 10, 17])}


def _missing(draw: random.Random) -> dict[str, Any]:
    return {"on_missing_price": draw.choice(["reject", "alert", "allow"])}


def _working(draw: random.Random) -> dict[str, Any]:
    return {"working": draw.random() < 0.6}


def _aged(draw: random.Random) -> dict[str, Any]:
    return {"max_mark_age_ns": draw.choice([WINDOW, 10 * WINDOW])} if draw.random() < 0.3 else {}


def _caps(draw: random.Random, limit: Any, notional: Any) -> dict[str, Any]:
    both = {"limit": str(limit), "notional": str(notional)}
    return draw.choice([both, {"limit": both["limit"]}, {"notional": both["notional"]}])


def _lock(draw: random.Random) -> dict[str, Any]:
    params: dict[str, Any] = {"lookback_ns": draw.choice([WINDOW, 2 * HOUR]), "per_side": draw.random() < 0.5}
    if draw.random() < 0.3:
        params["unlock_at"] = draw.choice(["14:30", "15:00", "00:00"])
    else:
        params["stop_ns"] = draw.choice([WINDOW, HOUR])
    if draw.random() < 0.4:
        params["candle_ns"] = draw.choice([5, 7, HOUR])
    return params


SURVEILLANCE = {"layering", "spoofing", "cancel_burst", "quote_stuffing", "momentum_ignition"}  # they refuse nothing
PARAMETERS = {
    "order_rate": _rate,
    "pace": lambda d: {
        "limit": d.randint(1, 3),
        **d.choice([{"window_ns": WINDOW}, {"window_ns": 2 * HOUR}, {"refill_ns": d.choice([3, WINDOW, HOUR])}]),
        **d.choice([{}, {"max_queue": d.randint(0, 3)}]),
        **d.choice([{}, {"kinds": ["order", "order_list", "modify"]}]),
    },
    "message_level": lambda d: {
        "reject_mps": d.randint(1, 4) * 10**8,
        "logout_mps": d.randint(4, 7) * 10**8,
        "window_ns": WINDOW,
    },
    "volume_cap": lambda d: {
        **_caps(d, d.randint(2, 12), d.choice([500, 2000])),
        "measure": d.choice(["traded", "ordered"]),
        **_working(d),
        **_day(d),
        **_missing(d),
    },
    "max_order_qty": lambda d: {"limit": d.choice(["2", "3", "1.5"])},
    "min_order_qty": lambda d: {"limit": d.choice(["1", "2", "1.5"])},
    "max_order_notional": lambda d: {"limit": str(d.choice([200, 1000, 3000])), **_missing(d)},
    "min_order_notional": lambda d: {
        "limit": str(d.choice([100, 200])),
        "exempt_reduce_only": d.random() < 0.5,
        **_missing(d),
    },
    "lot_tick": lambda d: {},
    "known_instrument": lambda d: d.choice([{}, {"instruments": ["X", "W"]}, {"restricted": ["Y"]}]),
    "price_collar": lambda d: {
        **d.choice([{"pct": "0.01"}, {"pct": "0.02"}, {"ticks": 2}, {"pct": "0.05", "ticks": 100}]),
        **d.choice([{}, {"reference": d.choice(["last", "mid", "touch", "own_fill", "close"])}]),
        **d.choice([{}, {"max_age_ns": d.choice([WINDOW, HOUR])}]),
        **_missing(d),
    },
    "price_band": lambda d: {
        **d.choice(
            [{"variation": "1"}, {"pct": "0.01"}, {"up": "1.01", "down": "0.99"}, {"variation": "2", "up": "1.01"}]
        ),
        **d.choice([{}, {"sides": "aggressive"}, {"sides": "by_side", "ask_up": "1.02", "ask_down": "0.995"}]),
        **d.choice(
            [
                {"reference": d.choice(["mean", "vwap"]), "window_ns": d.choice([3 * WINDOW, HOUR])},
                {"reference": d.choice(["last", "mid", "touch", "own_fill", "close"])},
                {"reference": "close", "max_age_ns": d.choice([WINDOW, HOUR])},
            ]
        ),
        **_missing(d),
    },
    "velocity": lambda d: {
        "max_move": d.choice(["1", "2"]),
        "window_ns": WINDOW,
        **d.choice([{}, {"long_max_move": "3", "long_window_ns": d.choice([3 * WINDOW, HOUR])}]),
        "pause_ns": d.choice([0, WINDOW]),
    },
    "luld": lambda d: {
        "tier": d.randint(1, 2),
        "double_open": d.random() < 0.3,
        **d.choice([{}, {"opens": "09:30", "closes": "10:00"}]),
        **_missing(d),
    },
    "market_breaker": lambda d: {
        "index": "X",
        **d.choice([{}, {"level_1": "0.02", "level_2": "0.04", "level_3": "0.06"}]),
        "halt_ns": d.choice([WINDOW, HOUR]),
        "last_halt": d.choice(["09:30", "15:25"]),
    },
    "duplicate": lambda d: {"limit": d.randint(0, 3), **d.choice([{}, {"window_ns": WINDOW}])},
    "self_trade": lambda d: {},
    "self_match": lambda d: {
        "mode": d.choice(
            ["cancel_resting", "cancel_resting", "cancel_aggressing", "cancel_both", "decrement", "decrement"]
        )
    },
    "position_limit": lambda d: {
        **_caps(d, d.randint(1, 8), d.choice([300, 1500])),
        "include_open": d.random() < 0.7,
        "measure": d.choice(["net", "gross"]),
        **_missing(d),
    },
    "active_orders": lambda d: {"limit": d.randint(0, 4)},
    "cash": lambda d: {**_missing(d), **d.choice([{}, {"fee": "0.001"}])},
    "reserve_price": lambda d: {},
    "long_only": lambda d: _working(d),
    "reduce_only": lambda d: {},
    "trading_state": lambda d: {},
    "drawdown": lambda d: {
        **d.choice([{"pct": "0.01"}, {"pct": "0.2"}, {"money": "20"}, {"money": "9"}, {"pct": "0.05", "money": "9"}]),
        "trailing": d.random() < 0.5,
    },
    "daily_loss": lambda d: {
        "limit": str(d.randint(1, 60)),
        "measure": d.choice(["total", "realised"]),
        **_day(d),
    },
    "consecutive_losses": lambda d: {
        "limit": d.randint(1, 3),
        "of": d.choice(["closed_trades", "closing_fills", "both"]),
    },
    "consecutive_errors": lambda d: {
        "limit": d.randint(1, 3),
        **d.choice([{}, {"open_ns": WINDOW}, {"open_ns": WINDOW, "half_open": True, "probes": d.randint(1, 3)}]),
        **({"half_open": True, "open_ns": WINDOW, "probe_timeout_ns": WINDOW // 2} if d.random() < 0.3 else {}),
    },
    "repeat_exec_throttle": lambda d: {"limit": d.randint(1, 3)},
    "mmp": lambda d: {
        **d.choice(
            [
                {"qty_limit": d.choice(["2", "5"])},
                {"delta_limit": "1.5"},
                {"qty_limit": "5", "delta_limit": "2"},
                {"vega_limit": d.choice(["3", "5"]), "tagged": d.random() < 0.5},
            ]
        ),
        "window": d.choice(["sliding", "fixed_from_first"]),
        "window_ns": d.choice([WINDOW, HOUR]),
        "freeze_ns": d.choice([0, WINDOW, HOUR]),
    },
    "stoploss_guard": lambda d: {"trade_limit": d.randint(1, 3), **_lock(d)},
    "cooldown": _lock,
    "low_profit": lambda d: {"trade_limit": d.randint(1, 3), "required": d.choice(["-0.1", "0", "0.1"]), **_lock(d)},
    "dd_trades": lambda d: {"trade_limit": d.randint(1, 3), "max_dd": d.choice(["0.1", "0.2"]), **_lock(d)},
    "dd_equity": lambda d: {"trade_limit": d.randint(1, 3), "max_dd": d.choice(["0.001", "0.004", "0.01"]), **_lock(d)},
    "order_to_trade": lambda d: {
        "limit": d.choice(["1", "2.5", "4"]),
        "window_ns": d.choice([WINDOW, HOUR]),
        "of": d.choice(["messages", "cancels"]),
        "least": d.randint(0, 3),
    },
    "unexecuted_orders": lambda d: {"limit": d.choice(["1", "2.5", "4"]), **_day(d)},
    "unexecuted_volume": lambda d: {"limit": d.choice(["0.5", "2.5", "8"]), **_day(d)},
    "session_hours": lambda d: {  # the sessions of exchanges: in a file of their own
        "calendar": "24/7",
        **d.choice([{}, {"preopen": ["limit"], "continuous": ["limit", "market", "stop"]}, {"auction": []}]),
    },
    "layering": lambda d: {
        "prices": d.randint(1, 2),
        "share": d.choice(["0.3", "0.5", "1"]),
        "window_ns": d.choice([WINDOW, 10 * WINDOW]),
    },
    "spoofing": lambda d: {
        "multiple": d.choice(["0.5", "1", "2"]),
        "share": d.choice(["0.3", "0.5", "1"]),
        "window_ns": d.choice([WINDOW, 10 * WINDOW]),
    },
    "cancel_burst": lambda d: {"limit": d.randint(1, 3), "window_ns": d.choice([WINDOW, 3 * WINDOW, HOUR])},
    "quote_stuffing": lambda d: {
        "messages": d.randint(1, 5),
        "window_ns": d.choice([3 * WINDOW, 10 * WINDOW, HOUR]),
        "fills": d.choice(["0.1", "0.4", "1"]),
        "cancels": d.choice(["0", "0.2", "0.5"]),
        "lifetime_ns": d.choice([1, WINDOW, 3 * WINDOW]),
    },
    "momentum_ignition": lambda d: {
        "move": d.choice([0, 1, 100]),
        "share": d.choice(["0.2", "0.5", "1"]),
        "window_ns": d.choice([3 * WINDOW, HOUR]),
        "reversal": d.choice(["0.3", "0.5", "1"]),
        "reversal_ns": d.choice([WINDOW, 10 * WINDOW, HOUR]),
    },
    "credit": lambda d: {
        "limit": str(d.choice([300, 700, 1500])),
        "ttl_ns": TTL,
        **_missing(d),
    },
    "order_to_parent": lambda d: {"limit": d.choice(["0.5", "1", "1.5"])},
    "max_exposure": lambda d: {
        "limit": str(d.choice([300, 800, 2000])),
        "measure": d.choice(["gross", "net"]),
        **_working(d),
        **_missing(d),
        **_aged(d),
    },
    "netting_set": lambda d: {
        "netting_set": d.choice(
            [{"s": {"X": "1", "Y": "0.5"}}, {"s": {"X": "-0.1", "Y": "1"}}, {"s": {"X": "2"}, "t": {"Z": "1"}}]
        ),
        **d.choice([{"limit": "3.5"}, {"limit": "2", "exposure": "900"}, {"exposure": "300"}, {"exposure": "1500"}]),
        **_working(d),
        **_missing(d),
    },
    "concentration": lambda d: {
        "limit": d.choice(["0.5", "0.8"]),
        "above": d.choice(["0", "400"]),
        **_working(d),
        **_missing(d),
        **_aged(d),
    },
    "leverage": lambda d: {"limit": d.choice(["0.2", "0.5", "1"]), **_working(d), **_missing(d), **_aged(d)},
    "initial_margin": lambda d: {**_margin(d), **_missing(d)},
    "maintenance_margin": lambda d: _margin(d),
    "scenario_limit": lambda d: {
        **_scenarios(d),
        **d.choice([{"limit": "400"}, {"limit": "1000.5"}, {"cell_limits": ["100", "700.25", "0", "3000"]}]),
        **_missing(d),
    },
    "breaker": lambda d: {
        **d.choice([{"daily_loss": "3.005"}, {"open_positions": 1}, {"open_positions": 2, "daily_loss": "9.005"}]),
        **d.choice([{}, {"consecutive_errors": 2}]),
        **_working(d),
        **_day(d),
    },
}
WITHOUT_BREACH = (
    "lot_tick",
    "known_instrument",
    "self_trade",
    "long_only",
    "reduce_only",
    "trading_state",
    "cooldown",
    "luld",
    "market_breaker",
    "self_match",
    "layering",
    "spoofing",
    "quote_stuffing",
    "momentum_ignition",
    "session_hours",
    "pace",
)
WITHOUT_BREACH += ("breaker", "cash", "initial_margin", "maintenance_margin", "scenario_limit")
BREACH = PARAMETERS.keys() - set(WITHOUT_BREACH)


# ---------------------------------------------------------------------- events


class Stream:
    """Draws one event after the other, remembering the orders that it has named."""

    def __init__(self, draw: random.Random, slow: bool, without: Collection[str] = (), narrow: bool = False) -> None:
        self.draw = draw
        self.narrow = narrow
        self.kinds = {kind: weight for kind, weight in KINDS.items() if kind not in without}
        self.slow = slow
        self.ts = START
        self.named: list[dict[str, Any]] = []
        self.count = 0
        self.reserved: list[tuple[str, str]] = []
        self.traded: dict[tuple[Any, ...], dict[str, str]] = {}  # contents of the fills with an id

    def event(self) -> dict[str, Any]:
        draw = self.draw
        self.ts += draw.choice([0, 0, 1, 1, 2, WINDOW - 1, WINDOW, WINDOW + 1])
        if self.slow:
            self.ts += draw.choice([0, 0, HOUR // 2, HOUR - 1, HOUR, 5 * HOUR])
        kind = draw.choices(list(self.kinds), list(self.kinds.values()))[0]
        kind = "order" if kind in ("bust", "correct") and not self.traded else kind
        event = getattr(self, kind)()
        late = draw.random() < 0.02
        return {"ts": self.ts - draw.choice([1, 5]) if late else self.ts, "kind": kind, **event}

    def account(self) -> str:
        return "A" if self.narrow else self.draw.choice("AAABBC")

    def message(self) -> dict[str, Any]:
        draw = self.draw
        instrument = draw.choice(["X", "X", "X", "Y", "Z", UNLISTED] if draw.random() < 0.3 else ["X", "Y"])
        instrument = "X" if self.narrow else instrument
        event = {"account": self.account(), "instrument": instrument, "side": draw.choice("BS")}
        return {**event, **self.amounts(instrument)}

    def amounts(self, instrument: str) -> dict[str, Any]:
        draw = self.draw
        qty = {"X": draw.randint(1, 4), "Y": draw.randint(1, 9) / 10, "Z": 2 * draw.randint(1, 2)}.get(instrument, 1)
        price = {"Y": draw.choice(["100", "100.5", "99.5"])}.get(instrument, draw.choice(["99", "100", "101", "102"]))
        if draw.random() < 0.04:
            qty = draw.choice([0, 1.55, -1])
        if draw.random() < 0.06:
            price = draw.choice(["0", "-1", "100.255", "NaN"])
        return {"qty": str(qty), **({} if draw.random() < 0.2 else {"price": price})}

    def order(self) -> dict[str, Any]:
        draw = self.draw
        event = self.message()
        parent = self.known()
        if parent is not None and draw.random() < 0.2:
            event |= {name: parent[name] for name in ("account", "instrument", "side")}
            event |= {**self.amounts(event["instrument"]), "parent": parent["order_id"]}
        if draw.random() < 0.75:
            self.count += 1
            event["order_id"] = f"o{self.count}"
            self.named.append(event)
        if draw.random() < 0.2:
            event["reduce_only"] = True
        if self.count % 4 == 1:
            event["dnr"] = True
        if self.count % 5 < 4:
            event["mmp"] = self.count % 2 == 0
            event["tif"] = ("GTC", "IOC", "DAY", "FOK", "GTC", "GTC", "GTC")[self.count % 7]
            event["smp_id"] = ("7", "team")[self.count % 2]
        if self.count % 3 == 1:
            event["display"] = ("1", "2", "3", "0.5", "0", "-1", "x")[self.count % 7]
        if self.count % 6 == 5:
            event["quote_qty"] = ("99", "100", "204", "301.5", "12.3", "0")[self.count // 6 % 6]
            del event["qty"]
        if self.count % 5 == 4 and event.get("price", "100") in ("99", "100", "101", "102"):
            event |= {"type": "peg", "reference": ("touch", "primary", "mid", "last")[self.count // 5 % 4]}
            half = "2" if event["instrument"] == "Z" else "0.5"  # whole ticks
            event["offset"] = ("0", "1", "-1", "-200", half)[self.count // 5 % 5]
        if self.count % 7 == 3:
            event["close_position"] = True
            for name in {"qty", "quote_qty", "display"} & event.keys():
                del event[name]
        if draw.random() < 0.2 and event["side"] == "B":
            event["reserve"] = "101"
        if draw.random() < 0.5:
            event["strategy"] = draw.choice(["s1", "s2"])
        if draw.random() < 0.5:
            event["session"] = draw.choice(["S1", "S2"])
        return event

    def order_list(self) -> dict[str, Any]:
        first = self.message()
        orders = [
            {"side": self.draw.choice("BS"), **self.amounts(first["instrument"])}
            for _ in range(self.draw.randint(1, 4))
        ]
        return {
            "account": first["account"],
            "instrument": first["instrument"],
            "orders": orders,
            "children": len(orders),
        }

    def known(self) -> dict[str, Any] | None:
        """One of the last orders that have a name."""
        return self.draw.choice(self.named[-6:]) if self.named else None

    def modify(self) -> dict[str, Any]:
        named = self.known()
        if named is None:
            event = self.message()
            return {**event, "order_id": f"unknown {event['instrument']} {event['side']}"}
        event = {name: named[name] for name in ("account", "instrument", "side", "order_id")}
        event |= self.amounts(named["instrument"])
        if event.get("price") == "NaN":
            del event["price"]
        if self.draw.random() < 0.3:
            event["qty"] = "0"
        if self.draw.random() < 0.3:
            event["children"] = self.draw.randint(1, 3)
        return event

    def cancel(self) -> dict[str, Any]:
        named = self.known()
        if named is None or self.draw.random() < 0.05:
            return {"account": "A", "instrument": "X", "order_id": "unknown X"}
        waits = {"cancel_frees": "confirmed"} if self.count % 3 == 0 else {}
        return {**{name: named[name] for name in ("account", "instrument", "order_id")}, **waits}

    def fill(self) -> dict[str, Any]:
        draw = self.draw
        named = self.known() if draw.random() < 0.8 else None
        event = {name: named[name] for name in ("account", "instrument", "side", "order_id")} if named else {}
        event = event or {"account": self.account(), "instrument": draw.choice("XY"), "side": draw.choice("BS")}
        lot = {"Y": "0.1", "Z": "2"}.get(event["instrument"], "1")
        event |= {
            "qty": lot if draw.random() < 0.6 else str(2 * float(lot)),
            "price": draw.choice(["99", "100", "101"]),
        }
        if draw.random() < 0.3:
            event["trade_id"] = f"t{draw.randint(1, 9)}"
            key = (event["account"], event["instrument"], event["side"], event["trade_id"], self.ts // (24 * HOUR))
            same = {name: event[name] for name in ("qty", "price", "order_id") if name in event}
            event |= self.traded.setdefault(key, same)
        return event

    def answer(self) -> dict[str, Any]:
        named = self.known()
        if named is None:
            return {"account": "A", "instrument": "X", "order_id": "unknown X"}
        return {name: named[name] for name in ("account", "instrument", "order_id")}

    reject = expire = cancel_reject = modify_reject = answer

    def bust(self) -> dict[str, Any]:
        account, instrument, side, trade_id, _ = self.draw.choice(list(self.traded)[-6:])
        return {"account": account, "instrument": instrument, "side": side, "trade_id": trade_id}

    def correct(self) -> dict[str, Any]:
        event = self.bust()
        lot = {"Y": "0.1", "Z": "2"}.get(event["instrument"], "1")
        qty = self.draw.choice([lot, str(2 * float(lot))])
        return {**event, "qty": qty, "price": self.draw.choice(["98", "100", "102"])}

    def price(self) -> dict[str, Any]:
        draw = self.draw
        event: dict[str, Any] = {"instrument": draw.choice("XXYZ")}
        if draw.random() < 0.7:
            event["price"] = draw.choice(["95", "98", "100", "101", "103"])
        if draw.random() < 0.4:
            event |= {"bid": "99", "ask": "102"}
        return event if len(event) > 1 else {**event, "price": "100"}

    def close(self) -> dict[str, Any]:
        return {"instrument": self.draw.choice("XXYZ"), "price": self.draw.choice(["100", "102", "2"])}

    def dividend(self) -> dict[str, Any]:
        return {
            "instrument": self.draw.choice("XXYZ"),
            "amount": self.draw.choice(["0.009", "0.01", "0.505", "1", "2.5"]),
        }

    def funding(self) -> dict[str, Any]:
        return {"instrument": self.draw.choice("XXYZ"), "rate": self.draw.choice(["0.01", "-0.005", "0.0001"])}

    def expiry(self) -> dict[str, Any]:
        return {"instrument": self.draw.choice("XXYZ"), "price": self.draw.choice(["97", "100", "104"])}

    def split(self) -> dict[str, Any]:
        mode = self.draw.choice([{}, {}, {"orders": "all"}, {"orders": "cancel"}, {"orders": "none"}])
        return {"instrument": self.draw.choice("XXYZ"), "ratio": self.draw.choice(["3/2", "2/1", "5/4", "1/2"]), **mode}

    def multiplier(self) -> dict[str, Any]:
        return {"instrument": self.draw.choice("XXYZ"), "multiplier": self.draw.choice(["1", "2", "2.5", "0.5"])}

    def phase(self) -> dict[str, Any]:
        phases = ["continuous", "continuous", "preopen", "auction", "closed"]
        return {"instrument": self.draw.choice("XXYZ"), "phase": self.draw.choice(phases)}

    def roll(self) -> dict[str, Any]:
        old, new = self.draw.choice(["XY", "ZX", "ZY"])
        prices = {f"{name}_price": self.draw.choice(["98", "100", "103"]) for name in ("from", "to")}
        return {"from": old, "to": new, **prices}

    def adjust(self) -> dict[str, Any]:
        label = self.draw.choice("XXYZ")
        sizes = {"X": ["-2", "1", "3"], "Y": ["-0.5", "0.1"], "Z": ["2", "-4"]}
        price = {"price": self.draw.choice(["98", "100", "103"])} if self.draw.random() < 0.6 else {}
        return {"account": self.account(), "instrument": label, "qty": self.draw.choice(sizes[label]), **price}

    def transfer(self) -> dict[str, Any]:
        given = self.adjust()
        first, second = self.draw.sample(["A", "B"], 2)
        price = {"price": given.get("price", "100")}
        return {
            "from": first,
            "to": second,
            "instrument": given["instrument"],
            "qty": given["qty"].removeprefix("-"),
            **price,
        }

    def snapshot(self) -> dict[str, Any]:
        """What a venue says of an account: mostly near what the record has, with an order that nobody knows."""
        draw, who = self.draw, self.account()
        mine = [one for one in self.named[-9:] if one["account"] == who]
        orders = {one["order_id"]: one for one in draw.sample(mine, draw.randint(0, min(3, len(mine))))}
        if draw.random() < 0.3:
            self.count += 1
            one = {
                "account": who,
                "instrument": draw.choice("XXYZ"),
                "side": draw.choice("BS"),
                "order_id": f"o{self.count}",
            }
            self.named.append(one)
            orders[one["order_id"]] = one
        sizes = {"X": ["-2", "1", "3"], "Y": ["-0.5", "0.1", "0"], "Z": ["2", "-4"]}
        held = {label: draw.choice(sizes[label]) for label in sizes if draw.random() < 0.4}
        prices = ["98", "100", "101"]
        return {
            "account": who,
            "positions": held,
            "orders": [
                {name: one[name] for name in ("order_id", "instrument", "side")}
                | {"qty": {"Y": "0.2", "Z": "2"}.get(one["instrument"], draw.choice("12"))}
                | ({"price": draw.choice(prices)} if draw.random() < 0.8 else {})
                for one in orders.values()
            ],
        }

    def reserve(self) -> dict[str, Any]:
        draw = self.draw
        self.reserved += [(self.account(), draw.choice(["r1", "r2", f"r{len(self.reserved)}"]))]
        return {**self.reservation(last=True), "amount": str(draw.choice([50, 100, 299.99, 300])), "ccy": "USD"}

    def reservation(self, last: bool = False) -> dict[str, Any]:
        """A recent reservation, or one that nobody knows."""
        if not self.reserved or (not last and self.draw.random() < 0.05):
            return {"account": self.account(), "reserve_id": "r0"}
        account, label = self.reserved[-1] if last else self.draw.choice(self.reserved[-6:])
        return {"account": account, "reserve_id": label}

    commit = rollback = reservation

    def release(self) -> dict[str, Any]:
        return {**self.reservation(), "amount": str(self.draw.choice([25, 50, 99.99, 100]))}

    def cash(self) -> dict[str, Any]:
        return {"account": self.account(), "ccy": "USD", "amount": str(self.draw.choice([-100, 250, 400]))}

    def fx(self) -> dict[str, Any]:
        pair = self.draw.choice(["EURUSD", "EURUSD", "USDJPY", "USDJPY", *PAIRS])
        rate = self.draw.choice(PAIRS[pair])
        if self.draw.random() < 0.6:
            return {"pair": pair, "price": rate}
        return {"pair": pair, "bid": rate, "ask": str(round(float(rate) * 1.01, 6))}

    def equity(self) -> dict[str, Any]:
        return {"account": "B", "equity": str(self.draw.choice([1800, 1990, 2000, 2100]))}

    def closed_trade(self) -> dict[str, Any]:
        draw = self.draw
        event = {"account": self.account(), "instrument": draw.choice("XXY"), "side": draw.choice(["long", "short"])}
        event |= {"ret": draw.choice(["-0.2", "-0.1", "0", "0.1"]), "exit": draw.choice(["stop_loss", "roi"])}
        return {**event, **({"pnl": draw.choice(["-5", "-1", "0", "3"])} if draw.random() < 0.8 else {})}

    def order_error(self) -> dict[str, Any]:
        named = self.known() if self.draw.random() < 0.3 else None
        return {"account": named["account"], "order_id": named["order_id"]} if named else self.order_ack()

    def order_ack(self) -> dict[str, Any]:
        named = self.known() if self.count % 2 else None
        return {"account": named["account"], "order_id": named["order_id"]} if named else {"account": self.account()}

    def strategy_exec(self) -> dict[str, Any]:
        return {"account": self.account(), "strategy": self.draw.choice(["s1", "s2"])}

    def cmd(self) -> dict[str, Any]:
        draw = self.draw
        if self.narrow:
            return {"cmd": draw.choice(["PAUSE", "PAUSE", "RESUME"])}
        command = draw.choice(
            ["ACTIVE", "REDUCING", "HALTED", "PAUSE", "RESUME", "RESET", "RESET", "STOP", "RESTART", "KILL"]
        )
        groups = [{"trader": "T"}, {"desk": "D"}, {"desk": "E"}, {"firm": "F"}]
        if command in ("STOP", "RESTART"):  # a session writes one for each account of a desk
            groups = []
        whom = draw.choice([*groups, {}, {}]) if draw.random() < 0.4 else {"account": self.account()}
        return {"cmd": command, **whom}


KINDS = {
    "order": 34,
    "order_list": 5,
    "modify": 9,
    "cancel": 6,
    "fill": 18,
    "price": 10,
    "cash": 2,
    "equity": 0.5,
    "closed_trade": 6,
    "order_error": 4,
    "order_ack": 2,
    "strategy_exec": 4,
    "cmd": 4,
    "reject": 1.5,
    "expire": 1.5,
    "cancel_reject": 3,
    "modify_reject": 3,
    "bust": 2,
    "correct": 2,
    "fx": 0,
    "close": 2,
    "dividend": 1,
    "snapshot": 1,
    "funding": 0,
    "expiry": 0,
    "roll": 0,
    "adjust": 0,
    "transfer": 0,
    "split": 0,
    "reserve": 0,
    "commit": 0,
    "rollback": 0,
    "release": 0,
    "multiplier": 0,
    "phase": 0,
}
CREDIT = {"reserve": 30, "commit": 14, "rollback": 6, "release": 12}  # for rules of credit


# ---------------------------------------------------------------------- money of several currencies

QUOTES = {"X": "USD", "Y": "EUR", "Z": "JPY"}
PAIRS = {"EURUSD": ("1.1", "1.0999", "1.25"), "USDJPY": ("150", "149.37"), "JPYUSD": ("0.0067",), "EURJPY": ("163.2",)}
ONE_CURRENCY = {"netting_set"}  # its money is of one currency, which may be another than the limit's
CONVERTING = sorted({name for name in PARAMETERS if rule_type(name).converted is not None} - ONE_CURRENCY)
WHOLE = ACCOUNTS


def in_currencies(seed: int, types: list[str], events: int = 80, **often: dict[str, float]) -> dict[str, Any]:
    """A scenario of rules that name their currency, over instruments and cash in three, and their rates."""
    draw = random.Random(seed)
    weights = {"fx": 14, "cash": 4, **often.get("weights", {})}
    given = scenario(seed, events, types=types, without=["equity"], weights=weights)
    for event in given["events"]:
        if event["kind"] == "cash":
            event["ccy"] = draw.choice(["USD", "EUR", "JPY"])
    given["instruments"] = [{**one, "quote": QUOTES[one["id"]]} for one in INSTRUMENTS]
    given["accounts"][1]["cash"] = {"EUR": "2000", "JPY": "30000"}
    given["rules"] = [rule_in_currency(draw, name, place) for place, name in enumerate(types)]
    return {**given, "quantum": "0.00001"}


def rule_in_currency(draw: random.Random, name: str, place: int) -> dict[str, Any]:
    """One rule of a type with random parameters that names its currency."""
    made = rule(draw, name, place)
    while name in ("volume_cap", "position_limit") and "notional" not in made["params"]:
        made = rule(draw, name, place)
    kind = rule_type(name)
    if kind.adds_up:  # in one currency by key
        made["scope"] = draw.choice(["instrument", "account_instrument"])
    elif kind.reads & ADDED:
        made["scope"] = draw.choice(WHOLE)
        if made["scope"] == "account":  # with nothing to net
            made.pop("netting", None)
    age = draw.choice([{}, {}, {"max_age_ns": draw.choice([WINDOW, 5 * WINDOW, HOUR])}])
    return {**made, "currency": draw.choice(["USD", "EUR", "JPY"]), "via": draw.choice(["USD", "USD", "EUR"]), **age}
