"""README.md tells the truth: its Python runs, and its commands are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[-1] for block in BLOCKS])
def test_the_examples_run_and_print(block, capsys):
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_the_replay_example_says_what_it_promises(capsys):
    block = next(block for block in BLOCKS if "explain" in block)
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "at most 2 messages" in printed
    assert "refused by rate (observed 3, limit 2" in printed


def test_the_commands_are_in_the_makefile():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {a or b for a, b in re.findall(r"^make (\w+)|`make (\w+)`", TEXT, re.M)}
    assert named and named <= targets
