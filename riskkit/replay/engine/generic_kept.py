"""The text of the generic loop and its facts, kept in the cache folder: to make them takes as long as to load the machine code.

They are made of the sources of this package and of nothing else, whose digest they are kept under.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from riskkit._cache import cache_folder
from riskkit._check import InputError
from riskkit._files import whole_file
from riskkit.replay.engine.generic_words import Fact, Facts

NAME = "riskkit_generic.json"


def kept(make: Callable[[], tuple[str, str, Facts]]) -> tuple[str, str, Facts]:
    """Name and text of the loop's module and its facts, as they are kept; if not for these sources, made and kept."""
    sources = digest_of_sources()
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        stored = json.loads((cache_folder() / NAME).read_text(encoding="utf-8"))
        if stored["sources"] == sources:
            return _read(stored)
    name, text, facts = make()
    stored = json.dumps({"sources": sources, "name": name, "text": text, "facts": facts._asdict()})
    assert _read(json.loads(stored)) == (name, text, facts)
    with suppress(InputError), whole_file(cache_folder() / NAME) as file:
        file.write(stored.encode())
    return name, text, facts


@cache
def digest_of_sources() -> str:
    """Digest of every module of the package."""
    root, mark = Path(__file__).parents[2], hashlib.blake2b(digest_size=16)
    for path in sorted(root.rglob("*.py")):
        mark.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return mark.hexdigest()


def _read(stored: Mapping[str, Any]) -> tuple[str, str, Facts]:
    levels = {level: tuple(map(_fact, facts)) for level, facts in stored["facts"].items()}
    return stored["name"], stored["text"], Facts(**levels)


def _fact(fields: list[Any]) -> Fact:
    level, text, known, by_kind = fields
    return Fact(level, text, tuple((name, value) for name, value in known), by_kind)
