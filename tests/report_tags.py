"""A page read as a browser reads it: every tag closed, nothing run, what would be fetched, and its words."""

from __future__ import annotations

from html.parser import HTMLParser

EVIL = "<script>alert(1)</script>&\"'"
VOID = {"meta", "img", "source", "br", "hr", "link", "input"}


class Tags(HTMLParser):
    """Checks that every tag that opens closes, and collects what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]
        self.places |= {f"#{value}" for name, value in attrs if name == "id"}
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags
