"""A connection that is made when it is needed, again after an outage, and cut where the server says nothing for too long."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from riskkit._check import InputError, instance, optional, positive
from riskkit._fork import lock_of

BAD_ADDRESS = "conninfo is not the address of a PostgreSQL; give postgresql://USER@HOST:PORT/DATABASE, with the password in a file"

LONGEST_CONNECT = 10  # seconds


class Connection:
    """One connection, used by one thread at a time.

    Parameters
    ----------
    conninfo : str
        As libpq takes it: postgresql://USER@HOST:PORT/DATABASE or "host=... dbname=...".
    timeout : float
        Seconds that a use of it may take.
    """

    def __init__(self, conninfo: str, timeout: float) -> None:
        self._psycopg = optional("psycopg", "postgres")
        self.errors: tuple[type[Exception], ...] = (self._psycopg.Error, OSError)
        try:
            parts = optional("psycopg.conninfo", "postgres").conninfo_to_dict(instance(conninfo, str, "conninfo"))
        except self._psycopg.Error:  # its message may have the password
            raise InputError(BAD_ADDRESS) from None
        self._timeout = positive(timeout, "timeout")
        self._parts = {
            "connect_timeout": str(min(max(2, int(timeout)), LONGEST_CONNECT)),
            "application_name": "riskkit",
        } | parts
        self._lock = lock_of(self)
        self._made: Any = None

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: the conversation goes on in the parent, and is not to be ended here."""
        self._of_parent, self._made = self._made, None

    @contextmanager
    def use(self) -> Iterator[Any]:
        """The connection (psycopg, autocommit); after an error it is made anew at the next use.

        Raises
        ------
        psycopg.Error
            If the server is away, says nothing within the timeout, or refuses.
        """
        with self._lock:
            made = self._connected()
            watch = threading.Timer(self._timeout, self.cut)
            watch.daemon = True
            watch.start()
            try:
                yield made
            except BaseException:
                self._drop()
                raise
            finally:
                watch.cancel()

    def _connected(self) -> Any:
        if self._made is None or self._made.closed:
            self._made = self._psycopg.connect(**self._parts, autocommit=True)
        return self._made

    def _drop(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            with contextlib.suppress(*self.errors):
                made.close()

    def cut(self) -> None:
        """End the conversation that another thread waits for, which then raises an error; without one nothing happens."""
        made = self._made
        with contextlib.suppress(Exception), socket.socket(fileno=os.dup(made.fileno())) as conversation:
            conversation.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; the next use would open it again."""
        with self._lock:
            self._drop()
