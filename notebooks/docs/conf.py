"""Configuration of Sphinx; `build.py` calls it with the sources put together."""

import sys
from pathlib import Path
from typing import Any

import riskkit

sys.path.insert(0, str(Path(__file__).parent))
from public_names import public_names  # noqa: E402

project, author, copyright, version = "riskkit", "riskkit", "riskkit contributors, MIT licence", riskkit.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_nb", "sphinx_design", "mathtext"]
html_math_renderer = "mathtext"
exclude_patterns = ["_static"]
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = "riskkit"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_sidebars = {page: [] for page in ("cheat_sheets", "glossary", "command_line", "low_latency")}
html_show_sourcelink = html_copy_source = False
html_theme_options = {
    "show_nav_level": 1,
    "header_links_before_dropdown": 4,  # and the search, on one line of 1,440 pixels
    "navigation_depth": 3,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

CANONICAL: dict[str, set[str]] = {}
for public in public_names():
    for short in (public.name, f"{public.area}.{public.name}", f"riskkit.{public.name}"):
        CANONICAL.setdefault(short, set()).add(f"{public.module}.{public.name}")


def resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
    """The public name that a text in backticks means, alone (`VarLimit`), with its area, or with a method."""
    target = str(node.get("reftarget", ""))
    for end in (target, target.rpartition(".")[0]):
        found = CANONICAL.get(end) or CANONICAL.get(end.removeprefix("riskkit."), set())
        if len(found) == 1:
            full = f"{next(iter(found))}{target[len(end) :]}"
            return env.get_domain("py").resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, content)
    return None


def skip(app: Any, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Fields of named tuples are described in the docstring of their class."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app: Any) -> None:
    """Connect both."""
    app.connect("missing-reference", resolve)
    app.connect("autodoc-skip-member", skip)
