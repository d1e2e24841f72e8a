"""Names of accounts, instruments, strategies, rules and orders: one line of text that prints as itself."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any
from uuid import UUID

from riskkit._check import InputError, shown
from riskkit._show import CONTROLS

WHY = "is not a name; a name is one line of text without control characters"


def name_text(value: Any, what: str) -> str:
    r"""A name as text, without spaces around it; a whole float as that integer.

    Raises
    ------
    InputError
        If the name is empty, holds a line break or another control character, or is neither a text nor a number, date or
        UUID: the text of None or True names nobody.

    Examples
    --------
    >>> name_text(" desk 1 ", "account"), name_text(7, "account")
    ('desk 1', '7')
    >>> name_text("a\nb", "account")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: account='a\nb' is not a name; a name is one line of text without control characters
    """
    text = ""
    if isinstance(value, str) or _has_text(value):
        try:
            text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
        except ValueError:  # an integer of thousands of digits
            pass
    if not text or CONTROLS.search(text):
        raise InputError(f"{what}={shown(value)} {WHY}")
    return text


def _has_text(value: Any) -> bool:
    """True for a number, date or UUID, whose text is the name that it would have in a file; not for NaN, NaT or True."""
    if isinstance(value, Decimal):
        return not value.is_nan()
    return isinstance(value, (Real, datetime.date, UUID)) and not isinstance(value, bool) and bool(value == value)


def first_bad(names: Iterable[Any]) -> int | None:
    """Position of the first of many names that `name_text` refuses, None if all are good."""
    texts = [name if isinstance(name, str) else "0" if _has_text(name) else "" for name in names]
    if all(map(str.strip, texts)) and not CONTROLS.search("".join(texts)):
        return None
    return next((at for at, text in enumerate(texts) if not text.strip() or CONTROLS.search(text.strip())), None)
