"""What clients send and get, as structs: JSON in, JSON out, and nothing that is not declared.

Amounts are JSON numbers or texts, read with every digit. Times of events are nanoseconds since the epoch, which a JSON number
of a browser cannot hold: they are sent as texts, beside ``timestamp`` in seconds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    from riskkit.replay.results.decisions import Decision

Label = Annotated[str, Meta(min_length=1, max_length=256)]
Identity = Label | int
Time = int | Annotated[str, Meta(max_length=40)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]


class Event(Struct, forbid_unknown_fields=True, gc=False, omit_defaults=True):
    """What every event may have: its time (of a service with clock="events"), and where it came from."""

    ts: Time | None = None
    strategy: Label | None = None
    connection: Label | None = None

    def fields(self) -> dict[str, Any]:
        """The fields that were given."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


class Order(Event, kw_only=True):
    """An order of an account, before it is sent to a venue."""

    account: Label
    instrument: Label
    side: Label
    qty: Decimal | None = None
    price: Decimal | None = None
    order_id: Identity | None = None
    type: Label | None = None
    reduce_only: bool | None = None
    reserve: Decimal | None = None
    parent_id: Identity | None = None
    expires: Time | None = None
    stop: Decimal | None = None
    offset: Decimal | None = None
    display: Decimal | None = None
    dnr: bool | None = None
    quote_qty: Decimal | None = None
    close_position: bool | None = None
    reference: Label | None = None
    external: bool | None = None
    smp_id: Identity | None = None
    tif: Label | None = None
    mmp: bool | None = None
    legs: list[dict[str, Any]] | None = None


class Fill(Event, kw_only=True):
    """A fill, of an order or of an account, instrument and side."""

    qty: Decimal
    price: Decimal
    order_id: Identity | None = None
    trade_id: Identity | None = None
    account: Label | None = None
    instrument: Label | None = None
    side: Label | None = None
    fee: Decimal | None = None


class OfOrder(Event, kw_only=True):
    """What is about an order."""

    order_id: Identity
    account: Label | None = None
    instrument: Label | None = None


class Cancel(OfOrder, kw_only=True):
    """A cancel of an order."""

    cancel_frees: Label | None = None


class Modify(OfOrder, kw_only=True):
    """A new quantity, price or stop of an order."""

    qty: Decimal | None = None
    price: Decimal | None = None
    stop: Decimal | None = None
    offset: Decimal | None = None


class Price(Event, kw_only=True):
    """A last price, a bid, an ask of an instrument."""

    instrument: Label
    price: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None


class Limits(Struct, forbid_unknown_fields=True):
    """Other limits, as ``{"size.limit": 500}``, and why; the person is the owner of the key."""

    limits: Annotated[dict[str, Any], Meta(min_length=1, max_length=1000)]
    why: Reason
    ts: Time | None = None


class Switch(Struct, forbid_unknown_fields=True):
    """Who is stopped, started again or reset (by default everybody), and why."""

    why: Reason
    account: Label | None = None
    desk: Label | None = None
    ts: Time | None = None


class Promotion(Struct, forbid_unknown_fields=True):
    """Why the rules of a challenger are put in force."""

    why: Reason
    ts: Time | None = None


class Challenged(Struct):
    """A challenger: the number of messages that it and the rules in force refused, and why it judges no more, if so."""

    name: str
    refused_by_both: int
    refused_by_session: int
    refused_by_challenger: int
    stopped: str
    rules: list[dict[str, Any]]


class Difference(Struct):
    """A message that one of both refused: the rules that did, null where it passed."""

    seq: int
    ts: str
    account: str
    instrument: str
    session: str | None
    challenger: str | None


class Compared(Struct):
    """A challenger and what it decides otherwise."""

    challenger: Challenged
    differences: list[Difference]


class HeldPosition(Struct, forbid_unknown_fields=True):
    """A position of a portfolio; ``value`` is quantity times price."""

    symbol: Label
    quantity: float
    price: float
    value: float | None = None


class Evaluate(Struct, forbid_unknown_fields=True):
    """A portfolio; earlier values, a day apart, give it a VaR."""

    positions: list[HeldPosition]
    portfolio_value: float
    history: list[float] | None = None
    max_position_size: float = 0.40
    max_drawdown_limit: float = 10.0


class Validate(Struct, forbid_unknown_fields=True):
    """A trade, and the portfolio before it; the two limits are a fraction and a percentage."""

    symbol: Label
    side: Label
    quantity: float
    price: float
    portfolio_value: float
    current_positions: list[HeldPosition] = []
    max_position_size: float = 0.40
    max_drawdown_limit: float = 10.0


