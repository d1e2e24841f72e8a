"""Messages of a FIX log: the fields between separators, proved whole by BodyLength (9) and CheckSum (10)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from riskkit.read.source import Source, TableRow

START = re.compile(rb"8=FIX(?:T\.1\.1|\.[45]\.\d(?:SP\d)?)(\x01|\^A|<SOH>|[|;~])9=\d+")
SOH = b"\x01"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
MISC_FEE = "137"
CLIENT_ID = "11"  # with which each order of a list begins


class Message(NamedTuple):
    """The fields of a message by tag (the first of each), its miscellaneous fees, and the orders of a list (35=E).

    A message that is not whole has no fields.
    """

    row: TableRow
    whole: bool
    misc_fees: tuple[str, ...] = ()
    listed: tuple[TableRow, ...] = ()


def messages(source: Source) -> Iterator[Message]:
    r"""The messages of a log in order, one for each line; a line without a whole message is one that is not whole.

    Examples
    --------
    >>> line = b"8=FIX.4.2|9=54|35=0|34=11|49=FIRMX|52=20240308-14:30:13.000|56=BROKR|10=249|"
    >>> [message.row["35"] for message in messages(Source("a.log", b"09:30 In: " + line + b"\r\n")) if message.whole]
    ['0']
    """
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", as_utf_8(source.data)), 1):
        starts = [match for match in START.finditer(line)]
        ends = [match.start() for match in starts[1:]] + [len(line)] * bool(starts)
        if not starts and line.strip():
            yield Message(TableRow(source, f"line {number}", {}), whole=False)
        for part, (match, end) in enumerate(zip(starts, ends, strict=True), 1):
            at = f"line {number}" + (f", message {part}" if len(starts) > 1 else "")
            fields = _whole(line[match.start() : end], match[1])
            pairs = [field.partition(b"=") for field in fields]
            values = {tag.decode(): _text(value) for tag, _, value in reversed(pairs)}
            fees = tuple(_text(value) for tag, _, value in pairs if tag.decode() == MISC_FEE)
            listed = _listed(source, at, pairs) if values.get("35") == "E" else ()
            yield Message(TableRow(source, at, values), bool(fields), fees, listed)


def _listed(source: Source, at: str, pairs: list[tuple[bytes, bytes, bytes]]) -> tuple[TableRow, ...]:
    """The orders of a list: the fields before the first, and its own."""
    named = [(tag.decode(), _text(value)) for tag, _, value in pairs]
    starts = [place for place, (tag, _) in enumerate(named) if tag == CLIENT_ID]
    ends = [*starts[1:], len(named)]
    return tuple(
        TableRow(source, at, dict(named[: starts[0]] + named[start:end]))
        for start, end in zip(starts, ends, strict=True)
    )


def as_utf_8(data: bytes) -> bytes:
    """The bytes of a log, also of one in UTF-16, as a Windows shell writes what it prints."""
    return data.decode("utf-16", errors="replace").encode() if data[:2] in UTF_16 else data


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _whole(raw: bytes, separator: bytes) -> list[bytes]:
    """The fields of a message; none if its length or its sum is wrong.

    A separator that is not SOH may stand in a text: it is one only before a tag. A text (58) that holds even that is
    joined with what follows it.
    """
    end = re.search(re.escape(separator) + rb"10=\d{3}(?:" + re.escape(separator) + rb"|\s|$)", raw)
    if end is None:
        return []
    fields = re.split(re.escape(separator) + rb"(?=\d{1,5}=)", raw[: end.start()])
    check = int(end.group()[len(separator) + 3 :][:3])
    texts = [at for at, field in enumerate(fields[:-1]) if field.startswith(b"58=")]
    joined = [[*fields[:at], fields[at] + separator + fields[at + 1], *fields[at + 2 :]] for at in texts]
    return next((found for found in (fields, *joined) if _proved(found, check)), [])


def _proved(fields: list[bytes], check: int) -> bool:
    body = SOH.join(fields[2:]) + SOH
    head = SOH.join(fields[:2]) + SOH
    length = int(fields[1][2:]) if len(fields) > 1 and re.fullmatch(rb"\d{1,9}", fields[1][2:]) else -1
    return len(body) == length and sum(head + body) % 256 == check
