"""Credit that several engines share: what is reserved and used together.

Unit: money. Source: openpit, ``README.md`` and ``bindings/python/README.md`` (openpitkit/pit@0957348b): a reservation is committed or
rolled back, one that is dropped is rolled back, and finishing it twice is an error. An engine asks for an amount (`reserve`), and
what passes may be used (`commit`) or given back (`rollback`); of what is used, amounts come back later (`release`).

Decided here: an amount in another currency is converted once, when it is reserved; a reservation of an age of `ttl_ns` is rolled back
before the event; in shadow a reservation stands although it would be refused; a release of more than is used is an error that
changes nothing. The order of the log decides between two engines.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from riskkit.replay.kernels.conversion import at_rate, lacks_rate, missing_rate, plus
from riskkit.replay.kernels.queue import QUEUE, adjust, append, expire, first_value, last_time, length, pop, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.money import conversion_of
from riskkit.replay.rules.parameters import (
    Breach,
    Duration,
    Limit,
    MissingPrice,
    Money,
    at_most,
    duration_text,
    while_unknown,
)
from riskkit.replay.rules.rule import Rule, RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict, unpriced
from riskkit.replay.schema.columns import CreditStep, EventKind, EventRow
from riskkit.replay.schema.durations import duration

RESERVE, COMMIT, RELEASE = int(CreditStep.RESERVE), int(CreditStep.COMMIT), int(CreditStep.RELEASE)


class CreditLimit(NamedTuple):
    """At most `limit` of money reserved and used, the amount that is asked for included.

    All rules of this type in a rule set have the same `ttl_ns` and currency, for a reservation is one for all of them. A rule that
    comes later counts what is reserved and used by then.

    Parameters
    ----------
    ttl_ns
        Age at which a reservation that is neither committed nor rolled back is rolled back; 0: never.
    on_missing_price
        Treatment of an amount in another currency whose rate is not known.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("credit", CreditLimit(limit=1_000, ttl_ns="5s"), scope="firm"))
    credit: at most 1,000 in money of credit reserved and used, unused credit given back after 5 s, for each
    firm. Reservations of credit that would breach it are rejected (severity WARN).
    """

    limit: Limit[Money]
    ttl_ns: Duration = 0  # the loop reads it as the second one
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Give back what was reserved too long ago."""
    if params.ttl_ns > 0:
        expire(memory, state.memory, event.ts - params.ttl_ns)


def taken(state: Record, memory: Words) -> int:
    """Quanta that are reserved, one entry of the queue for each time, and used."""
    return total(memory, state.memory) + state.used


def check(state: Record, params: Any, event: EventRow, memory: Words) -> Verdict:
    """Compare what is reserved and used, this amount included, with the limit."""
    return converted(state, params, event, memory, None)


def converted(state: Record, params: Any, event: EventRow, memory: Words, rate: Record) -> Verdict:
    """Compare what is reserved and used, this amount included and converted, with the limit."""
    if lacks_rate(rate):
        return unpriced(params.on_missing_price, 0, missing_rate(rate))
    observed = plus(taken(state, memory), at_rate(rate, event.qty))
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Follow the steps of a reservation; its event has what it counts, and its time as the price."""
    if event.side == RELEASE:
        state.used -= event.qty
        return 0
    queue = state.memory
    if event.side != RESERVE:
        adjust(memory, queue, event.price, -event.qty)
        while length(memory, queue) > 0 and first_value(memory, queue) == 0:
            pop(memory, queue)
    elif length(memory, queue) > 0 and last_time(memory, queue) == event.ts:
        adjust(memory, queue, event.ts, event.qty)
    else:
        append(memory, queue, event.ts, event.qty)
    if event.side == COMMIT:
        state.used += event.qty
    return 0


def sentence(params: CreditLimit) -> str:
    """The limit in words."""
    given_back = f", unused credit given back after {duration_text(params.ttl_ns)}" if lives(params) else ""
    unrated = "" if params.on_missing_price == "reject" else while_unknown(params.on_missing_price, "no rate is known")
    return f"{at_most(params)} {params.limit} in money of credit reserved and used{given_back}{unrated}"


def lives(params: Any) -> int:
    """How long a reservation lives, in nanoseconds."""
    return duration(params.ttl_ns, "ttl_ns")


def why_apart(rules: Iterable[Rule]) -> str:
    """Reason why the rules on credit of a set do not fit together; empty if they do."""
    given: dict[str, tuple[Any, str]] = {}
    for rule in rules:
        terms = {"ttl_ns": lives(rule.parameters), **conversion_of(rule)} if rule.kind is CREDIT else {}
        for name, value in terms.items():
            before, first = given.setdefault(name, (value, rule.id))
            if before != value:
                return (
                    f"rules {first!r} and {rule.id!r}: {name} is {before!r} and {value!r}; a reservation is one for all limits of "
                    "credit, so give them the same"
                )
    return ""


CREDIT = register(
    RuleType(
        name="credit",
        parameters=CreditLimit,
        state=("used", "memory"),
        check=check,
        converted=converted,
        update=update,
        evict=evict,
        checks_on=frozenset({EventKind.CREDIT}),
        updates_on=frozenset({EventKind.CREDIT}),
        breached_by=frozenset(),
        workspace_size=QUEUE,
        nodes_per_event=1,
        scopes=("account", "trader", "desk", "firm", "global"),
        requires=frozenset({"orders", "credit"}),
        observes="limit",
        standing=True,
        one_pass=True,
        evidence=(Need(("CREDIT",)),),
        sentence=sentence,
    )
)
