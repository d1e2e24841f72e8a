"""What the tests of alerts share: a session with a rule, orders that it refuses, alerts, channels."""

import threading

import riskkit as rk
from riskkit.desk import Alert, Retry

SECOND = 1_000_000_000
ORDER = {"account": "ann", "instrument": "X", "side": "B", "price": 100}
AT_ONCE = Retry(attempts=3, backoff=0.0)


def session_of(*rules: rk.Rule, **options) -> rk.Session:
    people = [rk.Account(name, cash={"USD": 10_000}) for name in ("ann", "bob")]
    things = [rk.Instrument("X"), rk.Instrument("BTC/USD")]
    return rk.Session.create(rk.RuleSet(rules), things, people, **{"compiled": False, **options})


def sized(limit: int = 5, **fields) -> rk.Rule:
    return rk.Rule("size", rk.rules.MaxOrderQty(limit=limit), **fields)


def refuse(session, count: int = 1, start: int = 0, **fields):
    """So many orders that are too large, a nanosecond apart."""
    for ts in range(start, start + count):
        session.process_order(ts=ts, **{**ORDER, "qty": 9, "order_id": f"o{ts}", **fields})
    return session


def alert(number: int = 0, **fields) -> Alert:
    given = {"alert_id": f"{number:016x}", "user": "ann", "rule": "size", "severity": "WARN", "message": "too large."}
    return Alert.from_dict({**given, "timestamp": number, **fields})


class Heard(list):
    """A channel that keeps what it hears."""

    name = "heard"

    def __call__(self, one: Alert) -> None:
        self.append(one)

    @property
    def ids(self) -> list[str]:
        return [one.alert_id for one in self]


def broken(one: Alert) -> None:
    raise ConnectionError("no line")


def alert_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("riskkit alerts")]
