"""The books of a rule whose amounts are converted, at the present rates: what it reads without a message."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._jit import plain
from riskkit.replay.engine.groups import group_of
from riskkit.replay.engine.shape import read_bits
from riskkit.replay.engine.state import State, conversion_terms
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels.records import Records
from riskkit.replay.kernels.runtime import Counter, Terms
from riskkit.replay.rules.money import gathers
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.universe import Universe


def converted_now(rule: Rule, key: int, state: State, universe: Universe, instrument: int, ts: int) -> tuple[Any, Any]:
    """The conversion of a rule's key at a time, and its converted book; that of the instrument's currency, if any."""
    conversion, total = (Records(state.groups[name][:1].copy()) for name in ("conversions", "converted_books"))
    rates = Records(state.groups["rates"], 1)
    terms = Terms(0, 0, 0, 0, *conversion_terms(rule, universe.currencies))
    oldest = exchange.oldest_of(terms, ts)
    currency = int(state.instruments["currency"][instrument + 1]) if instrument >= 0 else -1
    width = int(state.counts[Counter.CURRENCIES])
    if gathers(rule):
        books = Records(state.groups[group_of(rule).table("accounts")], 1)
        whose = key, width, currency, terms, oldest, read_bits(rule.kind.reads)
        plain(exchange.gather)(conversion[0], total[0], books, rates, *whose)
    elif currency >= 0:
        plain(exchange.find_way)(conversion[0], rates, width, currency, terms, oldest)
    return conversion[0], total[0]


def converted_books(rule: Rule, keys: int, state: State, universe: Universe) -> np.ndarray:
    """The converted book of each key of a rule that adds currencies, after an empty one; rates of any age count."""
    found = np.zeros(keys + 1, state.accounts.dtype)
    totals, conversion = Records(found, 1), Records(state.groups["conversions"][:1].copy())
    rates, books = (Records(state.groups[name], 1) for name in ("rates", group_of(rule).table("accounts")))
    terms = Terms(0, 0, 0, 0, *conversion_terms(rule, universe.currencies))
    whose = int(state.counts[Counter.CURRENCIES]), -1, terms, MISSING, read_bits(rule.kind.reads)
    for key in range(keys):
        plain(exchange.gather)(conversion[0], totals[key], books, rates, key, *whose)
    return found
