"""Sentences on arguments of Python as sentences on what was typed: options, or the file of units."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

import click

IN_UNITS = ("instruments", "accounts", "quanta")  # arguments of Python that are tables of the file of --units
VALUE = (
    r"(?P<value>\[[^\]]*\]|\{[^}]*\}|(?=[^\s,;.)]))?"  # what an example gives, where it is no value that can be typed
)
ARGUMENT = re.compile(rf"(?<![\w\"'.-])(?P<name>[a-z][a-z_]*[a-z])=(?!=){VALUE}")
SUBJECT = re.compile(r"(?P<name>[a-z][a-z_]*[a-z])(?= (?:is|are|has|have|must|needs|holds)\b)")


def of_argv(command: click.Command, argv: Sequence[str]) -> click.Command:
    """The command that a command line names.

    Examples
    --------
    >>> from riskkit.cli import command_line
    >>> of_argv(command_line, ["report", "limits", "log.csv"]).name
    'limits'
    """
    for word in argv:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command = command.commands[word]
    return command


def in_options(sentence: str, command: click.Command) -> str:
    """A sentence with the options of a command where it names the arguments of Python.

    Examples
    --------
    >>> from riskkit.cli.commands.backtest import backtest
    >>> in_options("confidence=95.0 is not between 0 and 1; use 0.95 for 95%", backtest)
    '--confidence=95.0 is not between 0 and 1; use 0.95 for 95%'
    >>> in_options("window is missing", backtest)
    '--window is missing'
    >>> in_options("give day_first=True or False", backtest)
    'give day_first=True or False (an argument of Python, which this command has not)'
    """
    options = {option.name: option for option in command.params if isinstance(option, click.Option)}
    of_rule = sentence.startswith("rule ")  # whose parameters are those of its file
    python: list[str] = []

    def told(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        if name in IN_UNITS and "units" in options:
            return f"{name} in the file of --units"
        if of_rule or name not in options:
            python.extend([name] * (not of_rule and name in _of_readers()))
            return found[0]
        flag = options[name].opts[0]
        if value:
            return f"{flag} {options[name].metavar or 'VALUE'}"
        return f"{flag}=" if value is not None and not options[name].is_flag else flag

    def about(found: re.Match[str]) -> str:
        option = options.get(found["name"])
        return found[0] if of_rule or option is None or option.is_flag else option.opts[0]

    text = SUBJECT.sub(about, ARGUMENT.sub(told, sentence), count=1)
    return f"{text} (an argument of Python, which this command has not)" if python else text


def _of_readers() -> set[str]:
    """The arguments of the readers of files."""
    from riskkit.read.registry import READERS

    return {name for function in READERS.values() for name in inspect.signature(function).parameters}
