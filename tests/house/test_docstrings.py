"""Every public name of the risk models says what goes in, what comes out, what is refused and where it is written."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest

import riskkit

MODELS = (
    "returns",
    "pnl",
    "covariance",
    "var",
    "var.parametric",
    "var.order_statistics",
    "var.tails",
    "var.learned",
    "attribution",
    "montecarlo",
)
MODELS += ("compat", "instruments", "stress", "liquidity", "performance", "var_backtest", "learn")
SHORT_FORM = {"BaseRule", "Direction", "Order", "RiskEngine", "RuleContext", "Trade", "build_config"}  # no models
SHORT_FORM |= {"AccountVolumeLimitRule", "OrderRateLimitRule"}
PUBLIC = {
    f"{module}.{name}": getattr(import_module(f"riskkit.{module}"), name)
    for module in MODELS
    for name in import_module(f"riskkit.{module}").__all__
    if name not in SHORT_FORM
}
SHORT = {name.rpartition(".")[2] for name in PUBLIC}
NAMES = [name for name, value in PUBLIC.items() if callable(value)]
FUNCTIONS = [name for name in NAMES if not inspect.isclass(PUBLIC[name])]
CLASSES = [name for name in NAMES if inspect.isclass(PUBLIC[name])]
WITHOUT_SOURCE = {  # sums, counts and rearrangements of what came in: there is nothing to look up
    "aggregate",
    "average_trade",
    "max_consecutive_losses",
    "correlation_from_covariance",
    "covariance_from_correlation",
    "profit_and_loss",
    "full_revaluation",
    "risk_score",
    "scenario",
    "tail_probability",
    "n_tail",
}


def sections(name: str) -> dict[str, str]:
    """The numpy-style sections of a docstring by title; the text before the first is ''."""
    parts = re.split(r"^(\w[\w ]*)\n-+$", inspect.getdoc(PUBLIC[name]) or "", flags=re.MULTILINE)
    return {"": parts[0], **{parts[i]: parts[i + 1].strip() for i in range(1, len(parts), 2)}}


def described(text: str) -> set[str]:
    """The names that a Parameters section describes: those at the left margin, before the colon."""
    heads = [line.split(" : ")[0] for line in text.splitlines() if line and not line.startswith(" ")]
    return {part.strip().lstrip("*") for head in heads for part in head.split(",")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    found = sections(name)
    parameters = set(inspect.signature(PUBLIC[name]).parameters)
    assert described(found.get("Parameters", "")) == parameters
    for title in ("Returns", "Raises"):
        assert found.get(title), f"{name} has no {title}"
    assert ">>> " in found.get("Examples", ""), f"{name} has no example"
    assert name.rpartition(".")[2] in WITHOUT_SOURCE or re.search(r"\((19|20)\d\d\)", found.get("References", "")), (
        f"{name} has no source"
    )


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name):
    kind = PUBLIC[name]
    found = sections(name)
    fields = {field for field in getattr(kind, "__annotations__", {}) if not field.startswith("_")}
    assert described(found.get("Parameters", found.get("Attributes", ""))) >= fields
    if not inspect.isabstract(kind):
        assert ">>> " in found.get("Examples", ""), f"{name} has no example"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_a_docstring_sends_the_reader_to_exists(name):
    for found in re.findall(r"[Aa]s in `([\w.]+)`", inspect.getdoc(PUBLIC[name])):
        assert found.startswith("riskkit.") or found in SHORT or hasattr(riskkit, found), f"{name} points to {found}"


def test_the_exceptions_are_public_names():
    assert {name.rpartition(".")[2] for name in FUNCTIONS} >= WITHOUT_SOURCE
