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

FORWARD_REF = (
    r"""ForwardRef</span><span class="p">\(</span><span class="s[12]">(['"])(.+?)\1</span><span class="p">\)</span>"""
)


class PublicName(NamedTuple):
    """A public name: its area, and the module that has it."""

    area: str
    name: str
    module: str


def public_names() -> list[PublicName]:
    """Public names of riskkit: those of its modules and their sub-modules, then those at top level only."""
    names = [public for area, module in _modules(riskkit) for public in _listed(area, module)]
    known = {public.name for public in names}
    for name in sorted(set(dir(riskkit)) - known):
        home = getattr(getattr(riskkit, name), "__module__", None)
        if home is not None:
            names.append(PublicName("errors" if home == "riskkit._check" else home.split(".")[1], name, "riskkit"))
    return names


def _listed(area: str, module: ModuleType) -> list[PublicName]:
    """Public names of a module and of its public sub-modules."""
    inner = _modules(module)
    names = [PublicName(area, name, module.__name__) for name in module.__all__ if name not in dict(inner)]
    return names + [public for name, part in inner for public in _listed(f"{area}.{name}", part)]


def _modules(package: ModuleType) -> list[tuple[str, ModuleType]]:
    """Public modules of a package by name."""
    found = [(name, getattr(package, name)) for name in package.__all__]
    return [(name, value) for name, value in found if isinstance(value, ModuleType)]


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
            path = folder / f"{name.replace('.', '/')}.html"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
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
    return import_module("riskkit._check" if area == "errors" else f"riskkit.{area}").__doc__ or ""
