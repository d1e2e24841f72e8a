"""The universe of a log: instruments, accounts, and their units.

A price is an integer number of ticks, a quantity of lots, an amount of money of quanta of its currency. `Universe` holds
the declared units and converts between integers and decimal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit._plain import flag, ratio, row, rows, text
from riskkit.replay.schema.columns import RATE_UNIT
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.decimals import fraction_of, in_units
from riskkit.replay.schema.names import name_text

FINEST = 10**300  # a float times this denominator is still finite
GROUPS = ("trader", "desk", "firm")  # of accounts, from narrow to wide
UNITS = ("tick", "lot", "multiplier", "price_step", "qty_step")  # of an instrument
LAST = {"delta": 1, "luld_tier": 0, "stop_slippage": 0, "vega": 0}  # its last fields, and their defaults


class OutOfRange(InputError):
    """An amount that 64 bits cannot hold in the units at hand, in words; coarser units may fit."""


def exact(value: Any, name: str) -> Fraction:
    """The exact value of a string, a Decimal, an int or the shortest form of a float."""
    return fraction_of(value, name)


def _is_given(label: Any) -> bool:
    """False for None and the empty text."""
    return label is not None and not (isinstance(label, str) and not label)


def _listed(given: Any, name: str) -> tuple[Any, ...]:
    """The things of an argument, which have an order: a text would be one of letters, and a set has none."""
    try:
        if isinstance(given, (str, bytes, bytearray, Mapping, set, frozenset)):
            raise TypeError
        return tuple(given)
    except TypeError:
        raise InputError(f"{name}={shown(given)} is not a list of {name}") from None


def decimal_text(value: Fraction) -> str:
    """The shortest exact decimal of a fraction, or n/d if there is none."""
    if value.denominator == 1:
        return str(value.numerator)
    denominator, digits = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while denominator % prime == 0:
            denominator, power = denominator // prime, power + 1
        digits = max(digits, power)
    if denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    integer, rest = divmod(abs(value.numerator) * 10**digits // value.denominator, 10**digits)
    return f"{'-' if value.numerator < 0 else ''}{integer}.{rest:0{digits}d}"


def common_unit(values: Iterable[Fraction]) -> Fraction:
    """The largest unit of which every value is a multiple (1 if all are zero)."""
    numerator, denominator = 0, 1
    for value in values:
        if value == 0:
            continue
        numerator, denominator = (
            math.gcd(numerator * value.denominator, value.numerator * denominator),
            denominator * value.denominator,
        )
        divisor = math.gcd(numerator, denominator)
        numerator, denominator = numerator // divisor, denominator // divisor
    return Fraction(numerator, denominator) if numerator else Fraction(1)


@dataclass(frozen=True)
class Instrument:
    """A traded instrument and the units of its prices and quantities.

    Parameters
    ----------
    id : str
        Its label in events.
    tick, lot : str, Decimal, int or float
        The smallest step of a price and of a quantity; every price and quantity is a multiple.
    multiplier : str, Decimal, int or float
        Money for one unit of quantity when the price moves by one.
    currency : str
        Currency of its prices and of settlement.
    product : str, optional
        The product of the instrument (default: its id).
    negative_price : bool
        Allow prices at or below zero (spreads, some futures).
    price_step, qty_step : str, Decimal, int or float, optional
        Value of the integer 1 in a log's prices and quantities, an integer part of tick and lot (default: tick and
        lot). A log that keeps off-tick orders (``on_bad_order="flag"``) counts in finer steps.
    listed : bool
        False for an instrument that only occurs in a log and was not declared (for the rule ``known_instrument``).
    delta, vega : str, Decimal, int or float
        Units of the underlying that one unit of quantity stands for, negative for a put, and its vega; at most six decimals.
    luld_tier : {0, 1, 2}
        Its tier in the LULD Plan, which goes before that of a rule (`riskkit.rules.LimitUpLimitDown`); 0: that of the rule.
    stop_slippage : str, Decimal, int or float
        Price added to the stop of a market order that waits for it, to value it; a multiple of the tick.

    Examples
    --------
    >>> Instrument("ESZ6", tick="0.25", multiplier="50").tick
    Fraction(1, 4)
    """

    id: str
    tick: Any = Fraction(1, 100)
    lot: Any = Fraction(1)
    multiplier: Any = Fraction(1)
    currency: str = "USD"
    product: str = ""
    negative_price: bool = False
    price_step: Any = None
    qty_step: Any = None
    listed: bool = True
    delta: Any = Fraction(1)
    luld_tier: int = 0
    stop_slippage: Any = Fraction(0)
    vega: Any = Fraction(0)

    def __post_init__(self) -> None:
        """Convert units to exact fractions and check that they are above zero."""
        object.__setattr__(self, "id", name_text(self.id, "instrument"))
        for name, default in (("price_step", "tick"), ("qty_step", "lot")):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(self, default))
        for name in UNITS:
            value = exact(getattr(self, name), f"instrument {self.id!r}: {name}")
            if value <= 0:
                raise InputError(f"instrument {self.id!r}: {name}={shown(getattr(self, name))} is not above zero")
            if max(value.numerator, value.denominator) >= FINEST:
                raise InputError(
                    f"instrument {self.id!r}: {name}={shown(getattr(self, name))} is beyond 1e-300 to 1e300"
                )
            object.__setattr__(self, name, value)
        for name, size in (("price_step", "tick"), ("qty_step", "lot")):
            if (getattr(self, size) / getattr(self, name)).denominator != 1:
                raise InputError(f"instrument {self.id!r}: its {size} is not a multiple of its {name}")
        if not isinstance(self.currency, str):
            raise InputError(f"instrument {self.id!r}: currency={shown(self.currency)} is not a text such as 'USD'")
        for name in ("delta", "vega"):
            value = exact(getattr(self, name), f"instrument {self.id!r}: {name}")
            if (value * 1_000_000).denominator != 1 or abs(value) > 1_000_000:
                what = f"instrument {self.id!r}: {name}={shown(getattr(self, name))}"
                raise InputError(f"{what} is not within 1,000,000 with at most six decimals")
            object.__setattr__(self, name, value)
        if isinstance(self.luld_tier, bool) or self.luld_tier not in (0, 1, 2):
            raise InputError(
                f"instrument {self.id!r}: luld_tier={shown(self.luld_tier)} is not 1 or 2, nor 0 for the tier of the rule"
            )
        slippage = exact(self.stop_slippage, f"instrument {self.id!r}: stop_slippage")
        if slippage < 0 or (slippage / self.tick).denominator != 1:
            why = f"stop_slippage={shown(self.stop_slippage)} is not 0 or a multiple of the tick above it"
            raise InputError(f"instrument {self.id!r}: {why}")
        vars(self).update(luld_tier=int(self.luld_tier), stop_slippage=slippage)
        product = name_text(self.product, f"instrument {self.id!r}: product") if _is_given(self.product) else self.id
        object.__setattr__(self, "product", product)


@dataclass(frozen=True)
class Account:
    """An account: opening cash and positions, and the groups that it belongs to.

    Parameters
    ----------
    id : str
        Its label in events.
    cash : mapping of currency to amount
        Opening cash.
    positions : mapping of instrument to quantity
        Opening quantities, negative for short; valued at the first mark.
    desk, firm, trader : str
        Groups, for rules with such a scope.

    Examples
    --------
    >>> Account("desk-1", cash={"USD": 1_000_000}, positions={"ES": -5}, desk="futures").positions["ES"]
    -5
    """

    id: str
    cash: Mapping[str, Any] = field(default_factory=dict)
    positions: Mapping[str, Any] = field(default_factory=dict)
    desk: str = ""
    firm: str = ""
    trader: str = ""

    def __post_init__(self) -> None:
        """Convert the label to text."""
        object.__setattr__(self, "id", name_text(self.id, "account"))
        for name, key in (("cash", "USD"), ("positions", "X")):
            if not isinstance(given := getattr(self, name), Mapping):
                raise InputError(
                    f"account {self.id!r}: {name}={shown(given)} is not a mapping such as {{{key!r}: 1_000}}"
                )
        for group in GROUPS:
            if _is_given(getattr(self, group)):
                object.__setattr__(self, group, name_text(getattr(self, group), f"account {self.id!r}: {group}"))


def instruments_of(given: Iterable[Instrument]) -> tuple[Instrument, ...]:
    """The instruments of an argument."""
    for one in (found := _listed(given, "instruments")):
        if not isinstance(one, Instrument):
            raise InputError(f"{shown(one)} is not an Instrument; write Instrument('ES', tick='0.25')")
    return found


def accounts_of(given: Iterable[Account | str]) -> tuple[Account, ...]:
    """The accounts of an argument; a text is one without cash."""
    return tuple(one if isinstance(one, Account) else Account(one) for one in _listed(given, "accounts"))


@dataclass(frozen=True)
class Universe:
    """The labels of the codes of a log, and its units of money and quantity.

    ``quanta`` maps each currency to the money of the integer 1. A fill's notional is rounded to it once, half to even;
    the default, the largest unit that needs no rounding, makes that a no-op. With ``mixed`` an account may hold several
    currencies.

    Attributes
    ----------
    instruments
        Instruments in the order of their codes.
    accounts
        Accounts in the order of their codes.
    quanta
        Money of the integer 1, by currency.
    strategies
        Labels of strategies in the order of their codes.
    connections
        Labels of connections in the order of their codes.
    mixed
        True if an account may hold several currencies.

    Examples
    --------
    >>> future = Instrument("ES", tick="0.25", multiplier=50)
    >>> universe = Universe((future,), (Account("A", cash={"USD": 500}),), {"USD": Fraction(1, 2)})
    >>> universe.opening_cash(universe.accounts[0])
    1000
    >>> universe.money(25)
    12.5
    """

    instruments: tuple[Instrument, ...]
    accounts: tuple[Account, ...]
    quanta: Mapping[str, Fraction]
    strategies: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    mixed: bool = False

    def __post_init__(self) -> None:
        """Refuse labels that occur twice and openings that are not multiples of lot or quantum."""
        for what, labels in (("instrument", self.instruments), ("account", self.accounts)):
            ids = [entry.id for entry in labels]
            if len(set(ids)) < len(ids):
                twice = next(label for index, label in enumerate(ids) if label in ids[:index])
                raise InputError(f"{what} {twice!r} is declared twice; a label names one {what}")
        for account in self.accounts:
            self.opening_cash(account)
            for label in account.positions:
                self.opening_steps(account, label)

    @classmethod
    def declare(
        cls,
        instruments: Iterable[Instrument] = (),
        accounts: Iterable[Account | str] = (),
        quantum: Any = None,
        *,
        mixed: bool = False,
        like: Instrument | None = None,
    ) -> Universe:
        """Create a universe with one quantum for all currencies.

        Parameters
        ----------
        instruments, accounts : iterable
            In the order of their codes; a text is an account without cash.
        quantum : str, Decimal, int or float, optional
            Money of the integer 1; by default the largest amount of which a cent, every tick times lot times
            multiplier and every opening balance is a multiple.
        mixed : bool
            Allow several currencies in an account.
        like : Instrument, optional
            Units of instruments that may be added later.
        """
        listed, opened = instruments_of(instruments), accounts_of(accounts)
        if like is not None:
            instruments_of([like])
        priced = [*listed, *([like] if like else [])]
        amounts = [Fraction(1, 100), *(i.price_step * i.qty_step * i.multiplier for i in priced)]
        amounts += [exact(v, f"account {a.id!r}: cash") for a in opened for v in a.cash.values()]
        unit = common_unit(amounts) if quantum is None else exact(quantum, "quantum")
        if unit <= 0:
            raise InputError(f"quantum={shown(quantum)} is not above zero")
        currencies = dict.fromkeys([i.currency for i in priced] + [c for a in opened for c in a.cash]) or {"USD": None}
        return cls(listed, opened, dict.fromkeys(currencies, unit), mixed=mixed)

    def opening_cash(self, account: Account) -> int:
        """Opening cash of an account in quanta."""
        total = Fraction(0)
        for currency, amount in account.cash.items():
            value = exact(amount, f"account {account.id!r}: cash in {currency}")
            if (value / self.quantum).denominator != 1:
                raise InputError(
                    f"account {account.id!r}: cash {amount!r} is not a multiple of the quantum "
                    f"{decimal_text(self.quantum)}"
                )
            total += value
        return _in_range(total / self.quantum, f"account {account.id!r}: its cash")

    def opening_steps(self, account: Account, label: str) -> int:
        """Opening position of an account in an instrument, in quantity steps."""
        if label not in self.instrument_codes:
            raise InputError(f"account {account.id!r}: it holds {label!r}, which is not a declared instrument")
        instrument = self.instruments[self.instrument_codes[label]]
        held = account.positions[label]
        value = exact(held, f"account {account.id!r}: position in {label!r}")
        if (value / instrument.lot).denominator != 1:
            raise InputError(
                f"account {account.id!r}: position {held!r} in {label!r} is not a multiple of its lot "
                f"{decimal_text(instrument.lot)}"
            )
        return _in_range(value / instrument.qty_step, f"account {account.id!r}: its position in {label!r}")

    def opening_pairs(self) -> list[tuple[int, int]]:
        """(account, instrument) codes of the opening positions; they are the first pairs of every log."""
        codes = self.instrument_codes
        return [(a, i) for a, opened in enumerate(self.accounts) for i in sorted(codes[p] for p in opened.positions)]

    @property
    def frozen(self) -> Universe:
        """The universe as it is now, if it is one that gains labels; else itself."""
        return self

    @cached_property
    def quantity_unit(self) -> Fraction:
        """The largest unit of which every instrument's quantity step is a multiple."""
        return common_unit(instrument.qty_step for instrument in self.instruments)

    @cached_property
    def price_unit(self) -> Fraction:
        """The largest unit of which a cent and every instrument's price step are multiples."""
        return common_unit([Fraction(1, 100), *(instrument.price_step for instrument in self.instruments)])

    @cached_property
    def products(self) -> tuple[str, ...]:
        """The products, in order of appearance."""
        return tuple(dict.fromkeys(instrument.product for instrument in self.instruments))

    @cached_property
    def desks(self) -> tuple[str, ...]:
        """The desks, in order of appearance."""
        return tuple(dict.fromkeys(account.desk for account in self.accounts))

    @cached_property
    def firms(self) -> tuple[str, ...]:
        """The firms, in order of appearance."""
        return tuple(dict.fromkeys(account.firm for account in self.accounts))

    @cached_property
    def traders(self) -> tuple[str, ...]:
        """The traders, in order of appearance."""
        return tuple(dict.fromkeys(account.trader for account in self.accounts))

    @cached_property
    def instrument_codes(self) -> dict[str, int]:
        """Code of each instrument label."""
        return {instrument.id: code for code, instrument in enumerate(self.instruments)}

    @cached_property
    def account_codes(self) -> dict[str, int]:
        """Code of each account label."""
        return {account.id: code for code, account in enumerate(self.accounts)}

    @cached_property
    def strategy_codes(self) -> dict[str, int]:
        """Code of each strategy, "account/strategy"."""
        return {strategy: code for code, strategy in enumerate(self.strategies)}

    @cached_property
    def connection_codes(self) -> dict[str, int]:
        """Code of each connection."""
        return {connection: code for code, connection in enumerate(self.connections)}

    @cached_property
    def product_codes(self) -> dict[str, int]:
        """Code of each product."""
        return {product: code for code, product in enumerate(self.products)}

    @cached_property
    def currency(self) -> str:
        """The currency of all balances, if there is only one."""
        return next(iter(self.quanta), "USD")

    @property
    def quantum(self) -> Fraction:
        """Money of the integer 1."""
        return self.quanta.get(self.currency, Fraction(1, 100))

    def money(self, quanta: int) -> float:
        """Convert quanta to money."""
        return float(quanta * self.quantum)

    def ratio(self, instrument: Instrument) -> Fraction:
        """Quanta of money in one quantity step at a price of one price step."""
        ratio: Fraction = instrument.price_step * instrument.qty_step * instrument.multiplier / self.quantum
        return ratio

    def payment(self, instrument: Instrument) -> Fraction:
        """Quanta of money on one quantity step, if one unit is paid a billionth of money."""
        return self.ratio(instrument) / instrument.price_step / RATE_UNIT

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """All currencies; the ``price`` column of a CASH event is an index here, MISSING for the account's own."""
        return tuple(self.quanta)

    def quantities(self, steps: np.ndarray, code: np.ndarray) -> np.ndarray:
        """Convert quantity steps to quantities; NaN without an instrument (code -1)."""
        return in_units(steps, code, [instrument.qty_step for instrument in self.instruments])

    def prices(self, steps: np.ndarray, code: np.ndarray) -> np.ndarray:
        """Convert price steps to prices; NaN without an instrument (code -1)."""
        return in_units(steps, code, [instrument.price_step for instrument in self.instruments])

    def describe(self) -> list[Any]:
        """Labels and units as plain lists, for hashing and storage."""
        instruments = [
            [i.id, *map(str, (i.tick, i.lot, i.multiplier)), i.currency, i.product, bool(i.negative_price)]
            + [str(i.price_step), str(i.qty_step), bool(i.listed), *_given_last(i)]
            for i in self.instruments
        ]
        accounts: list[list[Any]] = []
        for a in self.accounts:
            cash = [[k, str(exact(v, "cash"))] for k, v in a.cash.items()]
            accounts.append([a.id, cash, sorted([k, str(exact(v, "position"))] for k, v in a.positions.items())])
            accounts[-1] += [a.desk, a.firm, *[a.trader] * bool(a.trader)]
        quanta = [[k, str(v)] for k, v in self.quanta.items()]
        return [instruments, accounts, quanta, list(self.strategies), list(self.connections), bool(self.mixed)]

    @classmethod
    def from_description(cls, described: list[Any]) -> Universe:
        """Create the universe that `describe` describes."""
        DESCRIBED(described, "the universe")
        instruments, accounts, quanta, strategies, connections, mixed = described

        def fractions(pairs: Iterable[Any]) -> dict[str, Fraction]:
            return {key: Fraction(value) for key, value in pairs}

        def instrument(entry: list[Any]) -> Instrument:
            values: dict[str, Any] = dict(zip((known.name for known in fields(Instrument)), entry, strict=False))
            numbers = {name: Fraction(values[name]) for name in (*UNITS, *LAST) if name in values}
            return Instrument(**values | numbers)

        return cls(
            tuple(map(instrument, instruments)),
            tuple(Account(a, fractions(cash), fractions(held), *groups) for a, cash, held, *groups in accounts),
            fractions(quanta),
            tuple(strategies),
            tuple(connections),
            mixed,
        )


_AMOUNTS = rows(row(text, ratio))
_INSTRUMENT = row(text, ratio, ratio, ratio, text, text, flag, ratio, ratio, flag, *[ratio] * 4, optional=4)
_ACCOUNT = row(text, _AMOUNTS, _AMOUNTS, text, text, text, optional=1)
DESCRIBED = row(rows(_INSTRUMENT), rows(_ACCOUNT), _AMOUNTS, rows(text), rows(text), flag)  # of `Universe.describe`


def _given_last(instrument: Instrument) -> list[str]:
    """The last fields of an instrument, up to the last that is not the default."""
    given = [number for number, name in enumerate(LAST, 1) if getattr(instrument, name) != LAST[name]]
    return [str(getattr(instrument, name)) for name in list(LAST)[: max(given, default=0)]]


def _in_range(value: Fraction, what: str) -> int:
    if abs(value) >= LARGEST:
        raise OutOfRange(f"{what} is beyond 64 bits in units of this log")
    return int(value)
