"""What the built pages must have: links that lead somewhere, every public name, and nothing from the network."""

from __future__ import annotations

import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from public_names import public_names

LOADED = {"img", "script", "link", "iframe", "source"}  # elements that a browser loads by itself


class Page(HTMLParser):
    """The anchors and the addresses of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names and what it leads to."""
        found = dict(attrs)
        self.anchors |= {str(found[key]) for key in ("id", "name") if found.get(key)}
        self.links += [(tag, str(found[key])) for key in ("href", "src") if found.get(key)]


def faults(html: Path) -> list[str]:
    """Sentences on all that is wrong."""
    pages = {path.resolve(): Page(path) for path in sorted(html.rglob("*.html")) if "_static" not in path.parts}
    found = [fault for path in pages for fault in _of_page(path, pages)]
    listed = names_in(html / "objects.inv")
    missing = [f"{name.module}.{name.name}" for name in public_names()]
    return found + [f"{name} stands on no page" for name in missing if name not in listed]


def _of_page(path: Path, pages: dict[Path, Page]) -> list[str]:
    found = []
    for tag, address in pages[path].links:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            if tag in LOADED and parts.scheme != "data":
                found.append(f"{path.name} loads {address}")
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.exists():
            found.append(f"{path.name} links to {address}, which is not there")
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            found.append(f"{path.name} links to {address}, which has no such place")
    return found


def names_in(inventory: Path) -> set[str]:
    """Names in Sphinx's list of objects."""
    packed = inventory.read_bytes().split(b"\n", 4)[4]
    return {line.split(" ", 1)[0] for line in zlib.decompress(packed).decode().splitlines()}
