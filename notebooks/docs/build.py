"""Build the documentation: ``python notebooks/docs/build.py FOLDER``.

The sources are put together in ``FOLDER/source`` (the pages beside this file, the notebooks with their stored outputs, a
gallery of their pictures, and the reference written from the docstrings), and Sphinx makes ``FOLDER/html`` of them. Nothing is
executed and nothing is loaded from the network.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


def build(folder: str | Path) -> list[str]:
    """Write the site and say what is wrong with it; Sphinx's warnings are errors."""
    from gallery import write_gallery
    from reference_pages import write_reference
    from site_faults import faults
    from sphinx.cmd.build import main

    source = Path(folder) / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted(HERE.parent.glob("*.*")):
        shutil.copy(path, source)
    write_gallery(source)
    write_reference(source / "reference")
    options = ["-W", "--keep-going", "-q", "-j", "auto"]
    html = Path(folder) / "html"
    if main([*options, "-d", str(Path(folder) / "doctrees"), str(source), str(html)]):
        return ["Sphinx has warnings"]
    return faults(html)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "out/docs")
    found = build(target)
    print("\n".join(found) or f"open {target / 'html' / 'index.html'}")
    sys.exit(bool(found))
