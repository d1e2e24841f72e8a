"""The kill switch of a session: who is stopped, and which of their orders are still at the venue."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from riskkit._check import InputError, shown
from riskkit.replay.kernels.runtime import WORKING
from riskkit.replay.schema.universe import Universe

if TYPE_CHECKING:
    from riskkit.replay.live.engine import Engine


class WorkingOrder(NamedTuple):
    """An order that works at the venue, with what is left of it.

    Examples
    --------
    >>> print(WorkingOrder("a1", "A", "ES", "B", Decimal(2)))
    WorkingOrder(order_id='a1', account='A', instrument='ES', side='B', quantity=Decimal('2'))
    """

    order_id: str
    account: str
    instrument: str
    side: str
    quantity: Decimal


def accounts_of(universe: Universe, account: Any, desk: Any) -> list[int]:
    """Codes of the accounts that are meant: one, those of a desk, or -1 for all.

    Raises
    ------
    InputError
        If both are given, or one is not known.
    """
    if account is not None and desk is not None:
        raise InputError("give an account or a desk, not both")
    if account is not None:
        if not isinstance(account, str) or account not in universe.account_codes:
            raise InputError(f"account={shown(account)} is not an account of this session")
        return [universe.account_codes[account]]
    if desk is None:
        return [-1]
    found = [code for code, one in enumerate(universe.accounts) if one.desk == desk]
    if not found:
        raise InputError(f"desk={shown(desk)} is not the desk of an account of this session")
    return found


def working_orders(engine: Engine, known: Iterable[tuple[Any, ...]], accounts: list[int]) -> list[WorkingOrder]:
    """The working orders of accounts (-1: of all), of orders by id and event number."""
    journal, universe, orders = engine.journal, engine.universe, engine.tables.orders
    found = []
    for label, number in known:
        if number < 0:
            continue
        row = {
            name: int(journal.columns[name][journal.place(number)])
            for name in ("account", "instrument", "side", "slots")
        }
        record = orders[row["slots"] + 1]
        if record["status"] == WORKING and (accounts == [-1] or row["account"] in accounts):
            instrument = universe.instruments[row["instrument"]]
            rest = int(record["qty"] - record["filled"]) * instrument.qty_step
            left = Decimal(rest.numerator) / Decimal(rest.denominator)
            whose = universe.accounts[row["account"]].id
            found.append(WorkingOrder(str(label), whose, instrument.id, "B" if row["side"] > 0 else "S", left))
    return found
