"""What a command answers: a text, or with ``--json`` the same facts as one JSON object."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from riskkit._show import Shown


class Answer(NamedTuple):
    """A text for people and the facts for programs; a fact may be a DataFrame, which becomes a list of its rows."""

    text: str
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, found: Shown, **facts: Any) -> Answer:
        """A result as its text, and its facts with the rows of that text."""
        rows = [{"label": label, "value": value, "unit": unit} for label, value, unit in found._rows()]
        return cls(repr(found), {**facts, "rows": rows})


def answers(run: Callable[..., Answer]) -> Callable[..., None]:
    """Decorator of a command that returns an `Answer`: adds the option ``--json`` and prints one of the two."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @functools.wraps(run)
    def command(*, as_json: bool, **given: Any) -> None:
        answer = run(**given)
        click.echo(json_text(answer.facts) if as_json else answer.text)

    return command


def tells(run: Callable[..., None]) -> Callable[..., None]:
    """Decorator of a command that runs until it is ended and gets `tell`, a function of a text and facts: adds ``--json``."""

    @click.option("--json", "as_json", is_flag=True, help="Print a JSON object on a line at the start, and at the end.")
    @functools.wraps(run)
    def command(*, as_json: bool, **given: Any) -> None:
        def tell(text: str, facts: Mapping[str, Any]) -> None:
            if facts or not as_json:
                click.echo(json_text(facts) if as_json else text)

        run(tell=tell, **given)

    return command


def json_text(facts: Mapping[str, Any]) -> str:
    """JSON of facts; what is not a number (NaN, infinity) is null.

    Examples
    --------
    >>> import numpy as np
    >>> json_text({"var": np.float64(0.02), "es": float("nan"), "rules": ("a", 1)})
    '{"var": 0.02, "es": null, "rules": ["a", 1]}'
    """
    return json.dumps(_plain(facts), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):  # a DataFrame or a Series
        return json.loads(value.reset_index().to_json(orient="records", date_format="iso", date_unit="ns"))
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value - value != 0.0:
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)
