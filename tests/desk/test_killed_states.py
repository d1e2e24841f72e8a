"""Whatever state is kept in a file survives kill -9: acknowledgements, mutes and windows, the day's loss, the book."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_killed_writers_forget_nothing_and_lose_no_alert(tmp_path, long):
    program = Path(__file__).parents[1].joinpath("killed_states.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), "200" if long else "20"],
        capture_output=True, text=True, cwd=program.parents[1], timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert min(found[name] for name in ("raised", "muted", "deduplicated")) > 3 and found["steps"] > 20
