"""Names of accounts, instruments, strategies, rules and orders: one line of text that prints as itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from riskkit._check import InputError, shown
from riskkit._show import CONTROLS

WHY = "is not a name; a name is one line of text without control characters"


def name_text(value: Any, what: str) -> str:
    r"""A name as text, without spaces around it.

    Raises
    ------
    InputError
        If the name is empty or holds a line break or another control character.

    Examples
    --------
    >>> name_text(" desk 1 ", "account"), name_text(7, "account")
    ('desk 1', '7')
    >>> name_text("a\nb", "account")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: account='a\nb' is not a name; a name is one line of text without control characters
    """
    try:
        text = str(value).strip()
    except (ValueError, RecursionError):  # an integer of thousands of digits
        text = ""
    if not text or CONTROLS.search(text):
        raise InputError(f"{what}={shown(value)} {WHY}")
    return text


def first_bad(names: Iterable[Any]) -> int | None:
    """Position of the first of many names that `name_text` refuses, None if all are good; numbers are good."""
    texts = [name if isinstance(name, str) else "0" for name in names]
    if all(map(str.strip, texts)) and not CONTROLS.search("".join(texts)):
        return None
    return next((at for at, text in enumerate(texts) if not text.strip() or CONTROLS.search(text.strip())), None)
