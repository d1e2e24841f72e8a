"""The command ``python -m riskkit consume``: its arguments, and a worker of them."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from riskkit._check import InputError

if TYPE_CHECKING:
    from riskkit.replay.schema.universe import Instrument, Universe

EPILOG = """\
Each message is a JSON object: an event with the fields of a live session and its kind ({"kind": "order", "ts": ...,
"account": ..., "instrument": ..., "side": "B", "qty": 2, "price": "100.5"}), or a trade event (user_id, trade_id, token_in,
token_out, amount_in, amount_out, timestamp in ms, dex_source, gas_used). Its key, an account or a user, chooses the
partition; prices go to all of them. The decision has the key PARTITION:OFFSET, by which a reader drops repeats.

TLS and passwords are properties of librdkafka in the file of --client, which only its owner may read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = EPILOG
    parser.add_argument("rules", metavar="RULES", type=Path, help="the limits, a TOML file")
    parser.add_argument("--units", metavar="UNITS.toml", required=True, help="instruments and accounts, as for replay")
    parser.add_argument("--state", metavar="DIR", type=Path, required=True, help="folder of the engines' journals")
    parser.add_argument("--brokers", metavar="HOST:PORT,...", help="addresses (default: KAFKA_BROKERS)")
    parser.add_argument("--in", dest="source", default="trade-events", metavar="TOPIC", help="default: trade-events")
    parser.add_argument("--out", dest="target", default="decisions", metavar="TOPIC", help="default: decisions")
    parser.add_argument("--group", default="riskkit", help="consumer group (default: riskkit)")
    parser.add_argument("--name", default="", help="name of this worker, the same after a restart, as of its pod")
    parser.add_argument("--client", metavar="FILE", help="more properties of the client, one name=value a line")
    parser.add_argument("--mode", choices=("enforce", "shadow"), default="enforce", help="default: enforce")
    parser.add_argument("--batch", type=int, default=1000, help="most messages between two commits (default: 1000)")
    parser.add_argument(
        "--register", metavar="ID", help="register unknown accounts, and instruments in units of this one"
    )
    parser.add_argument(
        "--decimals", action="append", default=[], type=_decimals, metavar="TOKEN=DIGITS",
        help="digits after the point of a token's amounts in trade events (default: 0)",
    )  # fmt: skip
    parser.add_argument("--commands", action="store_true", help="take limits, halt and restart from the topic")
    parser.add_argument("--metrics", metavar="HOST:PORT", help="serve /metrics, /health and /ready there")
    parser.add_argument("--plain", action="store_true", help="run the rules as plain Python: slow, starts at once")


def run(chosen: argparse.Namespace) -> int:
    """Decide the events of a topic, and produce the decisions; SIGTERM ends it after the present batch."""
    from riskkit.replay.log.files import read_units
    from riskkit.replay.rules.ruleset import RuleSet
    from riskkit.service.metrics_server import serve_metrics
    from riskkit.service.stream.broker import addresses, read_properties
    from riskkit.service.stream.partition import Setup, universe_of
    from riskkit.service.stream.worker import Worker

    universe = universe_of(read_units(chosen.units))
    setup = Setup(
        RuleSet.from_toml(chosen.rules),
        universe,
        chosen.state,
        mode=chosen.mode,
        auto_register=None if chosen.register is None else _instrument(universe, chosen.register),
        decimals=dict(chosen.decimals),
        commands=chosen.commands,
        horizon=chosen.horizon,
        compiled=not chosen.plain,
    )
    worker = Worker(
        setup, addresses(chosen.brokers), chosen.source, chosen.target, group=chosen.group, name=chosen.name,
        batch=chosen.batch, properties=read_properties(chosen.client),
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    print(f"riskkit {os.getpid()}: {chosen.source} to {chosen.target}", flush=True)
    if chosen.metrics is None:
        worker.run()
        return 0
    with serve_metrics(worker.metrics, chosen.metrics):
        worker.run()
    return 0


def _instrument(universe: Universe, name: str) -> Instrument:
    code = universe.instrument_codes.get(name)
    if code is None:
        raise InputError(f"--register {name} is not an instrument of the units file")
    return universe.instruments[code]


def _decimals(text: str) -> tuple[str, int]:
    """A token and its digits, of TOKEN=DIGITS."""
    token, equals, digits = text.rpartition("=")
    if not (token and equals and digits.isdigit() and int(digits) <= 78):
        raise argparse.ArgumentTypeError(f"{text!r} is not TOKEN=DIGITS, as ETH=18")
    return token, int(digits)
