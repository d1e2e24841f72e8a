"""The sentence with which a call is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from riskkit import InputError


def refusal(function: Callable[..., Any], *args: Any, **options: Any) -> str:
    with pytest.raises(InputError) as refused:
        function(*args, **options)
    return str(refused.value)
