"""Enforced replays of subsets of a rule set, and the attribution of their effect to the rules.

All subsets run in one loop: a rule that is off stops nothing and is heard all the same. If it neither objected nor tripped
in a replay, that replay is the one with it on too; so a replay answers for every subset that differs only in such rules.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import NamedTuple

import numpy as np

from riskkit.replay.engine.compiler import Tier
from riskkit.replay.engine.samples import deepest_fall
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.pace import OnTrip, PlainPace
from riskkit.replay.run.replay_log import Stage
from riskkit.replay.sweeps.many.policies import Policy

MAX_EXACT = 10
"""Most rules of which every subset is replayed."""


class Worth(NamedTuple):
    """What an enforced replay did: total profit and its drawdown after any event in quanta, refusals, orphan exits."""

    profit: int
    drawdown: int
    refused: int
    orphans: int


class Coalitions:
    """Enforced replays of subsets of rules, each run at most once.

    Parameters
    ----------
    log : EventLog
        The record.
    rules : RuleSet
        All rules; a subset is a mask with bit k set if rule k is on.
    orphans, on_trip, flatten, compiled
        As in `riskkit.replay_log`.
    """

    def __init__(
        self, log: EventLog, rules: RuleSet, *, orphans: Policy, on_trip: OnTrip, flatten: PlainPace, compiled: Tier
    ) -> None:
        end = int(log.columns["ts"].max()) + 1 if len(log) else 1
        self.rules = rules
        self.players = [k for k, rule in enumerate(rules) if rule.action != "ALERT"]
        self.everyone = sum(1 << k for k in self.players)
        self.replays = 0
        self._known: list[tuple[int, int, Worth]] = []  # rules that were heard, those of them that were on
        self._stage = Stage(
            log, rules, "enforce", orphans=orphans, on_trip=on_trip, flatten=flatten, compiled=compiled,
            sample_at=np.array([end]), total_only=True,
        )  # fmt: skip

    def worth(self, on: int) -> Worth:
        """What the replay with these rules did."""
        for heard, known, worth in self._known:
            if on & heard == known:
                return worth
        off = [k for k in self.players if not on >> k & 1]
        result = self._stage.replay(self.rules, off=off)
        self.replays += 1
        heard = int(np.bitwise_or.reduce(result.rows["mask"])) & self.everyone if len(result.rows) else 0
        paths = result.paths()
        worth = Worth(int(paths[-1, 0]), deepest_fall(paths), len(result.rejections()), result.counts()["orphans"])
        self._known.append((heard, on & heard, worth))
        return worth


class Attribution(NamedTuple):
    """Shapley values of the rules, and their standard errors (0 if exact); each of shape (n_rules, 2).

    The columns are the change of profit and of drawdown, in quanta; over the rules they add up to the change by all of
    them. Both are NaN if there are too many rules and no samples.
    """

    values: np.ndarray
    errors: np.ndarray
    how: str


def shapley_values(coalitions: Coalitions, rng: np.random.Generator | None, permutations: int) -> Attribution:
    """Shapley value of each rule: its mean contribution over all orders in which the rules could come into force.

    Exact for at most `MAX_EXACT` rules that refuse or pause; beyond, the mean over `permutations` random orders.

    References
    ----------
    Shapley (1953), A value for n-person games, Contributions to the Theory of Games II, 307-317, theorem 1. Castro, Gomez
    and Tejada (2009), Polynomial calculation of the Shapley value based on sampling, Computers and Operations Research
    36, 1726-1730.
    """
    size, players = len(coalitions.rules), coalitions.players
    if len(players) <= MAX_EXACT:
        return Attribution(_exact(coalitions), np.zeros((size, 2)), "exact")
    if rng is None:
        missing = np.full((size, 2), np.nan)
        return Attribution(missing, missing, f"more than {MAX_EXACT} rules; give rng for a sample")
    drawn = np.zeros((permutations, size, 2))
    for turn in range(permutations):
        on = 0
        for k in rng.permutation(players).tolist():
            drawn[turn, k] = _contribution(coalitions, on, k)
            on |= 1 << k
    errors = drawn.std(axis=0, ddof=1) / np.sqrt(permutations)
    return Attribution(drawn.mean(axis=0), errors, f"{permutations:,} random orders")


def _exact(coalitions: Coalitions) -> np.ndarray:
    players = coalitions.players
    n = len(players)
    values = [[Fraction(0), Fraction(0)] for _ in coalitions.rules]
    for subset in range(1 << n):
        on = sum(1 << players[j] for j in range(n) if subset >> j & 1)
        for j, k in enumerate(players):
            if not subset >> j & 1:
                weight = Fraction(1, n * comb(n - 1, subset.bit_count()))
                for column, change in enumerate(_contribution(coalitions, on, k)):
                    values[k][column] += weight * change
    return np.array(values, float).reshape(len(values), 2)


def _contribution(coalitions: Coalitions, on: int, k: int) -> tuple[int, int]:
    """Change of profit and of drawdown when rule k comes into force after others."""
    before, after = coalitions.worth(on), coalitions.worth(on | 1 << k)
    return after.profit - before.profit, after.drawdown - before.drawdown
