"""The risk models beside what people use today; one file a model."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any


def rows(only: str = "") -> Iterator[Any]:
    """Run every model's benchmark, or the one named `only`."""
    for part in pkgutil.iter_modules(__path__):
        if not only or part.name == only:
            yield from importlib.import_module(f"{__name__}.{part.name}").rows()
