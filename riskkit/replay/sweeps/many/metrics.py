"""Metrics of one setting of a sweep: what its replay did, in one row of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import DecisionCode
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.sweeps.many.days import REJECTIONS, Measured
from riskkit.replay.sweeps.many.figures import ENFORCED, FIGURES, IN_HINDSIGHT, Record, figures_of
from riskkit.replay.sweeps.many.policies import POLICIES, Policy, agree

Metrics = dict[str, Any]
BY_POLICY = ("profit_change", "drawdown")  # figures that are given under each policy for orphan exits
METRICS = {
    **ENFORCED,
    "accounts_paused": "number of accounts paused at any time, by rules of an account's scope",
    "account_drawdown": "largest drawdown of one account's profit, after any event, money",
    "never_bound": "ids of the rules that neither objected nor tripped",
    "orphans": "policy for orphan exits",
    "orphan_exits": "number of orphan exits",
    **{f"{name}_{policy}": f"{name} if orphan exits are under {policy}" for policy in POLICIES for name in BY_POLICY},
    "policies_agree": "True if profit_change has the same sign under every policy",
    **IN_HINDSIGHT,
    "digest": "digest of the replay",
}
ON_REQUEST = {
    "digests": ("digest",),
    "account_drawdown": ("account_drawdown",),
    "policies": (*(f"{name}_{policy}" for policy in POLICIES for name in BY_POLICY), "policies_agree"),
}
"""Metrics that cost more than a replay and its total, by the option that asks for them."""
TEXTS = ("never_bound", "orphans", "digest")


def metric_names(**asked: bool) -> tuple[str, ...]:
    """The metrics of a sweep with these options of `ON_REQUEST`, in order."""
    left_out = {name for option, names in ON_REQUEST.items() if not asked[option] for name in names}
    return tuple(name for name in METRICS if name not in left_out)


def metrics_of(
    result: ReplayResult, found: dict[Policy, Measured], record: Record, policy: Policy, names: tuple[str, ...]
) -> Metrics:
    """The metrics of these names of one replay, measured under each policy that is found."""
    figures = {name: _plain(value) for name, value in figures_of(record, found[policy]).items()}
    own = {**figures, **_of_result(result, names), "orphans": policy}
    own |= {"digest": result.digest} if "digest" in names else {}
    for other, measured in found.items():
        under = figures if measured is found[policy] else figures_of(record, measured)
        own |= {f"{name}_{other}": float(under[name]) for name in BY_POLICY}
    return _complete(own, names)


def book_metrics(rest: ReplayResult, found: Measured, record: Record, names: tuple[str, ...]) -> Metrics:
    """Metrics of a replay in shadow mode that do not depend on what is rejected."""
    figures = {name: _plain(value) for name, value in figures_of(record, found).items()}
    return {**figures, **_of_result(rest, names)}


def with_rejections(
    book: Metrics, sums: list[int], record: Record, policy: Policy, names: tuple[str, ...], digest: str
) -> Metrics:
    """The metrics of a replay in shadow mode from its `book_metrics` and the sums of its `REJECTIONS`."""
    empty = Measured(np.zeros_like(record.measured.sums), np.zeros_like(record.measured.path))
    empty.sums[0, : len(REJECTIONS)] = sums
    rejections = figures_of(record, empty)
    taken = [name for name in FIGURES if name in REJECTIONS or name in ("rejected_share", "good_flow_blocked")]
    own = {**book, **{name: _plain(rejections[name]) for name in taken}, "orphans": policy, "digest": digest}
    return _complete({**own, **{f"{name}_{other}": own[name] for other in POLICIES for name in BY_POLICY}}, names)


def _complete(own: Metrics, names: tuple[str, ...]) -> Metrics:
    if "policies_agree" in names:
        own["policies_agree"] = agree(own[f"profit_change_{policy}"] for policy in POLICIES)
    return {name: own[name] for name in names}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _of_result(result: ReplayResult, names: tuple[str, ...]) -> Metrics:
    transitions = result.transitions()
    trips = transitions[transitions["code"] == DecisionCode.TRIP]
    fallen = result.state.accounts["drawdown"] if "account_drawdown" in names else np.zeros(1, np.int64)
    return {
        "accounts_paused": _accounts_paused(result, trips),
        "account_drawdown": int(fallen.max()) * float(result.log.universe.quantum),
        "never_bound": ", ".join(result.silent()),
        "orphan_exits": result.counts()["orphans"] if result.mode == "enforce" else 0,
    }


def _accounts_paused(result: ReplayResult, trips: np.ndarray) -> int:
    """Number of accounts paused as an account, or in one of their instruments."""
    accounts: set[int] = set()
    for k, rule in enumerate(result.rules):
        keys = trips["key"][trips["cause"] == k]
        if SCOPES[rule.scope].owner == "account":
            accounts.update(result.state.rules[k]["owner"][keys + 1].tolist())
    return len(accounts)
