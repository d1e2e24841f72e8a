"""`write_api`: the public names as static HTML pages made from the docstrings, one page per area."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import riskkit
from riskkit._check import InputError

__all__ = ["PublicName", "areas", "public_names", "write_api"]

# modules of which every name is public
MODULES = {name: f"riskkit.{name}" for name in ("datasets", "desk", "performance", "var_backtest")}
MODULES["presets"] = "riskkit.replay.presets"
# areas whose description is not the docstring of riskkit.<area>
PARTS = {"rules": "replay.rules", "sweeps": "replay.sweeps", "incidents": "replay.incidents", "errors": "_check"}

FORWARD_REF = (
    r"""ForwardRef</span><span class="p">\(</span><span class="s[12]">(['"])(.+?)\1</span><span class="p">\)</span>"""
)


class PublicName(NamedTuple):
    """A public name: its area, and the module that has it."""

    area: str
    name: str
    module: str


def public_names() -> list[PublicName]:
    """Public names of riskkit; the only function that depends on where the package lists them."""
    names = []
    for module, listed in riskkit._EXPORTS.items():
        part = next((area for area, start in PARTS.items() if f"{module}.".startswith(f"{start}.")), None)
        area = part or module.split(".")[0]
        names += [PublicName(area, name, f"riskkit.{module}") for name in listed]
    known = {(public.area, public.name) for public in names}
    for area, module in MODULES.items():
        names += [PublicName(area, name, module) for name in import_module(module).__all__ if (area, name) not in known]
    return names


def areas() -> dict[str, list[str]]:
    """Public names by area, sorted. A name in two areas (as `compare`) is two objects.

    Examples
    --------
    >>> areas()["errors"]
    ['InputError']
    """
    found: dict[str, list[str]] = {}
    for public in public_names():
        found.setdefault(public.area, []).append(public.name)
    return {area: sorted(names) for area, names in found.items()}


def write_api(folder: str | Path) -> Path:
    """Write one page per area and an index; return the path of the index.

    Needs pdoc (``pip install 'riskkit[notebooks]'``). The pages load nothing from the network and are reproducible.

    Parameters
    ----------
    folder : str or Path
        Created if necessary.

    Raises
    ------
    InputError
        If pdoc is not installed.

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
        warnings.simplefilter("ignore")  # of annotations that pdoc cannot resolve
        pages = {"riskkit": pdoc.doc.Module(_front())}
        pages |= {f"riskkit.{area}": pdoc.doc.Module(_page(area)) for area in areas()}
        for name, page in pages.items():
            text = re.sub(FORWARD_REF, r"\2</span>", pdoc.render.html_module(page, pages))
            (folder / f"{name.replace('.', '/')}.html").write_text(text, encoding="utf-8")
        index = folder / "index.html"
        index.write_text(pdoc.render.html_index(pages), encoding="utf-8")
    return index


def _front() -> ModuleType:
    """First page: one line per area."""
    lines = [f"- `riskkit.{area}`: {_description(area).splitlines()[0]}" for area in areas()]
    return ModuleType("riskkit", "\n".join([riskkit.__doc__ or "", *lines]))


def _page(area: str) -> ModuleType:
    """Module that contains the public names of an area only."""
    page = ModuleType(f"riskkit.{area}", _description(area))
    names = {p.name: getattr(import_module(p.module), p.name) for p in public_names() if p.area == area}
    page.__dict__.update(names, __all__=sorted(names))
    return page


def _description(area: str) -> str:
    """Docstring of the module of an area."""
    module = f"riskkit.{PARTS[area]}" if area in PARTS else MODULES.get(area, f"riskkit.{area}")
    return import_module(module).__doc__ or ""
