"""Group books: what the members of a desk, a firm, a product or a strategy hold and earn together.

A group has an account record and a position record per instrument, of the same fields as those of an account. So a
rule reads the book of a group as it reads that of an account:

- *holders* (trader, desk, firm, global): equity, deposits and realised profit are the sums over the member accounts;
- *parts* (account_instrument, account_product, instrument, product): profit is that of the fills in these instruments,
  realised as the accounts realise it;
- *own* (strategy): profit is that of the strategy's own fills, realised on its own net position.

The positions of a group are netted over its accounts by instrument.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import equity, notional, paid_in
from riskkit.replay.kernels.records import Record


def follow(group: Record, account: Record) -> None:
    """Add the change of a member account's equity, deposits and realised profit to those of a group."""
    group.external_equity += equity(account) - account.told_equity
    group.external_deposits += paid_in(account) - account.told_deposits
    group.realised += account.realised + account.funding - account.fees - account.told_realised


def note_followed(account: Record) -> None:
    """Note that all groups have followed an account."""
    account.told_equity = equity(account)
    account.told_deposits = paid_in(account)
    account.told_realised = account.realised + account.funding - account.fees


def fill_part(
    position: Record, group: Record, instrument: Record, side: int, qty: int, price: int, fee: int, realised: int
) -> None:
    """Book a fill of a member account, which realised `realised` quanta of profit."""
    position.qty += side * qty
    group.cash -= side * notional(instrument, qty, price) + fee
    group.realised += realised
    group.fees += fee


def adjust_part(
    position: Record, group: Record, instrument: Record, side: int, qty: int, price: int, realised: int
) -> None:
    """Book lots of a member account that come or go without a fill, at a price but unpaid."""
    position.qty += side * qty
    group.net_deposits += side * notional(instrument, qty, price)
    group.realised += realised


def work(position: Record, side: int, qty: int) -> None:
    """Count lots of a working order, or (`qty` below zero) count them no longer."""
    if side > 0:
        position.open_buy_qty += qty
    else:
        position.open_sell_qty += qty
