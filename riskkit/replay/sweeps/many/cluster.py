"""Run a sweep on other processes or machines through joblib: settings travel as plain data, the log as a path.

Inside ``joblib.parallel_config(backend=...)`` with a backend of processes (dask, loky), a sweep sends its settings to
the workers. A worker maps the log from the path, computes once what all settings share, and returns numbers.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from riskkit._check import InputError
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.retuned import Setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.sweeps.many.metrics import Metrics
from riskkit.replay.sweeps.many.runner import Options, Runner, Steps

TASKS_PER_WORKER = 4  # in one round; results of finished rounds survive an interrupt


def opened(path: Path, *, check: bool = False) -> EventLog:
    """The log that `EventLog.save` (a folder, mapped) or `EventLog.to_parquet` (a file) wrote."""
    return EventLog.open(path, check=check) if path.is_dir() else EventLog.from_parquet(path)


def processes_wanted() -> bool:
    """True inside a joblib configuration whose workers are processes."""
    if "joblib" not in sys.modules:
        return False
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend(prefer="threads")
    return not getattr(backend, "uses_threads", False) and type(backend).__name__ != "SequentialBackend"


def run_on_processes(
    log: EventLog, path: Path | None, rules: RuleSet, settings: list[Setting], options: Options
) -> Steps:
    """Yield (index, metrics) of the settings, round by round.

    Raises
    ------
    InputError
        If a rule is defined in a notebook: its functions are code, and only data is sent to the workers.
    """
    for rule in rules:
        if rule.kind.source_hash:
            raise InputError(f"rule {rule.id!r} is defined in a notebook; other processes do not have it, use threads")
    from joblib import Parallel, delayed, effective_n_jobs

    with tempfile.TemporaryDirectory(prefix="riskkit-sweep-") as folder:
        if path is None:
            path = Path(folder) / "log"
            log.save(path)
        indices = iter(range(len(settings)))
        size = TASKS_PER_WORKER * max(effective_n_jobs(-1), 1)
        payload = {"rules": rules.to_dict(), "options": options._asdict(), "events": log.event_hash.hex()}
        shared = json.dumps(payload, sort_keys=True)
        with Parallel(n_jobs=-1) as parallel:
            while batch := list(itertools.islice(indices, size)):
                tasks = (delayed(_work)(str(path), shared, settings[i]) for i in batch)
                yield from zip(batch, parallel(tasks), strict=True)


def _work(path: str, shared: str, setting: Setting) -> Metrics:
    """Metrics of one setting, in a worker."""
    return _runner(path, shared).run(setting)


@lru_cache(maxsize=2)
def _runner(path: str, shared: str) -> Runner:
    """The runner of a worker, shared by its settings."""
    payload = json.loads(shared)
    log = opened(Path(path))
    if log.event_hash.hex() != payload["events"]:
        raise InputError(f"{Path(path).name} is not the log that the sweep was started with")
    return Runner(log, RuleSet.from_dict(payload["rules"]), Options(**payload["options"]))
