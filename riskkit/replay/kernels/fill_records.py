"""Records of the fills of a log in which the venue busts or corrects some: to undo one, its position is booked anew.

At average cost, the profit of a fill depends on all fills of its position before it. So those of the position are taken
out of the books and, with one of them changed, booked again in their order.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import adjust, fill, notional
from riskkit.replay.kernels.records import Record, at

FILL: dict[str, str] = dict(
    row="its row",
    pair="code of the position",
    side="+1 buy, -1 sell",
    qty="lots booked: 0 if busted, or dropped in enforce mode",
    price="price in ticks",
    fee="quanta of fee",
    strategy="code of the strategy",
    connection="code of the connection",
    recorded_qty="lots in the log as recorded: 0 if busted",
    adjusts="1 for lots that came or went without a fill, by a snapshot; else 0",
)
ANY_STRATEGY = -2


def find_fill(fills: Record, count: int, row: int) -> int:
    """Number of the record of a row, by bisection; -1 if it was not noted (late, or a duplicate)."""
    low = 0
    high = count
    while low < high:
        middle = (low + high) // 2
        if at(fills, middle).row < row:
            low = middle + 1
        else:
            high = middle
    return low if low < count and at(fills, low).row == row else -1


def take_out(
    fills: Record, count: int, pair: int, strategy: int, position: Record, account: Record, instrument: Record
) -> None:
    """Take the fills of a position (of one strategy, unless it is `ANY_STRATEGY`) out of the books."""
    for number in range(count):
        one = at(fills, number)
        if one.pair == pair and (strategy == ANY_STRATEGY or one.strategy == strategy):
            position.qty -= one.side * one.qty
            money = one.side * notional(instrument, one.qty, one.price)
            if one.adjusts != 0:
                account.net_deposits -= money
            else:
                account.cash += money + one.fee
                account.fees -= one.fee
    account.cost -= position.cost - position.opening_cost
    account.realised -= position.realised - position.opening_realised
    position.cost = position.opening_cost
    position.realised = position.opening_realised


def book_again(
    fills: Record, count: int, pair: int, strategy: int, position: Record, account: Record, instrument: Record
) -> None:
    """Book the fills that `take_out` took out, in their order and as they are now."""
    for number in range(count):
        one = at(fills, number)
        if one.qty > 0 and one.pair == pair and (strategy == ANY_STRATEGY or one.strategy == strategy):
            if one.adjusts != 0:
                adjust(position, account, instrument, one.side, one.qty, one.price)
            else:
                fill(position, account, instrument, one.side, one.qty, one.price, one.fee)


def settle_fills(fills: Record, count: int, positions: Record, instrument: int) -> None:
    """Take the records of an instrument's fills out of all that follows: it is settled, and no bust or correction undoes that."""
    for number in range(count):
        one = at(fills, number)
        if at(positions, one.pair).instrument == instrument:
            one.qty = 0
            one.recorded_qty = 0
            one.fee = 0


def settle_costs(position: Record) -> None:
    """Let the cost and profit of a position that is settled be those with which its further fills are booked."""
    position.opening_cost = position.cost
    position.opening_realised = position.realised


def last_of(fills: Record, count: int, pair: int) -> int:
    """Number of the record of the last fill that is booked in a position; -1 if there is none."""
    for number in range(count - 1, -1, -1):
        one = at(fills, number)
        if one.qty > 0 and one.adjusts == 0 and one.pair == pair:
            return number
    return -1


def last_in(fills: Record, count: int, positions: Record, instrument: int) -> int:
    """Number of the record of the last fill that is booked in an instrument; -1 if there is none."""
    for number in range(count - 1, -1, -1):
        one = at(fills, number)
        if one.qty > 0 and one.adjusts == 0 and at(positions, one.pair).instrument == instrument:
            return number
    return -1
