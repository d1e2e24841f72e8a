"""Settings of a service, from a TOML file and the environment; what is unsafe is refused before anything listens."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from riskkit._check import InputError
from riskkit.replay.schema.toml_file import read_toml

Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
PORT = "RISK_ENGINE_PORT"
FROM_ENVIRONMENT = {
    "KAFKA_BROKERS": ("kafka", "brokers"),
    "REDIS_URL": ("redis", "url"),
    "POSTGRES_URL": ("postgres", "url"),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a service runs.

    Parameters
    ----------
    host, port : str, int
        Address to listen at. One that other machines reach needs TLS, or `behind_proxy`.
    workers : int
        Processes that take connections: with more than one, they check keys and read requests for the one engine.
    behind_proxy : bool
        True: a proxy in front of the service has TLS.
    tls_certificate, tls_key : str, optional
        Files in PEM form.
    mode : {"enforce", "shadow"}
        As of `Session`: in enforce mode a refused order counts for nothing, as its sender does not send it on.
    durability : {"group", "none"}
        "group": an answer is on disk before it is sent. "none": it is soon after.
    clock : {"server", "events"}
        "server": the service stamps each event; "events": each has its own time, ``ts``.
    four_eyes : bool
        True: other limits and rules need the key of a second person.
    keys : str
        File of keys (`riskkit.service.keys`); by default ``keys.toml`` in the folder of the state.
    anonymous : list of {"read", "trade"}
        What a request without a key may do, on an address that only this machine reaches.
    body_bytes, head_bytes, batch_events : int
        Largest body and head of a request, and number of events in one.
    waiting : int
        Number of requests that may wait for the disk; one more is answered with 503 at once.
    rate, burst : float, int
        Requests of a key in a second, and at once; one more is answered with 429.
    sockets, socket_messages : int
        Number of WebSockets, and of messages that wait for one of them; a slower one is closed with 1013.
    snapshot_seconds : float
        Between two snapshots of a user's exposure.
    idle_seconds : float
        After which a connection without a complete request is closed.
    origins : list of str
        Pages of other hosts that may open a WebSocket.
    challengers : dict of str to str
        Files of other rules, by name, that are judged on the same events and decide nothing.
    redis, postgres, kafka : dict
        Of those parts.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8300
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    behind_proxy: bool = False
    tls_certificate: str | None = None
    tls_key: str | None = None
    mode: Literal["enforce", "shadow"] = "enforce"
    durability: Literal["group", "none"] = "group"
    clock: Literal["server", "events"] = "server"
    four_eyes: bool = False
    keys: str = ""
    anonymous: list[Literal["read", "trade"]] = []
    body_bytes: Positive = 1 << 20
    head_bytes: Positive = 1 << 14
    batch_events: Positive = 10_000
    waiting: Positive = 4096
    rate: Seconds = 20_000.0
    burst: Positive = 20_000
    sockets: Positive = 1000
    socket_messages: Positive = 256
    snapshot_seconds: Seconds = 5.0
    idle_seconds: Seconds = 10.0
    origins: list[str] = []
    challengers: dict[str, str] = {}
    redis: dict[str, Any] = {}
    postgres: dict[str, Any] = {}
    kafka: dict[str, Any] = {}

    def __post_init__(self) -> None:
        """Refuse what would be open to other machines."""
        if self.is_local or self.behind_proxy:
            return
        if self.anonymous:
            raise InputError(f"anonymous={self.anonymous} at host={self.host!r} would let every machine in; give keys")
        if not (self.tls_certificate and self.tls_key):
            raise InputError(
                f"host={self.host!r} is reached by other machines, which needs tls_certificate and tls_key, or "
                "behind_proxy=true where a proxy has TLS"
            )

    @property
    def is_local(self) -> bool:
        """True if only this machine reaches the address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def read_settings(
    path: str | Path | None = None, *, environment: Mapping[str, str] = os.environ, **given: Any
) -> Settings:
    """Settings of a TOML file; what is given here, then what the environment says, goes before it.

    Parameters
    ----------
    path : str or Path, optional
        With the names of `Settings`; by default no file.
    environment : mapping
        RISK_ENGINE_PORT, and KAFKA_BROKERS, REDIS_URL and POSTGRES_URL for those parts.
    **given
        Single settings; None is not given.

    Raises
    ------
    InputError
        If a setting is not known, does not fit, or is unsafe.

    Examples
    --------
    >>> read_settings(environment={"RISK_ENGINE_PORT": "9000"}).port
    9000
    """
    found = {} if path is None else read_toml(path, "settings file")
    found |= {name: value for name, value in given.items() if value is not None}
    if PORT in environment and given.get("port") is None:
        found["port"] = environment[PORT]
    for variable, (part, name) in FROM_ENVIRONMENT.items():
        if variable in environment:
            found[part] = {**found.get(part, {}), name: environment[variable]}
    try:
        return msgspec.convert(found, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"a setting of the service does not fit: {error}") from None
