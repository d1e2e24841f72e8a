"""Start of limits in the middle of a log: the recorded book there, with rules that remember nothing."""

from __future__ import annotations

from typing import NamedTuple

from riskkit._jit import plain
from riskkit.replay.engine.samples import money_of
from riskkit.replay.engine.state import Opening, State
from riskkit.replay.kernels.exposure import expose
from riskkit.replay.kernels.records import Records

WORKING = ("open_buy_qty", "open_sell_qty", "high", "low", "listed_high", "listed_low")
EXPOSED = ("working", "high", "low", "worst", "listed_high", "listed_low", "listed_worst", "drawdown")


class Start(NamedTuple):
    """The row of the log from which limits are in force, and the recorded book before it.

    Orders that were sent before it are not known: their fills are booked as recorded.
    """

    row: int
    opened: Opening

    @classmethod
    def of(cls, row: int, state: State) -> Start:
        """The book of a replay in shadow mode up to a row, without its working orders."""
        instruments, accounts, positions, cash_balances = (
            table.copy() for table in (state.instruments, state.accounts, state.positions, state.cash_balances)
        )
        for names, table in ((WORKING, positions), (EXPOSED, accounts), (("reserved",), cash_balances)):
            for name in names:
                table[name] = 0
        positions["first_buy"] = positions["first_sell"] = -1
        instruments["first_stop"] = -1
        positions["factual_qty"] = positions["qty"]
        known = accounts[1:]
        known["told_equity"], known["told_deposits"] = money_of(state)
        known["told_realised"] = known["realised"] + known["funding"] - known["fees"]
        known["peak"] = known["told_equity"] - known["told_deposits"]
        return cls(row, Opening(instruments, accounts, positions, cash_balances))


def expose_opening(state: State) -> None:
    """Count the positions that are held at the start in the exposure of their accounts and groups."""
    instruments = Records(state.instruments, 1)
    books = [(state.positions, state.accounts)]
    books += [
        (table, state.groups[name.replace("positions", "accounts")])
        for name, table in state.groups.items()
        if name.startswith("group_positions_")
    ]
    for positions, accounts in books:
        owners = Records(accounts, 1)
        for position in Records(positions, 1):
            if position.qty != 0:
                plain(expose)(position, owners[position.account], instruments[position.instrument])
