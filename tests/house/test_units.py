"""One unit a word: a parameter or result field of a name has the same unit in every public signature.

`UNITS` gives the unit of every name of a quantity in the public functions and results of `PACKAGES`. The description of
each must not contradict it: a fraction is not described in percent or money, and money is described as money. To cover
another package, add it to `PACKAGES` and its names to `UNITS`; an unknown name and one that no longer exists both fail.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

PACKAGES = ("returns", "pnl", "covariance", "var", "attribution", "montecarlo", "stress", "liquidity", "performance")
PACKAGES += ("var_backtest", "var.tails", "var.learned", "learn")
IMITATED = {"calculate_liquidity_var"}  # names and units of other desks, converted at that surface

UNITS = {
    "fraction": """
        chi haircut roll_in run_off smoothed shock
        after_hit alpha autocorrelation batting_average bandwidth beta cdar confidence correlation coverage cumulative_probability explained
        es_95 es_99 var_95 var_99
        current_drawdown decay decisive_p_value density_ratio exact_coverage depth detectable_hit_rate drawdown
        exact_p_value exceedance_probability hit_rate loss_probability max_drawdown max_drawdown_limit p_value
        p_values pain_index participation path permanent persistence pit plus_factor power r_squared realized
        risk_score set_confidence shrinkage significance spread spread_sd spreads strength tail_fraction temporary
        tau tolerance toward true_coverage type1 ulcer_index win_rate
        u
        a b d transition filtered predicted
        move probabilities prior
        benchmark_weights budgets benchmark_returns segment_returns
        expected_coverage coverage_sd probability
        learning_rate used
    """,
    "fraction per period": "intercept log_returns log_volatility residual_volatility returns risk_free threshold",
    "fraction per year": "annualised_return annualised_volatility m_squared tracking_error",
    "as the returns": """
        sample
        log_drift root
        factor_covariance specific_variance benchmark variances
        average_loss average_trade average_win covariance current_volatility es es_high es_low es_standard_error
        history jump_mean jump_volatility last_return next_es next_var long_run_volatility mean factors moves
        next_volatility omega original pnl scenario scenarios sd specific_moves target_volatility values var
        var_high var_low var_standard_error volatilities volatility
        location scale estimate low high thresholds
        long_run fitted residual_variance next_variance variance bipower jump quarticity
        tripower_quarticity shocks
        variance_error
        bound target features forecast
    """,
    "money": """
        buffer equity inflows outflows market_depth shock_loss sold spiral_loss
        after before by_factor specific by_position component contributions cost_sd expected_cost holding_cost impact_cost
        liquidity_cost loss losses paths price_components price_var spread_cost standard_error theta total
        total_standard_error trade value value_today
    """,
    "money or shares": "adv positions quantity",
    "money per share": """
        price
        ask bid bid_ask_spread half_spread price_volatility prices spot
        close_from close_to open close
    """,
    "money per share per share": "permanent_slope temporary_slope",
    "money per unit move": "delta gamma",
    "money per point": "contract_multiplier",
    "per unit of money": "risk_aversion risk_aversions",
    "shares": "holdings quantities shares_outstanding trades",
    "periods": """
        durations survival_days cash_after
        backcast_periods block days half_life horizon lags length periods recovery return_period tau0 tau1 times
        to_trough under_water window
        run
        apart
    """,
    "per period": "drift intensity kappa",
    "unit of time of the volatility": "step",
    "periods per year": "periods_per_year",
    "position of a day": "alarm first_hit",
    "count": """
        n_regimes n_rounds n_rows n_together refits max_rounds rows expected_number
        checkpoints chunk_size columns consecutive_losses current_losing_run ddof df hit_counts iterations
        kmax left_out longest_losing_run pairs longest_winning_run max_iterations n00 n01 n10 n11 n_assets n_bootstrap n_directions
        n_draws n_paths n_hits n_losses n_obs n_refused n_scenarios n_trades n_wins n_worst replicates steps top
        n_blocks blocks
        hac_lags picks
        count
        rank train test purge
        embargo folds n_trees tree_depth
        n_dropped stale_periods jump_window
    """,
    "ratio": """
        coverage_ratio max_leverage impact_profile volatility_profile impact
        basel_multiplier calmar_ratio cluster_odds excess_kurtosis frtb_multiplier hit_odds impact_coefficient
        coefficient kurtosis loadings loss_scale omega_ratio payoff_ratio permanent_coefficient phi profit_factor
        rho sharpe_ratio sharpe_standard_error skewness sortino_ratio tail_factor temporary_coefficient
        beta_standard_error down_beta down_capture information_ratio treynor_ratio up_beta up_capture
        aversion market_price stress variance_ratio volatility_multiplier volatility_ratio weights
        shape dependence
        coefficients
        relative_entropy
    """,
    "standard deviations": "jump_size distance normals max_distance residuals spread_multiplier standardized z",
    "test statistic": "e_process log_e log_likelihood observed statistic",
    "score, smaller is better": "mean_scores scores scores_a scores_b",
    "years": "tenors",
    "seconds": "seconds",
    "unit of the rates wanted": "parallel short long",
    "entry of a matrix": """
        frobenius_distance largest_change matrix min_eigenvalue min_eigenvalue_after min_eigenvalue_before
    """,
    "nanoseconds, or a text with its unit": "every within",
    "any unit of volatility": "implied_volatility",
    "several units, by column": "done refitted following forecasts frame ranking standard_errors table",
}
UNIT_OF = {name: unit for unit, names in UNITS.items() for name in names.split()}

# words in a description that contradict the unit, and words of which it needs one
CONTRADICTS = {
    "fraction": r"in percent|per cent\b|\bmoney\b|basis points",
    "fraction per period": r"in percent|per cent\b|basis points",
    "fraction per year": r"in percent|per cent\b|\bmoney\b",
    "money": r"\bfraction\b|percent|per cent\b|basis points",
    "shares": r"\bfraction\b|percent",
    "count": r"\bfraction\b|\bmoney\b|percent",
    "periods": r"\bfraction\b|\bmoney\b|percent",
}
NEEDS = {
    "money": r"\bmoney\b|P&L|\bloss(es)?\b",
    "money per share": r"money per share|\bprices?\b",
    "fraction per year": r"per year",
    "periods": r"\b(periods?|days?|lagged|autocorrelations)\b",
    "count": r"\bnumbers?\b|divisor|degrees of freedom|\bdays\b",
}
# types and names that are no quantities: choices, labels, flags, texts, results, axes
NO_QUANTITY = re.compile(
    r"^(\{\"|label|str\b|bool\b|callable|mapping|numpy|Index|tuple of (str|\()|tuple\[|sequence of (str|labels|names)"
    r"|positions, DeltaGamma|(?!Any|DataFrame)[A-Z][a-z]+[A-Z]?\w*$)|booleans"
)
NAMES_OF_OBJECTS = set(
    """
    axes books defaults chi_square chi_squares control_variate effective_scenarios hierarchy hits instruments interval labels
    parameters policy proxies refusals result rng sequential start uniforms windows worst
    """.split()
)


class Use(NamedTuple):
    """One parameter or field: its place, the type that its docstring or annotation states, and its description."""

    place: str
    name: str
    type: str
    text: str

    @property
    def is_quantity(self) -> bool:
        elsewhere = not self.type and self.text.startswith(("As in", "See "))  # described where it points to
        return not elsewhere and self.name not in NAMES_OF_OBJECTS and not NO_QUANTITY.search(self.type)


def entries(documented: object) -> dict[str, tuple[str, str]]:
    """Type and description of every name in the sections "Parameters" and "Attributes" of a docstring."""
    found = {}
    for body in re.findall(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", _doc(documented), re.M | re.S):
        for entry in re.split(r"\n(?=\S)", body.rstrip()):
            head, _, text = entry.partition("\n")
            names, _, kind = head.partition(" : ")
            found |= {name.strip(): (kind, " ".join(text.split())) for name in names.split(",")}
    return found


def _doc(documented: object) -> str:
    return inspect.getdoc(documented) or ""


def uses() -> Iterator[Use]:
    """Every parameter of a public function or method, and every field and property of a public result."""
    for package in PACKAGES:
        module = importlib.import_module(f"riskkit.{package}")
        for name in module.__all__:
            public = getattr(module, name)
            if inspect.isclass(public):
                yield from _of_class(public)
            elif callable(public) and name not in IMITATED:
                yield from _of_function(public, name)


def _of_function(function: object, place: str) -> Iterator[Use]:
    described = entries(function)
    for name in inspect.signature(function).parameters:
        if name in described:
            yield Use(f"{place}({name})", name, *described[name])


def _of_class(result: type) -> Iterator[Use]:
    described = entries(result)
    for name in getattr(result, "__annotations__", {}):
        if not name.startswith("_"):
            yield Use(f"{result.__name__}.{name}", name, *described[name])
    owners = [owner for owner in reversed(result.__mro__) if owner.__module__.startswith("riskkit.")]
    members = {name: member for owner in owners for name, member in vars(owner).items()}
    for name, member in members.items():
        if name.startswith("_"):
            continue
        function = getattr(member, "fget", getattr(member, "func", None))
        if function is not None:
            yield Use(f"{result.__name__}.{name}", name, str(function.__annotations__["return"]), _doc(function))
        elif inspect.isfunction(member) or isinstance(member, classmethod):
            yield from _of_function(getattr(result, name), f"{result.__name__}.{name}")


USES = [use for use in uses() if use.is_quantity]


def test_every_name_has_a_unit_and_every_unit_a_use():
    used = {use.name for use in USES}
    assert sorted(used - UNIT_OF.keys()) == []
    assert sorted(UNIT_OF.keys() - used) == []
    assert len(UNIT_OF) == sum(len(names.split()) for names in UNITS.values()), "a name has two units"


@pytest.mark.parametrize("use", [use for use in USES if use.name in UNIT_OF], ids=lambda use: use.place)
def test_a_description_fits_the_unit_of_its_name(use):
    unit = UNIT_OF[use.name]
    assert use.text, f"{use.place} has no description"
    assert not (unit in CONTRADICTS and re.search(CONTRADICTS[unit], use.text, re.I)), f"{unit}, but: {use.text}"
    assert unit not in NEEDS or re.search(NEEDS[unit], use.text, re.I), f"{unit}, but not said: {use.text}"
