"""Profit over time, one event after the other in fractions: cash, positions, last prices, deposits. No riskkit inside."""

from __future__ import annotations

from fractions import Fraction


def profits_at(events, samples):
    """Profit of each account before the events of each sample time.

    `events` are dicts in order: ts, kind, account, instrument, side, qty, price, amount.
    """
    cash, paid, held, mark, quoted = {}, {}, {}, {}, set()
    for event in events:
        if event["kind"] in ("fill", "cash"):
            cash.setdefault(event["account"], Fraction(0))
            paid.setdefault(event["account"], Fraction(0))
    found, rest = [], list(events)
    for sample in samples:
        while rest and rest[0]["ts"] < sample:
            event = rest.pop(0)
            if event["kind"] == "price":
                mark[event["instrument"]] = Fraction(str(event["price"]))
                quoted.add(event["instrument"])
            elif event["kind"] == "cash":
                cash[event["account"]] += Fraction(str(event["amount"]))
                paid[event["account"]] += Fraction(str(event["amount"]))
            elif event["kind"] == "fill":
                signed = event["qty"] if event["side"] == "B" else -event["qty"]
                place = event["account"], event["instrument"]
                held[place] = held.get(place, 0) + signed
                cash[event["account"]] -= signed * Fraction(str(event["price"]))
                if event["instrument"] not in quoted:  # a mark is the last price, else the last fill
                    mark[event["instrument"]] = Fraction(str(event["price"]))
        found.append(
            {
                account: cash[account]
                - paid[account]
                + sum(size * mark[instrument] for (owner, instrument), size in held.items() if owner == account)
                for account in cash
            }
        )
    return found


def profits_after(events):
    """Profit of each account after each event."""
    numbered = [{**event, "ts": number} for number, event in enumerate(events)]
    return profits_at(numbered, range(1, len(numbered) + 1))


def deepest_fall(profits):
    """The deepest fall from the highest value so far, zero at the start included."""
    high, deepest = Fraction(0), Fraction(0)
    for profit in profits:
        high = max(high, profit)
        deepest = max(deepest, high - profit)
    return deepest


def worst_day(samples, profits, day):
    """The least change from one day's last sample to the next one's, and the number of that day."""
    last = {}
    for sample, profit in zip(samples, profits, strict=True):
        last[(sample - 1) // day] = profit
    before, worst = Fraction(0), None
    for number in sorted(last):
        gain = last[number] - before
        worst = (gain, number) if worst is None or gain < worst[0] else worst
        before = last[number]
    return worst
