"""Flattening after a trip in one pass over the events: a trip opens a closing, and each later event closes what it may.

One limit on the quantity of an order, which pauses the account when it is breached. Written from the documents of
``on_trip="flatten"`` (and ``orphans="clip"``); what riskkit does by repeated replays is done here as it happens.
"""


def naive_flatten(events, limit, pause_ns, pace):
    """Events: dicts with ts, kind, account, instrument, side, qty, price, bid, ask, and order (the row of a fill's order).

    `pace` is "touch", a Fraction of the volume, or a list of (nanoseconds after the trip, Fraction closed by then).
    Returns the fills (ts, account, instrument, signed lots, price), the positions, and the positions left at trips.
    """
    held, recorded, paused, cut, closings, fills = {}, {}, {}, {}, [], []
    left = 0
    for row, event in enumerate(events):
        key = event["account"], event["instrument"]
        mine, factual, side, qty = held.get(key, 0), recorded.get(key, 0), event["side"], event["qty"]
        if event["kind"] == "ORDER":
            cut[row] = qty
            if side * factual < 0 and qty <= abs(factual) and (side * mine >= 0 or qty > abs(mine)):
                cut[row] = qty = abs(mine) if side * mine < 0 else 0
            reduces = side * mine < 0 and qty <= abs(mine)
            if paused.get(key[0], 0) > event["ts"] and (not reduces or qty > limit):
                cut[row] = 0
            elif qty > limit:
                cut[row] = 0
                paused[key[0]] = event["ts"] + pause_ns
                for other, lots in sorted(held.items()):
                    if other[0] == key[0] and lots:
                        plan = [(event["ts"] + after, share) for after, share in pace] if isinstance(pace, list) else []
                        start = {"key": other, "held": lots, "until": paused[key[0]], "taken": 0, "volume": 0}
                        closings.append({**start, "plan": plan, "row": row})
        elif event["kind"] == "FILL":
            recorded[key] = factual + side * qty
            held[key] = mine + side * min(qty, cut[event["order"]])
        for one in list(closings):
            if one["key"][1] == key[1] and one["row"] < row and event["ts"] < one["until"]:
                _close(one, event, held, fills, closings, pace)
    return fills, {key: lots for key, lots in held.items() if lots}, left + len(closings)


def _close(one, event, held, fills, closings, pace):
    """What one trip closes at a quote or a trade of its instrument."""
    start, shares = abs(one["held"]), []
    if pace == "touch" and event["kind"] == "PRICE":
        shares = [start]
    elif isinstance(pace, list) and event["kind"] == "PRICE":
        while one["plan"] and one["plan"][0][0] <= event["ts"]:
            shares.append(round(start * one["plan"].pop(0)[1]))
    elif not isinstance(pace, (str, list)) and event["kind"] == "FILL" and event["account"] != one["key"][0]:
        one["volume"] += event["qty"]
        shares = [int(pace * one["volume"])]
    for most in shares:
        position = held[one["key"]]
        lots = max(0, min(abs(position), most - one["taken"])) if position * one["held"] > 0 else 0
        if pace == "touch":
            lots = abs(position) if position * one["held"] > 0 else 0
        if lots:
            way = -1 if position > 0 else 1
            price = event["price"] if event["kind"] == "FILL" else event["bid"] if way < 0 else event["ask"]
            fills.append((event["ts"], *one["key"], way * lots, price))
            held[one["key"]] += way * lots
            one["taken"] += lots
        if held[one["key"]] * one["held"] <= 0:
            closings.remove(one)
            return
