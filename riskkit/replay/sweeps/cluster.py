"""joblib as the one door to other processes and machines: settings travel as plain data, the log as a path.

Inside ``joblib.parallel_config(backend=...)`` with a backend of processes (dask, loky), a sweep hands its settings to
it. A worker maps the log from the path, works out what all settings share once, and answers with numbers.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from riskkit._check import InputError
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps.runner import Runner, Steps
from riskkit.replay.sweeps.settings import Setting

__all__ = ["processes_wanted", "run_on_processes"]

A_ROUND = 4  # tasks a worker; what is finished between rounds survives an interrupt


def processes_wanted() -> bool:
    """Whether the caller stands inside a joblib configuration whose workers are processes."""
    if "joblib" not in sys.modules:
        return False
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend(prefer="threads")
    return not getattr(backend, "uses_threads", False) and type(backend).__name__ != "SequentialBackend"


def run_on_processes(
    log: EventLog, path: Path | None, rules: RuleSet, settings: list[Setting], asked: dict[str, Any]
) -> Steps:
    """The outcomes as the workers send them, in rounds.

    Raises
    ------
    InputError
        Where a rule is from a notebook cell: its functions are code, and only data travels.
    """
    for rule in rules:
        if rule.kind.own:
            raise InputError(f"rule {rule.id!r} is written in a notebook; other processes do not have it, use threads")
    from joblib import Parallel, delayed, effective_n_jobs

    with tempfile.TemporaryDirectory(prefix="riskkit-sweep-") as folder:
        if path is None:
            path = Path(folder) / "log"
            log.save(path)
        places = iter(range(len(settings)))
        size = A_ROUND * max(effective_n_jobs(-1), 1)
        shared = json.dumps({"rules": rules.to_dict(), "asked": asked, "events": log.event_hash.hex()}, sort_keys=True)
        with Parallel(n_jobs=-1) as parallel:
            while batch := list(itertools.islice(places, size)):
                tasks = (delayed(_work)(str(path), shared, settings[place]) for place in batch)
                yield from zip(batch, parallel(tasks), strict=True)


def _work(path: str, shared: str, setting: Setting) -> dict[str, Any]:
    """One setting, in a worker."""
    return _runner(path, shared).run(setting)


@lru_cache(maxsize=2)
def _runner(path: str, shared: str) -> Runner:
    """What a worker keeps from one setting to the next."""
    said = json.loads(shared)
    log = EventLog.open(path) if Path(path).is_dir() else EventLog.from_parquet(path)
    if log.event_hash.hex() != said["events"]:
        raise InputError(f"{Path(path).name} is another log here than where the sweep was started")
    return Runner(log, RuleSet.from_dict(said["rules"]), **said["asked"])
