"""Who may do what how often: the first thing that happens to a request."""

from __future__ import annotations

import time
from collections.abc import Iterable

from riskkit._check import shown
from riskkit.service.keys import Key, hash_of
from riskkit.service.request import RefusedError
from riskkit.service.settings import Settings

BEARER = b"bearer "
NOBODY = "anonymous"
PUBLIC = Key("", "", frozenset())  # of a route that needs no key
CHALLENGE = ((b"www-authenticate", b"Bearer"),)
AGAIN = ((b"retry-after", b"1"),)


class Guard:
    """Keys, their scopes and their rates.

    Parameters
    ----------
    keys : dict of str to Key
        By the hash of the secret.
    settings : Settings
        Rates, and what a request without a key may do.

    Attributes
    ----------
    keys : dict of str to Key
        As given.
    nobody : Key, optional
        Of a request without a key, where that may do something.
    """

    def __init__(self, keys: dict[str, Key], settings: Settings) -> None:
        self.keys = keys
        self._known: dict[bytes, Key] = {}  # headers that were right, so that each is hashed once
        self.nobody = Key(NOBODY, NOBODY, frozenset(settings.anonymous)) if settings.anonymous else None
        self._rate, self._burst = settings.rate, float(settings.burst)
        self._left: dict[str, tuple[float, float]] = {}  # tokens and their time, by key

    def parties(self) -> list[Key | None]:
        """All that a request can be from, in an order that an engine and its workers have in common."""
        return [PUBLIC, self.nobody, *self.keys.values()]

    def key_of(self, authorization: bytes | None) -> Key:
        """The key of a header ``Authorization: Bearer ...``.

        Raises
        ------
        RefusedError
            Without a key, or with one that is not known (401).
        """
        if authorization is None:
            if self.nobody is not None:
                return self.nobody
            raise RefusedError(401, "a key is missing; send it as Authorization: Bearer KEY", headers=CHALLENGE)
        key = self._known.get(authorization)
        if key is None:
            scheme, secret = authorization[: len(BEARER)], authorization[len(BEARER) :]
            found = self.keys.get(hash_of(secret.decode("latin-1"))) if scheme.lower() == BEARER else None
            if found is None:
                raise RefusedError(401, "the key is not known", headers=CHALLENGE)
            key = self._known[authorization] = found
        return key

    def permit(self, key: Key, scope: str) -> None:
        """Refuse a request for which a key lacks the scope (403)."""
        if scope not in key.scopes:
            raise RefusedError(403, f"key {key.id!r} may {' and '.join(sorted(key.scopes))}; this needs {scope!r}")

    def count(self, key: Key) -> None:
        """Count a request of a key; refuse it if the key asks too often (429)."""
        now = time.monotonic()
        left, before = self._left.get(key.id, (self._burst, now))
        left = min(self._burst, left + (now - before) * self._rate)
        if left < 1.0:
            raise RefusedError(429, f"key {key.id!r} asks more than {self._rate:g} times in a second", headers=AGAIN)
        self._left[key.id] = left - 1.0, now

    def accounts(self, key: Key, accounts: Iterable[object]) -> None:
        """Refuse events of other accounts than those of the key (403); an event without one is of everybody."""
        if key.accounts is None:
            return
        for account in accounts:
            if not isinstance(account, str) or account not in key.accounts:
                named = f"account {shown(account)}" if isinstance(account, str) else "events without an account"
                raise RefusedError(
                    403, f"key {key.id!r} is not for {named}; it is for {', '.join(sorted(key.accounts))}"
                )
