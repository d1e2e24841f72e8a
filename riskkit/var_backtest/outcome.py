"""What one test says: statistic, p-values, and the verdict in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from riskkit._show import Row, Shown, number, percent

__all__ = ["Outcome", "undefined"]


@dataclass(frozen=True, repr=False)
class Outcome(Shown):
    """The outcome of one test of a risk forecast.

    A test that the sample cannot answer has no p-value (None) and says why in `note`; it never rejects.

    Attributes
    ----------
    test : str
        Name of the test.
    null : str
        What is tested, in words.
    finding : str
        What was seen, in words.
    statistic : float or None
        None where the sample gives none.
    distribution : str
        What `p_value` rests on, for example "chi-square, 1 df".
    p_value : float or None
        Asymptotic p-value, or the only one.
    exact_p_value : float or None
        Finite-sample p-value, where there is one.
    exact_method : str
        "enumeration", or how it was simulated.
    df : int or None
        Degrees of freedom, where the distribution has them.
    significance : float
        Level of the verdict: 0.05 for 5 %.
    details : mapping of str to a number or text
        What else the test computes.
    note : str
        Why there is no p-value; empty where there is one.

    Examples
    --------
    >>> Outcome("Kupiec POF", "a hit has probability 1 %", "15 hits", 2.19, "chi-square, 1 df", 0.139).reject
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
        """The exact p-value where there is one, else the asymptotic one."""
        return self.p_value if self.exact_p_value is None else self.exact_p_value

    @property
    def reject(self) -> bool:
        """Whether the decisive p-value is at most `significance`."""
        p_value = self.decisive_p_value
        return p_value is not None and p_value <= self.significance

    @property
    def verdict(self) -> str:
        """One sentence."""
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


def undefined(test: str, null: str, note: str, statistic: float | None = None, **details: Any) -> Outcome:
    """Return the outcome of a test that this sample cannot answer."""
    return Outcome(test, null, note, statistic, "undefined", None, details=details, note=note)
