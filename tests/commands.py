"""The commands of the command line, and a small log with its rules."""

from __future__ import annotations

import click

from riskkit.cli import command_line


def leaves(group: click.Group, above: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """The commands that do something, by the words that call them."""
    found = {}
    for name, command in group.commands.items():
        words = (*above, name)
        found |= leaves(command, words) if isinstance(command, click.Group) else {words: command}
    return found


COMMANDS = leaves(command_line)
LOG = "ts,kind,account,instrument,side,qty,price,order_id\n0,order,A,X,B,5,10.5,a1\n1,order,A,X,B,2,10.5,a2\n"
RULES = '[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = {limit = 3}\n'
