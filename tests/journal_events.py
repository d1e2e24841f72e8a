"""A session in a folder with everything that a reader of its journal has to follow: new labels, other limits, ids, segments."""

import random

import riskkit as rk

RULES = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=7)), rk.Rule("rate", rk.rules.OrderRate(3, "10ms"))])
SECOND = 10**9


def opened(folder, **options):
    """A session that closes a segment every 50 events."""
    options = {"durability": "none", "segment_events": 50, "compiled": False} | options
    return rk.Session.open(folder, RULES, [rk.Instrument("ES", tick="0.25")], ["A"], **options)


def open_new(folder, **options):
    """As `opened`, for a new journal whose accounts and instruments come as they come."""
    return opened(folder, auto_register=rk.Instrument("any", tick="0.01"), **options)


def submit(session, count, seed=0):
    """So many orders, fills, prices and changes of limits, committed in groups; it goes on after those before."""
    rnd, start = random.Random(seed), len(session)
    while len(session) < start + count:
        number, account = len(session), f"{'ABC'[rnd.randrange(3)]}{number_of(rnd)}"
        ts = number * SECOND // 400
        if rnd.random() < 0.01:
            session.set_limits({"size.limit": rnd.randrange(5, 9)}, who="Ann", why="a test", ts=ts)
            continue
        instrument = rnd.choice(["ES", "NQ", "CL"])
        fields = {"account": account, "instrument": instrument, "side": rnd.choice("BS")}
        price = 100 + rnd.randrange(40) / 4
        session.process_order(ts=ts, order_id=f"o{number}", qty=rnd.randrange(1, 10), price=price, **fields)
        session.process_trade(ts=ts, trade_id=f"t{number}", qty=rnd.randrange(1, 5), price=price, fee="0.25", **fields)
        if rnd.random() < 0.2:
            session.commit({"offset": number})


def number_of(rnd):
    """Few accounts at first, more later."""
    return rnd.randrange(4) if rnd.random() < 0.2 else ""
