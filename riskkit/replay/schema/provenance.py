"""The provenance of the data of a table in one sentence: real or not, adjusted, survivors only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = ("real", "simulated", "synthetic")


def data_sentence(about: Mapping[str, Any]) -> str:
    """Describe the data from ``EventLog.about``; undeclared facts are named as unknown.

    Parameters
    ----------
    about : mapping
        ``kind`` (real, simulated or synthetic), ``adjusted`` (False, True, or a text such as "for splits"),
        ``survivors_only`` (a bool), ``orders`` (their source, if it is another).

    Examples
    --------
    >>> data_sentence({"kind": "real", "adjusted": "for dividends and splits", "survivors_only": True})
    'Data: real, adjusted for dividends and splits, survivors only.'
    >>> data_sentence({})
    "Data: not declared as real, simulated or synthetic; declare it with about={'kind': ...}."
    """
    if "kind" not in about:
        return "Data: not declared as real, simulated or synthetic; declare it with about={'kind': ...}."
    words = [str(about["kind"]), _adjusted(about), _survivors(about)] if about["kind"] == "real" else [about["kind"]]
    orders = f"; orders: {about['orders']}" if "orders" in about else ""
    return f"Data: {', '.join(words)}{orders}."


def _adjusted(about: Mapping[str, Any]) -> str:
    given = about.get("adjusted")
    if given is None:
        return "adjusted or not is not declared"
    text = str(given)
    if given is False or text.startswith("no"):
        return "not adjusted"
    return "adjusted" if given is True else f"adjusted {text}"


def _survivors(about: Mapping[str, Any]) -> str:
    given = about.get("survivors_only")
    if given is None:
        return "survivors only or not is not declared"
    return "survivors only" if given else "not only survivors"
