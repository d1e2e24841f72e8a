"""Ids of the fills of a live session: which repeat, and which fill a bust or a correction names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.order_ids import Fields, no_rows
from riskkit.replay.schema.columns import FILL_CONTENTS, FILL_KEY, EventKind, RowFlag
from riskkit.replay.schema.constants import DAY_NS

FIELDS = (*FILL_KEY, "ts", *FILL_CONTENTS)


def fill_key(row: Mapping[str, int]) -> tuple[int, ...]:
    """What identifies a fill that has an id."""
    return (*(row[name] for name in FILL_KEY), row["ts"] // DAY_NS)


def contents_of(row: Mapping[str, Any]) -> tuple[int, ...]:
    """What two fills of one key must share: the `FILL_CONTENTS` of a row."""
    return tuple(int(row[name]) for name in FILL_CONTENTS)


def corrected(before: tuple[int, ...], row: Mapping[str, Any]) -> tuple[int, ...]:
    """The contents of a fill after its correction: its order stays, and its fee unless the correction has one."""
    return int(row["qty"]), int(row["price"]), int(row["fee"]) or before[2], before[3]


def is_repeat(row: Mapping[str, Any], known: Sequence[tuple[int, ...]]) -> bool:
    """Whether a row can be the fill that had these contents, one after the other; a busted fill has none and fits any."""
    *traded, order = contents_of(row)
    return not known or any(traded == [*one[:3]] and (order == one[3] or min(order, one[3]) < 0) for one in known)


class FillIds:
    """Ids of fills, and the contents that a fill has had under each.

    Attributes
    ----------
    codes : dict of str to int
        Code of each id.
    forgotten : int
        Number of ids that are known no longer.
    fields : callable
        Reads the journal.
    """

    def __init__(self) -> None:
        self.fields: Fields = no_rows
        self.codes: dict[str, int] = {}
        self.forgotten = 0
        self._booked: dict[tuple[int, ...], int] = {}  # number of a fill by its key
        self._stands: dict[int, list[tuple[int, ...]]] = {}  # by number: its contents since it came; empty once busted
        self._sides: dict[tuple[int, ...], dict[int, int]] = {}  # by account, instrument, id: last fill of each side
        self._kept: list[int] = []  # of `keep`, not yet in the tables above: most fills are never asked for

    def code(self, label: Any) -> int:
        """Code of an id; that of a new one is the next."""
        return self.codes.get(label_text(label), self.next)

    @property
    def next(self) -> int:
        """Code of the next new id."""
        return len(self.codes) + self.forgotten

    def forget(self, kept: Collection[int]) -> None:
        """Keep only the fills of these event numbers."""
        self._kept = [number for number in self._kept if number in kept]
        self._file()
        known = len(self.codes)
        self._booked = {key: number for key, number in self._booked.items() if number in kept}
        self._stands = {number: contents for number, contents in self._stands.items() if number in kept}
        sides = {
            key: {w: number for w, number in found.items() if number in kept} for key, found in self._sides.items()
        }
        self._sides = {key: found for key, found in sides.items() if found}
        codes = {code for _, _, code in self._sides}
        self.codes = {text: code for text, code in self.codes.items() if code in codes}
        self.forgotten += known - len(self.codes)

    def named(self, account: int, instrument: int, label: Any, side: int) -> tuple[int, int]:
        """Number and side of the fill that a bust or a correction names; `side` 0 if it gives none."""
        self._file()
        sides = self._sides.get((account, instrument, self.codes.get(label_text(label), -1)), {})
        fitting = [(number, way) for way, number in sides.items() if side in (0, way)]
        if not fitting:
            raise InputError(f"trade_id={shown(label)} does not name an earlier fill of its account and instrument")
        if len(fitting) > 1:
            raise InputError(f"trade_id={shown(label)} names a buy and a sell; give the side")
        return fitting[0]

    def repeats(self, row: Mapping[str, int], label: Any) -> bool:
        """True if a fill repeats an earlier one; one with its key and other contents is refused."""
        self._file()
        number = self._booked.get(fill_key(row), -1)
        if number < 0:
            return False
        if not is_repeat(row, self._stands[number]):
            raise InputError(
                f"trade_id={shown(label)} is the id of the fill of event {number} too, with another quantity, price, fee "
                "or order; a fill is booked once"
            )
        return True

    def keep(self, text: str, code: int, number: int) -> None:
        """Keep a fill whose id is new, the journal's row `number`."""
        self.codes[text] = code
        self._kept.append(number)

    def _file(self) -> None:
        """Enter the fills of `keep` in the tables."""
        rows = self.fields(self._kept, FIELDS) if self._kept else ()
        for number, (account, instrument, side, code, ts, *contents) in zip(self._kept, rows, strict=True):
            self._booked[account, instrument, side, code, ts // DAY_NS] = number
            self._stands[number] = [tuple(contents)]
            self._sides[account, instrument, code] = {side: number}
        self._kept.clear()

    def remember(self, row: Mapping[str, int], number: int) -> None:
        """Keep a fill with an id, or what a bust or a correction says of one."""
        if row["trade_id"] < 0 and row["fill"] < 0:
            return
        self._file()
        late = row["flags"] & RowFlag.BAD_TS
        if row["trade_id"] >= 0:
            first = number if late else self._booked.setdefault(fill_key(row), number)
            self._stands.setdefault(first, [contents_of(row)])
            sides = self._sides.setdefault((row["account"], row["instrument"], row["trade_id"]), {})
            if not late or row["side"] not in sides:
                sides[row["side"]] = first
        elif not late:
            if row["kind"] == EventKind.BUST:
                self._stands[row["fill"]].clear()
            elif self._stands.get(row["fill"]):
                self._stands[row["fill"]].append(corrected(self._stands[row["fill"]][-1], row))
