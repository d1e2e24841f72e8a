"""Each rule type, with each action that it admits, reads as English to somebody who has not seen the code."""

import random
import re

import pytest
from random_scenarios import PARAMETERS, rule

from riskkit import InputError, RuleSet
from riskkit.replay.rules.rule import ACTIONS

WORDS_OF_THE_CODE = re.compile(
    r"breaches it|refused|modif(y|ies)\b|\b(reject|alert|allow)\)|: (reject|alert|allow)\b|known: |None|  |\(\)"
)


def sentences(name):
    """The sentences of a type with each action, several scopes and settings."""
    found = {}
    for seed in range(8):
        plain = rule(random.Random(seed), name, seed) | {"id": "r"}
        for action in ACTIONS:
            try:
                found[seed, action] = RuleSet.from_dict({"rules": [{**plain, "action": action}]})[0]
            except InputError:  # an action that the type does not admit
                continue
    return found


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_rule_reads_as_two_sentences(name):
    found = sentences(name)
    assert found
    for (_, action), made in found.items():
        limit, effect = str(made).split(". ", 1) if ". " in str(made) else (str(made), "")
        assert limit.startswith("r: ") and effect[0].isupper(), str(made)
        assert effect.endswith(f" (severity {made.severity})."), str(made)
        assert not WORDS_OF_THE_CODE.search(str(made)), str(made)
        assert str(made).count("(") == str(made).count(")")
        assert ("raises an alert and stops nothing" in effect) == (action == "ALERT")
        assert ("are rejected" in effect) == (made.refuses or action == "QUEUE")
        pauses = {"PAUSE": " is paused ", "HALT": " is halted ", "REDUCE_ONLY": " may only reduce positions "}
        assert [words in effect for words in pauses.values()] == [one == action for one in pauses], str(made)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_number_of_one_has_no_plural(name):
    for made in sentences(name).values():
        assert not re.search(r"\b1 (?!ns|s\b|h\b|d\b|ms|us)(?!times)[a-z]+(?<!s)s\b", str(made)), str(made)
