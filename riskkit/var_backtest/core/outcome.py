"""Outcome of one test: statistic, p-values, and the verdict in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from riskkit._show import Row, Shown, number, percent
from riskkit.var_backtest.core.distributions import chi_square_tail


@dataclass(frozen=True, repr=False)
class TestResult(Shown):
    """The outcome of one test of a risk forecast.

    A test that is undefined for the sample has no p-value (None), states the reason in `note`, and never rejects.

    Attributes
    ----------
    test : str
        Name of the test.
    null : str
        Null hypothesis, in words.
    finding : str
        Observation, in words.
    statistic : float or None
        Test statistic; None if it is undefined.
    distribution : str
        Distribution of the statistic behind `p_value`, for example "chi-square, 1 df".
    p_value : float or None
        Asymptotic p-value, or the only one.
    exact_p_value : float or None
        Finite-sample p-value, if known.
    exact_method : str
        Method behind `exact_p_value`: "enumeration", or the simulation.
    df : int or None
        Degrees of freedom of the distribution, if it has any.
    significance : float
        Size of the test as a fraction: 0.05 for 5 %.
    details : mapping of str to a number or text
        Further results of the test.
    note : str
        Reason for a missing p-value; else empty.

    Examples
    --------
    >>> TestResult("Kupiec POF", "a hit has probability 1 %", "15 hits", 2.19, "chi-square, 1 df", 0.139).reject
    False
    """

    test: str
    null: str
    finding: str
    statistic: float | None
    distribution: str
    p_value: float | None
    exact_p_value: float | None = None
    exact_method: str = ""
    df: int | None = None
    significance: float = 0.05
    details: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def decisive_p_value(self) -> float | None:
        """Exact p-value if known, else the asymptotic one."""
        return self.p_value if self.exact_p_value is None else self.exact_p_value

    @property
    def reject(self) -> bool:
        """True if the decisive p-value is at most `significance`."""
        p_value = self.decisive_p_value
        return p_value is not None and p_value <= self.significance

    @property
    def verdict(self) -> str:
        """Decision, p-value and finding in one sentence."""
        p_value = self.decisive_p_value
        if p_value is None:
            return f"not applicable: {self.note}" if self.note else f"no verdict: {self.finding}"
        word = "REJECTED" if self.reject else "not rejected"
        shown = "p < 0.0001" if p_value < 1e-4 else f"p = {number(round(p_value, 4))}"
        return f"{word} at {percent(self.significance)} ({shown}): {self.finding}"

    def _title(self) -> str:
        return self.test

    def _rows(self) -> Iterable[Row]:
        yield "null hypothesis", "", self.null
        yield "statistic", self.statistic, ""
        yield "p-value", self.p_value, self.distribution
        if self.exact_p_value is not None:
            yield "exact p-value", self.exact_p_value, self.exact_method
        for name, value in self.details.items():
            label, is_text = name.replace("_", " "), isinstance(value, str)
            yield label, "" if is_text else value, value if is_text else ""
        yield "verdict", "", self.verdict


def chi_square_outcome(
    test: str,
    null: str,
    finding: str,
    statistic: float,
    df: int,
    exact_p_value: float | None = None,
    exact_method: str = "",
    **details: Any,
) -> TestResult:
    """Return the outcome of a test whose statistic is asymptotically chi-square."""
    distribution, p_value = f"chi-square, {df} df", chi_square_tail(statistic, df)
    method = "" if exact_p_value is None else exact_method
    return TestResult(test, null, finding, statistic, distribution, p_value, exact_p_value, method, df, details=details)


def undefined(test: str, null: str, note: str, statistic: float | None = None, **details: Any) -> TestResult:
    """Return the outcome of a test that is undefined for the sample."""
    return TestResult(test, null, note, statistic, "undefined", None, details=details, note=note)
