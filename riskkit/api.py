"""`write_api`: the public names as static pages, one page an area, each name once, made from the docstrings."""

from __future__ import annotations

import importlib
import re
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import riskkit
from riskkit._check import InputError

__all__ = ["areas", "write_api"]

WHOLE = (
    "attribution",
    "datasets",
    "desk",
    "performance",
    "var_backtest",
    "presets",
)  # public as modules, by their __all__
PARTS = {"replay.rules": "rules", "replay.sweeps": "sweeps", "replay.incidents": "incidents", "_check": "errors"}

AS_WRITTEN = (
    r"""ForwardRef</span><span class="p">\(</span><span class="s[12]">(['"])(.+?)\1</span><span class="p">\)</span>"""
)


def areas() -> dict[str, list[str]]:
    """The public names by area; a name of two areas (as `compare`) is two things.

    Returns
    -------
    dict of str to list of str
        Area to the names that its page lists.

    Examples
    --------
    >>> areas()["errors"]
    ['InputError']
    """
    found: dict[str, list[str]] = {}
    for module, names in riskkit._EXPORTS.items():
        found.setdefault(_area(module), []).extend(names)
    for name in WHOLE:
        listed = found.setdefault(name, [])
        listed += [one for one in getattr(riskkit, name).__all__ if one not in listed]
    return {area: sorted(set(names)) for area, names in found.items()}


def _area(module: str) -> str:
    """`replay.sweeps.sweep` is of the area sweeps, `stress.plausibility` of stress."""
    part = next((area for start, area in PARTS.items() if f"{module}.".startswith(f"{start}.")), None)
    return part or module.split(".")[0]


def write_api(folder: str | Path) -> Path:
    """Write the pages and an index into a folder.

    Needs pdoc (``pip install 'riskkit[notebooks]'``). The pages fetch nothing and are the same for the same riskkit.

    Parameters
    ----------
    folder : str or Path
        Where to; made if need be.

    Returns
    -------
    Path
        The index.

    Raises
    ------
    InputError
        Where pdoc is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
    ...     write_api(folder).name
    'index.html'
    """
    try:
        import pdoc.doc
        import pdoc.render
    except ImportError:
        raise InputError("the pages need pdoc; install it with: pip install 'riskkit[notebooks]'") from None
    pdoc.render.configure(docformat="numpy", math=False, show_source=False, search=False)
    folder = Path(folder)
    (folder / "riskkit").mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # annotations that pdoc cannot resolve stay as they are written
        pages = {"riskkit": pdoc.doc.Module(_front())}
        pages |= {f"riskkit.{area}": pdoc.doc.Module(_page(area, names)) for area, names in areas().items()}
        for name, page in pages.items():
            text = re.sub(AS_WRITTEN, r"\2</span>", pdoc.render.html_module(page, pages))
            (folder / f"{name.replace('.', '/')}.html").write_text(text, encoding="utf-8")
        index = folder / "index.html"
        index.write_text(pdoc.render.html_index(pages), encoding="utf-8")
    return index


def _front() -> ModuleType:
    """The first page: what each area is for."""
    lines = [f"- `riskkit.{area}`: {_said(area).splitlines()[0]}" for area in areas()]
    return ModuleType("riskkit", "\n".join([riskkit.__doc__ or "", *lines]))


def _page(area: str, names: list[str]) -> ModuleType:
    """A module that holds the names of an area and nothing else."""
    page = ModuleType(f"riskkit.{area}", _said(area))
    page.__dict__.update({name: _found(area, name) for name in names}, __all__=names)
    return page


def _found(area: str, name: str) -> Any:
    """What a name of an area stands for."""
    if area in WHOLE and name in getattr(riskkit, area).__all__:
        return getattr(getattr(riskkit, area), name)
    return getattr(riskkit, name)


def _said(area: str) -> str:
    """What the module of an area says of itself."""
    module = next((module for module, part in PARTS.items() if part == area), riskkit._MODULES.get(area, area))
    return importlib.import_module(f"riskkit.{module}").__doc__ or ""
