"""No file of the package is longer than 500 lines: a file is one idea."""

from pathlib import Path

import riskkit

PACKAGE = Path(riskkit.__file__).parent
MOST = 500


def test_no_file_of_the_package_is_over_500_lines():
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST} == {}
