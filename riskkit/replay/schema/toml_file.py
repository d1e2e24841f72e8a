"""Read a TOML file, with errors that name the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from riskkit._check import InputError, shown
from riskkit._files import path_of


def read_toml(path: str | Path, what: str) -> dict[str, Any]:
    """The tables of a TOML file, with or without a byte order mark.

    Raises
    ------
    InputError
        If the file cannot be read or is not TOML; the message begins with `what` and the file's name.
    """
    path = path_of(path)
    name = f"{what} {shown(path.name)}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not TOML: {error}") from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{name} is not TOML: its values are nested too deep") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not TOML: {error}") from None
    except ValueError:
        raise InputError(f"{name} holds an integer of thousands of digits; 64 bits have 19") from None
