"""What a replay booked, move by move, ends at its positions: fills cut, dropped, busted and corrected."""

import numpy as np
import pytest
from streams import random_log

from riskkit.replay.results.booked import booked_moves, opening_lots
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import MaxOrderQty, OrderRate

RULES = RuleSet([Rule("size", MaxOrderQty(limit=3)), Rule("rate", OrderRate(limit=2, window_ns="100s"))])


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
@pytest.mark.parametrize("seed", range(12))
def test_moves_sum_to_the_positions_at_the_end(seed, mode):
    log = random_log(seed, 150, opened=seed % 2 == 1, venue=seed % 3 != 0)
    result = replay_log(log, RULES, mode, compiled=False)
    moves, opening = booked_moves(result), opening_lots(result)
    total = opening.copy()
    np.add.at(total, moves.pairs, moves.lots)
    np.testing.assert_array_equal(total, result.state.positions["qty"][1:])
    pairs = np.arange(len(opening))
    np.testing.assert_array_equal(moves.before(opening, pairs, np.zeros_like(pairs)), opening)
    np.testing.assert_array_equal(moves.before(opening, pairs, np.full_like(pairs, len(log))), total)
    halfway = log.columns["pair"][moves.rows[len(moves.rows) // 2]]
    at = moves.rows[len(moves.rows) // 2]
    earlier = moves.lots[(moves.pairs == halfway) & (moves.rows < at)].sum() + opening[halfway]
    assert moves.before(opening, np.array([halfway]), np.array([at])).tolist() == [earlier]
