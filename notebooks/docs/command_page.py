"""The page of the command line: what ``--help`` of each command prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from riskkit.cli import command_line


def write_commands(source: Path) -> None:
    """Write ``command_line.md``."""
    lines = ["# Command line", "", "`riskkit COMMAND`, or `python -m riskkit COMMAND`.", ""]
    for words, text in _helps(command_line, "riskkit"):
        lines += [f"## {words}", "", "```text", text, "```", ""]
    (source / "command_line.md").write_text("\n".join(lines), encoding="utf-8")


def _helps(command: click.Command, words: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=words, max_content_width=100, terminal_width=100)
    yield words, command.get_help(context)
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _helps(inner, f"{words} {name}")
