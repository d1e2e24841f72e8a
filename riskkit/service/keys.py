"""Keys of a service: what each may do, kept as hashes in a file that only its owner may read."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from riskkit._check import InputError, shown
from riskkit._files import append_whole, words_of
from riskkit.replay.schema.toml_file import read_toml

SCOPES = ("read", "trade", "limits")
FIELDS = {"id", "owner", "hash", "scopes", "accounts"}
READ, TRADE, LIMITS = SCOPES


class Key(NamedTuple):
    """Who asks, and for what.

    Parameters
    ----------
    id, owner : str
        Of the key, for the audit; and of the person who answers for it.
    scopes : frozenset of {"read", "trade", "limits"}
        Look; send events, and stop everything; change limits and start again. No key has the last two.
    accounts : frozenset of str, optional
        The accounts whose events it may send; by default all.
    """

    id: str
    owner: str
    scopes: frozenset[str]
    accounts: frozenset[str] | None = None


def hash_of(secret: str) -> str:
    """The hash that is kept of a key: of 32 random bytes, so a plain one is enough."""
    return hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()


def read_keys(path: Path) -> dict[str, Key]:
    """Keys by their hash.

    Raises
    ------
    InputError
        If others may read the file, or a key has fields that do not fit.
    """
    others = stat.S_IRWXG | stat.S_IRWXO
    if os.name == "posix" and path.exists() and path.stat().st_mode & others:
        raise InputError(f"the file of keys {path.name!r} can be read by others; run: chmod 600 {path.name}")
    found: dict[str, Key] = {}
    for entry in read_toml(path, "file of keys").get("keys", []):
        if not isinstance(entry, Mapping) or not {"id", "hash", "scopes"} <= entry.keys() <= FIELDS:
            names = sorted(entry) if isinstance(entry, Mapping) else shown(entry)
            raise InputError(f"a key has {names}; it has id, hash and scopes, and may have owner and accounts")
        found[str(entry["hash"])] = _key(entry["id"], entry.get("owner"), entry["scopes"], entry.get("accounts"))
    if not found:
        raise InputError(f"the file of keys {path.name!r} has no keys; nobody could use the service")
    return found


def _key(name: str, owner: str | None, scopes: Iterable[str], accounts: Iterable[str] | None) -> Key:
    granted = frozenset(scopes)
    if not granted or granted - set(SCOPES):
        raise InputError(f"key {name!r} has the scopes {sorted(granted)}; they are {', '.join(SCOPES)}")
    if {TRADE, LIMITS} <= granted:
        raise InputError(f"key {name!r} may trade and change limits; limits need another key than trading")
    return Key(str(name), str(owner or name), granted, None if accounts is None else frozenset(accounts))


def add_key(
    path: Path, name: str, scopes: Iterable[str], *, owner: str | None = None, accounts: Iterable[str] | None = None
) -> str:
    """Add a key to a file, which is created if missing, and return its secret, which is kept nowhere.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     secret = add_key(Path(folder, "keys.toml"), "desk", ["read", "trade"], owner="Ann")
    ...     print(read_keys(Path(folder, "keys.toml"))[hash_of(secret)].owner)
    Ann
    """
    known = read_keys(path).values() if path.exists() else ()
    key = _key(name, owner, scopes, accounts)
    if any(one.id == key.id for one in known):
        raise InputError(f"key {key.id!r} is there already; give another id")
    secret = secrets.token_urlsafe(32)
    lines = ["[[keys]]", f"id = {_text(key.id)}", f"owner = {_text(key.owner)}", f"hash = {_text(hash_of(secret))}"]
    lines.append(f"scopes = [{', '.join(_text(scope) for scope in sorted(key.scopes))}]")
    if key.accounts is not None:
        lines.append(f"accounts = [{', '.join(map(_text, sorted(key.accounts)))}]")
    try:
        with open(path, "a+b", buffering=0, opener=_private) as file:
            append_whole(file, "\n".join([*lines, "", ""]).encode())
    except OSError as error:
        raise InputError(f"the file of keys {path.name!r} cannot be written: {words_of(error)}") from None
    return secret


def first_keys(path: Path) -> list[Path]:
    """A key to trade and one for limits, each in a file beside `path`, where that is missing; the files that were made."""
    if path.exists():
        return []
    made, part = [], path.with_name(f".{path.name}.part")  # who is killed before the last key has none, and begins anew
    part.unlink(missing_ok=True)
    for name, scopes in (("trade", (READ, TRADE)), ("limits", (READ, LIMITS))):
        made.append(path.with_name(f"{name}.key"))
        made[-1].unlink(missing_ok=True)  # which others may read
        with open(made[-1], "xb", opener=_private) as file:
            file.write(add_key(part, name, scopes).encode())
    part.replace(path)
    return made


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _text(value: str) -> str:
    """A text as TOML, which has no half characters: one would make the whole file unreadable."""
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise InputError(f"{shown(value)} has a half character; give complete ones")
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in value) + '"'
