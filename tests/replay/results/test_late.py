"""A decision whose fields are made when one is read is that which is made at once."""

import copy
import dataclasses
import pickle

import pytest

from riskkit.replay.results.decisions import Decision, DecisionKind

AT_ONCE = Decision(DecisionKind.REJECT, "size", "A", "too large.", 7, 5, -2, 0, None, 3, "A", "ES", "quantity")


def later(calls):
    def make(*args):
        calls.append(args)
        return AT_ONCE

    return Decision.later(DecisionKind.REJECT, "size", make, 1, 2)


def test_action_and_rule_are_there_at_once_and_all_else_is_made_once():
    calls: list[tuple[int, ...]] = []
    found = later(calls)
    assert (found.action, found.rule, calls) == (DecisionKind.REJECT, "size", [])
    assert (found.reason, found.observed, found.unit, calls) == ("too large.", 7, "quantity", [(1, 2)])
    assert found == AT_ONCE and hash(found) == hash(AT_ONCE) and repr(found) == repr(AT_ONCE) and len(calls) == 1


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, dataclasses.replace, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_of_one_that_nobody_has_read_is_whole(way):
    assert way(later([])) == AT_ONCE


@pytest.mark.parametrize("one", [AT_ONCE, later([])], ids=["made at once", "made later"])
def test_a_field_that_there_is_not_is_named_and_none_can_be_written(one):
    with pytest.raises(AttributeError, match="a Decision has no field 'price'"):
        _ = one.price
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.reason = "none"
