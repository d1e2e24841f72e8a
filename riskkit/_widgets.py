"""All use of ipywidgets goes through here: lazy import, layout, and a table where no widget can be shown."""

from __future__ import annotations

from typing import Any

from riskkit._check import optional
from riskkit._show import Shown

BOARD = "riskkit-board"
STYLE = (
    f"<style>.{BOARD} td, .{BOARD} th {{padding: 1px 12px 1px 2px; line-height: 1.5}}"
    f" .{BOARD} caption {{white-space: nowrap}}</style>"
)


def widgets() -> Any:
    """Import ipywidgets (extra 'notebooks')."""
    return optional("ipywidgets", "notebooks")


def board(*parts: Any) -> Any:
    """Stack widgets vertically, with one style for their tables."""
    make = widgets()
    stack = make.VBox([make.HTML(STYLE), *parts])
    stack.add_class(BOARD)
    return stack


class Live(Shown):
    """Base of interactive results: a `widget`, and the table of `Shown` where no widget can be shown."""

    widget: Any

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return widget and table: a page shows the richest format it can, a stored notebook keeps the table."""
        shown = self.widget._repr_mimebundle_(**kwargs)
        return {**shown, "text/html": self._repr_html_(), "text/plain": repr(self)}
