"""The command line: ``riskkit COMMAND``, or ``python -m riskkit COMMAND``.

A file of `riskkit.cli.commands` is a command: it has a click command of the file's name. No other package imports click.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import click

from riskkit._check import InputError
from riskkit.cli import commands
from riskkit.cli.answer import json_text
from riskkit.cli.in_options import in_options, of_argv

DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130
EPILOG = """\b
examples:
  riskkit demo                                        two examples, reports in out/
  riskkit risk prices.csv --weights AAPL=0.6,KO=0.4   VaR and ES of a book
  riskkit backtest prices.csv --weights 0.5,0.3,0.2   did the VaR hold?
  riskkit replay orders.csv limits.toml               decisions of each limit on recorded events
  riskkit replay log.parquet limits.toml --mode enforce --report out/report.html
  riskkit explain orders.csv limits.toml --order a2   why an order was refused

"riskkit" and "python -m riskkit" are the same.

exit codes: 0 done, 1 the run failed, 2 bad arguments or input
"""


@click.group("riskkit", epilog=EPILOG, context_settings={"max_content_width": 120, "show_default": True})
@click.version_option(package_name="riskkit")
def command_line() -> None:
    """Estimate and backtest the risk of a book, and replay recorded orders, fills and prices through risk limits."""


for file in pkgutil.iter_modules(commands.__path__):
    command_line.add_command(getattr(importlib.import_module(f"{commands.__name__}.{file.name}"), file.name))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code. What goes wrong is a sentence on standard error, with ``--json`` an object, too."""
    try:
        return int(command_line.main(argv, "riskkit", standalone_mode=False) or DONE)
    except click.ClickException as problem:
        problem.show()
        name, sentence, code = type(problem).__name__, problem.format_message(), problem.exit_code
    except click.Abort:
        click.echo("riskkit: stopped", err=True)
        return STOPPED
    except (InputError, ImportError) as problem:
        given = sys.argv[1:] if argv is None else argv
        name, sentence, code = type(problem).__name__, in_options(str(problem), of_argv(command_line, given)), BAD_INPUT
        click.echo(f"riskkit: {sentence}", err=True)
    except (OSError, RuntimeError, MemoryError) as problem:
        name, sentence, code = type(problem).__name__, str(problem) or type(problem).__name__, FAILED
        click.echo(f"riskkit: the run failed: {sentence}", err=True)
    if "--json" in (sys.argv if argv is None else argv):
        click.echo(json_text({"error": name, "message": sentence}))
    return code
