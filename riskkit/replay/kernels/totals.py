"""Total profit of the accounts of each currency: its highest and lowest value and maximum drawdown between two samples.

A total is noted after the whole event: a price that moves several accounts is one mark. It follows the profit of each
account, or, where nothing else needs that at every price, the net position of all accounts in an instrument.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import notional, profit
from riskkit.replay.kernels.records import Record, Words

TOTAL: dict[str, str] = dict(
    profit="quanta of profit after the last event",
    high="quanta: highest profit since the last sample, that of the sample included",
    low="quanta: lowest profit since the last sample, that of the sample included",
    fall="quanta: largest fall since the last sample below the highest profit since then",
)
WIDTH = 4  # words of a sample of a total: profit, high, low and fall
NET = 2  # words of an instrument: lots that all accounts hold together, and their quanta at the mark


def follow_total(total: Record, account: Record) -> None:
    """Add the change of an account's profit to its total."""
    now = profit(account)
    total.profit += now - account.counted
    account.counted = now


def follow_net(total: Record, nets: Words, code: int, instrument: Record, lots: int) -> None:
    """Add lots to the net position in an instrument, and the change of its value at the mark to the total."""
    nets[NET * code] += lots
    value = notional(instrument, nets[NET * code], instrument.mark)
    total.profit += value - nets[NET * code + 1]
    nets[NET * code + 1] = value


def note_total(total: Record) -> None:
    """Note a total after an event."""
    total.high = max(total.high, total.profit)
    total.low = min(total.low, total.profit)
    total.fall = max(total.fall, total.high - total.profit)


def sample_total(total: Record, paths: Words, start: int) -> None:
    """Write the four words of a sample from `start`, and begin the next one."""
    paths[start] = total.profit
    paths[start + 1] = total.high
    paths[start + 2] = total.low
    paths[start + 3] = total.fall
    total.high = total.profit
    total.low = total.profit
    total.fall = 0