class Action(Struct, gc=False):
    """What a rule says: the action, the reason as a sentence, and the numbers behind it."""

    action: str
    rule: str
    key: str
    reason: str
    observed: float | None
    limit: float | None
    headroom: float | None
    unit: str
    until: str | None
    seq: int

    @classmethod
    def of(cls, found: Decision) -> Action:
        """The action of a decision."""
        until = None if found.until is None else str(found.until)
        return cls(
            found.action.name, found.rule, found.key, found.reason, found.observed, found.limit, found.headroom,
            found.unit, until, found.seq,
        )  # fmt: skip


class Decided(Struct, gc=False):
    """What became of an event."""

    approved: bool
    seq: int
    ts: str
    timestamp: int
    actions: list[Action]
    order_id: str | int | None = None


class Probed(Struct):
    """What an order would be answered now."""

    approved: bool
    actions: list[Action]


class BatchDecided(Struct):
    """What became of the events of a batch, by row; a row with an error was not taken."""

    approved: list[bool]
    seq: list[int]
    errors: dict[str, str]
    actions: list[Action]
    ts: str


class Health(Struct):
    """That the process is there."""

    status: str
    service: str
    version: str
    timestamp: int


class Evaluated(Struct):
    """Risk of a portfolio in percent (2.5 is 2.5 %); null where nothing is known."""

    drawdown: float
    max_drawdown: float
    var_95: float | None
    var_99: float | None
    cvar_95: float | None
    risk_score: float | None
    approved: bool
    timestamp: int
    reasons: list[str] = []


class Validated(Struct):
    """The answer to a trade; sizes and drawdowns in percent."""

    approved: bool
    reason: str
    risk_score: float | None
    position_size_pct: float | None
    estimated_drawdown: float | None
    timestamp: int


class RiskNow(Struct):
    """The risk that was evaluated last, in percent."""

    current_drawdown: float
    max_drawdown: float
    var_95: float | None
    var_99: float | None
    cvar_95: float | None
    last_updated: int | None


class Refused(Struct, omit_defaults=True):
    """Why a request was not taken: a sentence, and the field if it is one's fault."""

    error: str
    field: str | None = None
    problems: list[dict[str, str]] | None = None
    first: Decided | None = None


class Alert(Struct, omit_defaults=True, tag_field="type", tag=True):
    """One action of a rule, as those who watch a user get it."""

    user_id: str
    alert_id: str
    rule_name: str
    severity: str
    message: str
    timestamp: int
    trade_id: str | None = None
    current_metrics: dict[str, float] | None = None
    seq: int = -1
    """Of the event; a client that comes back goes on after it."""


class Acknowledged(Struct, tag_field="type", tag=True):
    """Who has acknowledged an alert, told to all who watch its user."""

    user_id: str
    alert_id: str
    who: str


class TokenExposure(Struct):
    """Exposure of one position; the percentage is that of the total."""

    token: str
    amount: float
    value_usd: float
    percentage: float


class ExposureUpdate(Struct, tag_field="type", tag=True):
    """What a user holds."""

    user_id: str
    total_exposure_usd: float
    token_exposures: list[TokenExposure]
    timestamp: int
    calculation_time_us: int


class RiskMetrics(Struct, tag_field="type", tag=True):
    """Measures of a user; null where nothing is known."""

    user_id: str
    total_exposure_usd: float
    concentration_risk: float | None
    var_95: float | None
    max_drawdown: float | None
    sharpe_ratio: float | None
    win_rate: float | None
    avg_trade_size: float | None


class PositionUpdate(Struct, tag_field="type", tag=True):
    """The position of a user in one token, after it has changed."""

    user_id: str
    token: str
    amount: float
    value_usd: float
    timestamp: int


class Watched(Struct):
    """An account, as those who watch it see it."""

    metrics: RiskMetrics
    exposure: ExposureUpdate
    positions: list[PositionUpdate]


encode = msgspec.json.Encoder().encode


def nanoseconds(value: Time) -> int | Any:
    """Nanoseconds since the epoch of a JSON number, a text of digits, or a time in ISO form with a zone; another value as it is."""
    if not isinstance(value, str):
        return value
    if value.removeprefix("-").isdecimal() and len(value) < 20:
        return int(value)
    from riskkit.replay.ingest.times import iso_time

    return iso_time(value) or value
