"""Trade events of a stream: a user's swap of one token for another, in whole numbers of up to 256 bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Self

from riskkit._check import InputError, shown
from riskkit.desk.positions import MissingPriceError
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.universe import Instrument

MOST = 2**256
TEXTS, AMOUNTS = ("user_id", "trade_id", "token_in", "token_out"), ("amount_in", "amount_out")


@dataclass(frozen=True)
class TradeEvent:
    """A user gives `amount_in` of `token_in` and gets `amount_out` of `token_out`.

    Parameters
    ----------
    user_id, trade_id, token_in, token_out, dex_source : str
        A trade id is booked once.
    amount_in, amount_out : int
        In the smallest units of the tokens, above zero and below 2**256; a text of digits is taken too.
    timestamp : int
        Milliseconds since the epoch.
    gas_used : int
        Units of gas; kept in the message, and not booked, because it has no price.

    Examples
    --------
    >>> event = TradeEvent("ann", "t1", "ETH", "USDC", 10**18, 2_000_000_000, 1_700_000_000_000, "uniswap")
    >>> TradeEvent.of(event.fields()) == event
    True
    """

    user_id: str
    trade_id: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    timestamp: int
    dex_source: str = ""
    gas_used: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        for name in TEXTS:
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise InputError(f"{name}={shown(value)} is not a text")
        if not isinstance(self.dex_source, str):
            raise InputError(f"dex_source={shown(self.dex_source)} is not a text")
        for name in (*AMOUNTS, "gas_used", "timestamp"):
            object.__setattr__(self, name, _whole(getattr(self, name), name, zero=name in ("gas_used", "timestamp")))
        if self.token_in == self.token_out:
            raise InputError(f"token_in and token_out are both {self.token_in!r}; a swap needs two tokens")

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The event of a message's fields."""
        try:
            return cls(**fields)
        except TypeError as error:  # a missing or unknown field
            raise InputError(f"a trade event {str(error).partition('() ')[2] or error}") from None

    def fields(self) -> dict[str, Any]:
        """The fields of the message; amounts as texts, since numbers of JSON lose digits in most languages."""
        found = asdict(self)
        return found | {name: str(found[name]) for name in (*AMOUNTS, "gas_used")}

    def message(self) -> bytes:
        """The value of the message."""
        return json.dumps(self.fields(), separators=(",", ":")).encode()


def _whole(value: Any, name: str, *, zero: bool) -> int:
    """A whole number of at most 256 bits."""
    number = value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78:
        number = int(value)
    if not isinstance(number, int) or isinstance(number, bool) or not (0 if zero else 1) <= number < MOST:
        least = "of at least zero" if zero else "above zero"
        raise InputError(f"{name}={shown(value)} is not a whole number {least} and below 2**256")
    return number


def fills_of(event: TradeEvent, session: LiveSession, decimals: Mapping[str, int]) -> list[dict[str, Any]]:
    """The two fills of a swap: the token given is sold at its last price, the other bought for the same money.

    Parameters
    ----------
    event : TradeEvent
    session : LiveSession
        Its last prices value the swap; quantities and prices are rounded to its instruments' lots and ticks.
    decimals : mapping of str to int
        Digits after the point of a token's amounts (18: in wei); 0 for tokens that are not named.

    Raises
    ------
    InputError
        If a token is unknown or without a price (`MissingPriceError`), or a leg is less than half a lot or tick.
    """
    sold, bought = (_instrument(session, token) for token in (event.token_in, event.token_out))
    lots = [
        _steps(Fraction(amount, 10 ** decimals.get(instrument.id, 0)), instrument.qty_step, name)
        for instrument, amount, name in ((sold, event.amount_in, "amount_in"), (bought, event.amount_out, "amount_out"))
    ]
    price = _last_price(session, sold)
    other = price * lots[0] * sold.multiplier / (lots[1] * bought.multiplier)
    prices = price, _steps(other, bought.price_step, "the price of token_out")
    common = {"account": event.user_id, "trade_id": event.trade_id, "ts": event.timestamp * 1_000_000}
    legs = zip((sold, bought), "SB", lots, prices, strict=True)
    return [
        {**common, "instrument": instrument.id, "side": side, "qty": _text(qty), "price": _text(at)}
        for instrument, side, qty, at in legs
    ]


def _instrument(session: LiveSession, token: str) -> Instrument:
    code = session.engine.labels.instrument_codes.get(token)
    if code is None:
        raise InputError(f"token {token!r} is not an instrument of this engine")
    return session.engine.labels.instruments[code]


def _last_price(session: LiveSession, instrument: Instrument) -> Fraction:
    code = session.engine.labels.instrument_codes[instrument.id]
    mark = int(session.engine.tables.instruments["mark"][code + 1]) if len(session) else MISSING
    if mark == MISSING or mark <= 0:
        raise MissingPriceError(f"no price of {instrument.id!r} is known; send an event of the kind 'price' first")
    return mark * Fraction(instrument.price_step)


def _steps(value: Fraction, step: Any, name: str) -> Fraction:
    """The nearest multiple of a step, above zero."""
    count = round(value / Fraction(step))
    if count == 0:
        raise InputError(f"{name} is less than half a step of {step}; nothing is booked")
    return count * Fraction(step)


def _text(value: Fraction) -> str:
    """An exact decimal text; the denominator divides a power of ten, as steps are decimals."""
    digits = 0
    while value.denominator != 1:
        value, digits = value * 10, digits + 1
    return f"{int(value)}e-{digits}"
