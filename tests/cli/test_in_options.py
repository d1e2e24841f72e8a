"""No sentence of the command line names an argument of Python where an option was, or could have been, typed."""

import re

import click
import pytest
from commands import COMMANDS, LOG, RULES

from riskkit.cli import main
from riskkit.cli.in_options import in_options, of_argv


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_each_option_that_has_a_value_is_named_as_it_is_typed(words):
    command = COMMANDS[words]
    assert (
        of_argv(click.Group("x", {words[0]: command}) if len(words) == 1 else _group(words), [*words, "a.csv"])
        is command
    )
    for option in command.params:
        if not isinstance(option, click.Option) or option.is_flag:
            continue
        flag = option.opts[0]
        assert in_options(f"{option.name}='x' is no {option.name}; give {option.name}=", command) == (
            f"{flag}='x' is no {option.name}; give {flag}"
        )
        assert in_options(f"{option.name} is missing", command) == f"{flag} is missing"
        assert in_options(f"rule 'r': {option.name}='x' is wrong", command) == f"rule 'r': {option.name}='x' is wrong"
        assert in_options(f"a.csv: give {option.name}={{a: b}}", command).startswith(f"a.csv: give {flag} ")
        assert in_options(f"{option.name}={{'a': 1}} is wrong", command).startswith(f"{flag} ")


def _group(words):
    return click.Group("x", {words[0]: click.Group(words[0], {words[1]: COMMANDS[words]})})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "odd.csv").write_text(LOG.replace("order_id", "odd"))
    (tmp_path / "days.csv").write_text("Date,Time,Action,Symbol,Quantity,Price\n3/4/2024,14:30,Buy,X,5,1.5\n")
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "leverage.toml").write_text(RULES.replace("max_order_qty", "leverage"))
    prices = "".join(f"2024-01-{day:02},{100 + day % 3},{50 + day % 2}\n" for day in range(1, 29))
    (tmp_path / "prices.csv").write_text("date,A,B\n" + prices)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("risk prices.csv --confidence 95", "--confidence=95.0 is not between 0 and 1; use 0.95 for 95%"),
        ("backtest prices.csv --weights 1,0", "--window=250 is not shorter than returns"),
        ("report risk prices.csv --weights 1,0 --out x.html --confidence 0.3", "did you mean --confidence=0.7?"),
        ("replay log.csv rules.toml --plain --tz Mars", "--tz='Mars' is not a time zone"),
        ("replay odd.csv rules.toml --plain", "map it with --columns, or leave it out with --ignore"),
        ("replay days.csv rules.toml --plain", "give day_first=True or False (an argument of Python, which this"),
        ("replay log.csv leverage.toml --plain", "give accounts in the file of --units"),
        (
            "replay log.csv rules.toml --plain --mode enforce --on-trip flatten --flatten 7",
            "--flatten=7.0 is not above 0",
        ),
        (
            "explain log.csv rules.toml --plain --order a1 --local Mars",
            "Invalid value for '--local': 'Mars' is not a time zone",
        ),
        (
            "report limits log.csv rules.toml --out x.html --local Mars",
            "Invalid value for '--local': 'Mars' is not a time",
        ),
    ],
)
def test_what_was_typed_is_what_is_named(folder, capsys, line, sentence):
    assert main(line.split()) == 2
    shown = " ".join(re.sub("[│╭╰─╮╯]", " ", capsys.readouterr().err).split())
    assert sentence in shown
