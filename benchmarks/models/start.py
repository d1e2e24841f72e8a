"""What a session pays before its first number: ``import riskkit`` beside ``import pandas``, each in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks._bench import Row

REPEAT = 7
CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def rows() -> Iterator[Row]:
    """Best of several, in turn; the whole package, and the models that a first VaR needs."""
    riskkit, models, pandas = fastest("riskkit", "riskkit.var, riskkit.attribution, riskkit.covariance", "pandas")
    yield Row("import riskkit", riskkit, pandas, "import pandas", 1.3, at_least=False)
    yield Row("import riskkit and its VaR models", models, pandas, "import pandas", 1.3, at_least=False)


def fastest(*modules: str) -> list[float]:
    """Least seconds of each import, in turn, so that a noisy moment hits all alike."""
    runs = [[seconds_to_import(module) for module in modules] for _ in range(REPEAT)]
    return [min(times) for times in zip(*runs, strict=True)]


def seconds_to_import(module: str) -> float:
    """Of one process that has imported nothing else."""
    done = subprocess.run([sys.executable, "-c", CODE.format(module)], capture_output=True, check=True, text=True)
    return float(done.stdout)
