"""The replay loop: the template of the compiled loop of each rule set.

``riskkit.replay.engine.specialise`` turns these files into the loop of one `Shape` (rules, mode, columns of the log) before it
is compiled. The result is a reduced version of the same Python, so these files can be read, checked and stepped through:

- *Folded*: an expression of facts only (``shape``, ``rule``, a ``kind`` or ``sign`` passed as a constant, codes
  and constants) becomes its value, and an ``if`` on it becomes the branch that is taken.
- *Unrolled*: ``for rule in shape.rules`` is written out once for each rule. The variables of a rule (``rule.state``,
  ``rule.params``, ...) become separate variables: ``state_order_rate_0``, ``params_order_rate_0``.
- *Hooks*: ``rule.check()`` calls the function of that rule's type with the arguments in its signature: variables of
  the loop (``event``, ``book``, ``memory``, ...), and the keyword arguments given here.
- *Inlined*: each call of a function that is not in ``FUNCTIONS`` is replaced by its body; the names that it declares
  ``global`` are variables of the caller. A ``return`` in it ends the event.
- *Passed*: a function of ``FUNCTIONS`` becomes a function, one for each kind it is called with (``judge_order``). It
  gets the variables that it reads and never writes as further arguments.
- ``log.price[i]`` is the price of row i, ``arrays.price`` the array passed to ``run``, and
  ``variables["rows"]`` the variable ``rows``.

With ``compiled=False`` the loop of a shape runs as plain Python with the files and lines of the template: breakpoints and
coverage work here. There an inlined function is one again (`riskkit.replay.engine.plain`).

`run` is where to begin; each file imports the functions that it calls from others.
"""

from __future__ import annotations

from types import ModuleType

from riskkit.replay.engine.loop import (
    amends,
    answers,
    books,
    commands,
    credit,
    days,
    equity,
    fills,
    judgement,
    lots,
    money,
    multiplier,
    orders,
    outcomes,
    prices,
    records,
    run,
    settlement,
    snapshot,
    split,
    variables,
    working,
)

FILES: tuple[ModuleType, ...] = (
    variables, run, days, records, books, outcomes, judgement, orders, working, answers, fills, amends, lots, snapshot,
    settlement, split, multiplier, prices, equity, money, credit, commands,
)  # fmt: skip
FUNCTIONS = (
    "run",
    "turn_over",
    "judge",
    "moved",
    "cancel_working",
    "cancel_commanded",
    "cancel_met",
    "pay_dividend",
    "reconcile",
    "book_adjustment",
    "settle",
    "split",
    "multiply",
)  # all others are inlined
