"""``riskkit serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from riskkit.cli.answer import tells

EPILOG = """\b
With --workers N, N processes take connections at the port, check keys, heads and bodies, and hand requests to this one, the
engine, which alone has the folder. One that ends is started again; without the engine they answer 503 and end.
"""


@click.command(epilog=EPILOG)
@click.argument("rules", type=click.Path(path_type=Path))
@click.option("--state", required=True, metavar="DIR", help="Folder of the journal, the keys and the audit.")
@click.option("--units", metavar="UNITS.toml", help="Instruments and accounts; others are refused. By default any.")
@click.option("--settings", metavar="FILE.toml", help="Settings of the service.")
@click.option("--host", metavar="ADDRESS", help="Address to listen at: 127.0.0.1, if the settings name none.")
@click.option("--port", type=int, metavar="PORT", help="Port: RISK_ENGINE_PORT, else 8300.")
@click.option("--workers", type=int, metavar="N", help="Processes that take connections, before this one.")
@tells
def serve(rules: Path, **given: Any) -> None:
    """Limits as a service, over HTTP and WebSocket.

    RULES is a TOML file of limits. It needs riskkit[service], and runs until a signal ends it.
    """
    from riskkit.service.serve import serve as run

    run(rules, given.pop("state"), **given)
