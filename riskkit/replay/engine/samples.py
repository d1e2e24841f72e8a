"""Samples of a replay: equity of every account at given times, and the path of each currency's total between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.engine.state import State
from riskkit.replay.kernels.records import Records, record_dtype
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.kernels.totals import NET, TOTAL, WIDTH, note_total

MOST = 5_000_000
TOTALS = record_dtype(TOTAL)


class Samples(NamedTuple):
    """Arrays that the loop fills, in quanta of money; a sample is taken before the events of its time.

    ``sample_at`` are times in nanoseconds; ``sampled`` the equity and the net deposits of every account, shape
    (2, n_samples, n_accounts); ``paths`` the total profit of each currency at each sample, and its highest, its lowest
    and its maximum drawdown since the sample before, shape (n_samples, n_currencies, 4); ``totals`` the present records. Of
    a total that is sampled alone, ``sampled`` has no accounts, and ``nets`` the net position in each instrument.
    """

    sample_at: np.ndarray
    sampled: np.ndarray
    paths: np.ndarray
    totals: np.ndarray
    nets: np.ndarray

    @classmethod
    def at(cls, times: np.ndarray, accounts: int, currencies: int = 0, netted: int = 0) -> Samples:
        """Empty samples at these times, of a number of accounts and `netted` instruments."""
        return cls(
            times,
            np.zeros((2, len(times), accounts), np.int64),
            np.zeros((len(times), currencies, WIDTH), np.int64),
            np.zeros(currencies + 1, TOTALS),
            np.zeros(NET * netted, np.int64),
        )

    @classmethod
    def none(cls, accounts: int) -> Samples:
        """No samples."""
        return cls.at(np.zeros(0, np.int64), accounts)

    def begin(self, state: State, currencies: list[list[int]]) -> None:
        """Count the accounts of each currency in its total, from the profit that they have."""
        state.counts[Counter.SAMPLES], state.counts[Counter.TOTALS] = len(self.sample_at), len(currencies)
        if len(self.sample_at):
            state.counts[Counter.NEXT_TURN] = min(state.counts[Counter.NEXT_TURN], self.sample_at[0])
        accounts, (equity, paid_in) = state.accounts[1:], money_of(state)
        accounts["counted"] = equity - paid_in
        for code, members in enumerate(currencies):
            accounts["total"][members] = code
            self.totals["profit"][code + 1] = accounts["counted"][members].sum()
        if len(self.nets):
            lots, value = self.nets.reshape(-1, NET).T
            np.add.at(lots, state.positions["instrument"][1:], state.positions["qty"][1:])
            held, instruments = np.flatnonzero(lots), state.instruments[1:]
            value[held] = lots[held] * instruments["mark"][held] * instruments["numerator"][held]
            self.totals["profit"][1] += value.sum() - accounts["value"].sum()
        self.totals["high"] = self.totals["low"] = self.totals["profit"]

    def finish(self, state: State) -> None:
        """Fill the samples that no event passed with the final values."""
        first = int(state.counts[Counter.SAMPLE])
        if self.sampled.size:
            self.sampled[:, first:] = np.stack(money_of(state))[:, None, :]
        for total in Records(self.totals, 1):
            note_total(total)
        last = np.stack([self.totals[name][1:] for name in ("profit", "high", "low", "fall")], axis=-1)
        self.paths[first : first + 1] = last
        self.paths[first + 1 :, :, :3] = last[:, :1]  # nothing moves after the last event


def deepest_fall(paths: np.ndarray) -> int:
    """Maximum drawdown of a total from its `Samples.paths`, in quanta; zero at the start is a peak."""
    before = np.maximum.accumulate(np.concatenate([[0], paths[:, 1]]))[:-1]
    return int(np.maximum(paths[:, 3], before - paths[:, 2]).max(initial=0))


def spaced_times(ts: np.ndarray, spacing: int) -> np.ndarray:
    """Multiples of the spacing after the first of these times, up to one past the last."""
    first, last = (int(ts.min()), int(ts.max())) if len(ts) else (0, 0)
    count = last // spacing - first // spacing + 1
    if count > MOST:
        raise InputError(f"sample_ns={spacing} makes {count:,} samples; at most {MOST:,} fit, choose a wider spacing")
    return (first // spacing + 1 + np.arange(count, dtype=np.int64)) * spacing


def money_of(state: State) -> tuple[np.ndarray, np.ndarray]:
    """Equity and net deposits of every account."""
    accounts = state.accounts[1:]
    given = accounts["has_external_equity"] != 0
    equity = np.where(given, accounts["external_equity"], accounts["cash"] + accounts["value"])
    return equity, np.where(given, accounts["external_deposits"], accounts["net_deposits"])
