"""The one door to ipywidgets: what has a widget shows it where one can be shown, and a table where not."""

from __future__ import annotations

from typing import Any

from riskkit._check import optional
from riskkit._show import Shown

__all__ = ["Live", "board", "widgets"]

BOARD = "riskkit-board"
STYLE = (
    f"<style>.{BOARD} td, .{BOARD} th {{padding: 1px 12px 1px 2px; line-height: 1.5}}"
    f" .{BOARD} caption {{white-space: nowrap}}</style>"
)


def widgets() -> Any:
    """Import ipywidgets, which comes with the extra 'notebooks'."""
    return optional("ipywidgets", "notebooks")


def board(*parts: Any) -> Any:
    """Stack widgets under one another, with one look for their tables."""
    make = widgets()
    stack = make.VBox([make.HTML(STYLE), *parts])
    stack.add_class(BOARD)
    return stack


class Live(Shown):
    """Base of what a person moves: it has a `widget`, and the table of `Shown` where no widget can be shown."""

    widget: Any

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the widget and the table: a page picks the richest it can show, a stored notebook keeps the table."""
        shown = self.widget._repr_mimebundle_(**kwargs)
        return {**shown, "text/html": self._repr_html_(), "text/plain": repr(self)}
