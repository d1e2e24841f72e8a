"""``riskkit consume``."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from riskkit._check import InputError
from riskkit.cli.answer import tells
from riskkit.cli.of_log import choice

EPILOG = """\b
Each message is a JSON object: an event with the fields of a live session and its kind, as
  {"kind": "order", "ts": 1700000000000000000, "account": "A", "instrument": "ES", "side": "B", "qty": 2, "price": "100.5"}
or a trade event: user_id, trade_id, token_in, token_out, amount_in, amount_out, timestamp (ms), dex_source, gas_used.
Its key, an account or a user, chooses the partition; prices go to all of them. The decision has the key
PARTITION:OFFSET, by which a reader drops repeats.
"""


def _decimals(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    """Tokens and their digits, of TOKEN=DIGITS."""
    found = {}
    for text in given:
        token, equals, digits = text.rpartition("=")
        if not (token and equals and digits.isdigit() and int(digits) <= 78):
            raise click.BadParameter(f"{text!r} is not TOKEN=DIGITS, as ETH=18")
        found[token] = int(digits)
    return found


@click.command(epilog=EPILOG)
@click.argument("rules", type=Path, metavar="RULES.toml")
@click.option("--units", required=True, type=Path, help="Instruments and accounts, a TOML file as for replay.")
@click.option("--state", required=True, type=Path, help="Folder of the engines' journals.")
@click.option("--brokers", envvar="KAFKA_BROKERS", show_envvar=True, help="host:port,host:port of the brokers.")
@click.option("--in", "source", default="trade-events", help="Topic of events.")
@click.option("--out", "target", default="decisions", help="Topic of decisions, with as many partitions.")
@click.option("--group", default="riskkit", help="Consumer group.")
@click.option("--name", default="", help="Name of this worker, the same after a restart, as of its pod.")
@click.option(
    "--client", type=Path, help="More properties of librdkafka, as for TLS: a file of name=value lines, mode 600."
)
@choice("--mode", "enforce", "shadow", help="As of a session.")
@click.option("--batch", type=click.IntRange(1), default=1000, help="Most messages between two commits.")
@click.option("--horizon", default="1d", help="Time for which ids of orders and trades are known.")
@click.option("--register", metavar="ID", help="Register unknown accounts, and instruments in units of this one.")
@click.option(
    "--decimals", multiple=True, callback=_decimals, metavar="TOKEN=DIGITS",
    help="Digits after the point of a token's amounts in trade events; 0 for others.",
)  # fmt: skip
@click.option("--commands", is_flag=True, help="Take limits, halt and restart from the topic.")
@click.option("--metrics", metavar="HOST:PORT", help="Serve /metrics, /health and /ready there.")
@click.option("--plain", is_flag=True, help="Run the rules as plain Python: slow, starts at once.")
@tells
def consume(
    rules: Path,
    units: Path,
    state: Path,
    brokers: str | None,
    source: str,
    target: str,
    client: Path | None,
    metrics: str | None,
    register: str | None,
    plain: bool,
    decimals: dict[str, int],
    mode: str,
    horizon: str,
    commands: bool,
    tell: Callable[[str, Mapping[str, Any]], None],
    **member: Any,
) -> None:
    """Decide the events of a topic by RULES, one engine a partition, and produce the decisions (needs riskkit[kafka]).

    SIGTERM ends it after the present batch.
    """
    from contextlib import nullcontext

    from riskkit.replay.log.files import read_units
    from riskkit.replay.rules.ruleset import RuleSet
    from riskkit.service.metrics_server import serve_metrics
    from riskkit.service.stream.broker import addresses, read_properties
    from riskkit.service.stream.partition import Setup, universe_of
    from riskkit.service.stream.worker import Worker

    universe, like = universe_of(read_units(units)), None
    if register is not None:
        if register not in universe.instrument_codes:
            raise InputError(f"--register {register} is not an instrument of the units file")
        like = universe.instruments[universe.instrument_codes[register]]
    ruleset = RuleSet.from_toml(rules)
    setup = Setup(
        ruleset, universe, state, mode=mode, auto_register=like, decimals=decimals, commands=commands,
        horizon=horizon, compiled=not plain,
    )  # fmt: skip
    worker = Worker(setup, addresses(brokers), source, target, properties=read_properties(client), **member)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    about = {"event": "started", "brokers": brokers, "in": source, "out": target, "state": str(state.resolve())}
    tell(f"riskkit {os.getpid()}: {source} to {target}", about | {"rules": [rule.id for rule in ruleset]})
    with nullcontext() if metrics is None else serve_metrics(worker.metrics, metrics):
        worker.run()
    events = worker.metrics.calculations
    tell(f"ended, after {events:,} events", {"event": "ended", "events": events})
