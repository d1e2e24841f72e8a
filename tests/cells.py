"""Cells of a notebook, run as IPython runs them."""

import linecache


def write_cell(text: str, name: str) -> None:
    """Give a cell its lines, which are in no file."""
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)


def execute(text: str, name: str = "<a cell>") -> dict:
    """Run the text of a cell; return its names."""
    write_cell(text, name)
    names: dict = {"__name__": "a_cell"}
    exec(compile(text, name, "exec", dont_inherit=True), names)
    return names
