"""Coverage-guided fuzzing: atheris mutates bytes towards code of riskkit that no bytes have reached, and each is a value for a door.

``python tests/guided_fuzz.py -max_total_time=600``; the arguments are those of libFuzzer. What is found is written as a file
``crash-...``, which is run again by giving its name.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from random import Random
from typing import Any

import atheris

with atheris.instrument_imports(include=["riskkit"]):
    import riskkit as rk
    from riskkit.read.source import Source

sys.path.insert(0, str(Path(__file__).parent))

from format_samples import SAMPLES, parts_of  # noqa: E402
from hostile_files import spoilt  # noqa: E402
from number_doors import LIVE  # noqa: E402

LONGEST = 600  # characters of a refusal
DOORS, READERS = list(LIVE), sorted({sample.parent.name for sample in SAMPLES})


def value(data: atheris.FuzzedDataProvider, depth: int = 3) -> Any:
    """A number, a text, a list or a table."""
    kind = data.ConsumeIntInRange(0, 9 if depth else 6)
    if kind >= 7:
        few = range(data.ConsumeIntInRange(0, 3))
        inner = [value(data, depth - 1) for _ in few]
        return inner if kind < 9 else {data.ConsumeUnicode(6): one for one in inner}
    return (
        lambda: data.ConsumeInt(16),
        lambda: data.ConsumeFloat(),
        lambda: data.ConsumeUnicode(30),
        lambda: f"{data.ConsumeInt(4)}e{data.ConsumeInt(5)}",
        lambda: data.ConsumeBytes(8),
        lambda: data.ConsumeBool(),
        lambda: None,
    )[kind]()


def spoilt_sample(data: atheris.FuzzedDataProvider) -> None:
    """A sample of a format, spoilt in a few places."""
    sample = SAMPLES[data.ConsumeIntInRange(0, len(SAMPLES) - 1)]
    draw = Random(data.ConsumeInt(8))
    _, paths, arguments = parts_of(sample)
    files = [Source(path.name, spoilt(path.read_bytes(), draw)) for path in paths]
    getattr(rk.read, sample.parent.name)(files, **arguments)


def any_file(data: atheris.FuzzedDataProvider) -> None:
    """Any bytes, as a file of a format."""
    name = READERS[data.ConsumeIntInRange(0, len(READERS) - 1)]
    getattr(rk.read, name)([Source("file", data.ConsumeBytes(4_000))])


def one(data: bytes) -> None:
    """Give a value to a door; whatever is not a refusal in one sentence is a finding."""
    given = atheris.FuzzedDataProvider(data)
    kind = given.ConsumeIntInRange(0, 3)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            if kind == 0:
                any_file(given)
            elif kind == 1:
                spoilt_sample(given)
            else:
                LIVE[DOORS[given.ConsumeIntInRange(0, len(DOORS) - 1)]](value(given))
    except rk.InputError as error:
        assert 0 < len(str(error)) <= LONGEST and "\n" not in str(error), error


if __name__ == "__main__":
    atheris.Setup([*sys.argv, "-len_control=0", "-timeout=20", "-rss_limit_mb=4096"], one)
    atheris.Fuzz()
