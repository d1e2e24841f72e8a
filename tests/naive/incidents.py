"""Time to stop and loss at stop by plain loops over a frame, for one limit on orders in a sliding window."""


def naive_stop(events, limit, window_ns, multipliers, lasting_ns=0):
    """Events: dicts with ts, kind, instrument, side, qty, price, order (their own row for orders), of one account."""
    accepted, refused, positions, marks, quoted = [], [], {}, {}, set()
    cash, steps = 0.0, []
    for row, event in enumerate(events):
        kind, name = event["kind"], event["instrument"]
        if kind == "ORDER":
            inside = [ts for ts in accepted if event["ts"] - window_ns < ts]
            held = positions.get(name, 0)
            reduces = (held > 0 > event["side"] or held < 0 < event["side"]) and event["qty"] <= abs(held)
            if len(inside) + 1 > limit:
                refused.append(row)
                steps.append((row, "refused"))
            else:
                accepted.append(event["ts"])
                steps.append((row, "reduces" if reduces else "adds"))
        elif kind == "FILL" and event["order"] not in refused:
            positions[name] = positions.get(name, 0) + event["side"] * event["qty"]
            cash -= event["side"] * event["qty"] * event["price"] * multipliers[name]
            if name not in quoted:
                marks[name] = event["price"]
        elif kind == "PRICE":
            marks[name] = event["price"]
            quoted.add(name)
        event["loss"] = -(cash + sum(held * marks[name] * multipliers[name] for name, held in positions.items()))
    for place, (row, what) in enumerate(steps):
        if what == "refused" and not any(later == "adds" for _, later in steps[place + 1 :]):
            last = max(events[later]["ts"] for later, what in steps if what == "refused")
            lasts = last - events[row]["ts"] >= lasting_ns or all(what != "adds" for _, what in steps)
            return (row, events[row]["ts"], events[row]["loss"]) if lasts else None
    return None
