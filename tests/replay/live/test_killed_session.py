"""Sessions that are killed with SIGKILL lose nothing that they answered; see killed_session.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked")
def test_nothing_that_was_answered_is_lost_when_the_process_is_killed(tmp_path, long):
    script, kills = Path(__file__).parents[2].joinpath("killed_session.py"), 200 if long else 10
    env = {**os.environ, "PYTHONPATH": str(script.parents[1])}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(kills)], env=env, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["events"] > 0
    assert told["parts"] > 0 or not long, "no session was killed while it wrote a snapshot"
