"""The records: what happened, when, by whose report, with which figures; all of them stand in ``incidents.toml``.

Figures are those of the sources that the record names. What a stream needs beyond them is an assumption of the
simulation, and is marked as such in the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from riskkit._check import InputError
from riskkit._show import Row, Shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Incident", "incident", "incidents"]


@dataclass(frozen=True, repr=False)
class Incident(Shown):
    """One incident.

    Parameters
    ----------
    id, name : str
        Its label, and whose it was.
    start : datetime
        When its stream begins, with the time zone of the place.
    what : str
        What happened, in a sentence.
    figures : mapping
        Figures of the sources, as they say them (a text such as "> 4,000,000" is a lower bound).
    sources, controls : tuple of str
        Where the figures stand, and which controls should have fired.
    stream : mapping
        How its events are made: figures again, and assumptions where there is none.

    Examples
    --------
    >>> incident("infinium").start.isoformat()
    '2010-02-03T13:26:28-06:00'
    """

    id: str
    name: str
    start: datetime
    what: str
    figures: Mapping[str, Any]
    sources: tuple[str, ...]
    controls: tuple[str, ...]
    stream: Mapping[str, Any]

    @property
    def start_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return int(self.start.timestamp()) * 1_000_000_000

    def _title(self) -> str:
        return f"{self.name}, {self.start:%Y-%m-%d}"

    def _rows(self) -> Iterator[Row]:
        yield "what happened", self.what, ""
        for name, value in self.figures.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield name.replace("_", " "), shown, ""
        for place, source in enumerate(self.sources):
            yield "" if place else "sources", source, ""


@cache
def _records() -> dict[str, Incident]:
    data = tomllib.loads((Path(__file__).parent / "incidents.toml").read_text(encoding="utf-8"))
    found = {}
    for entry in data["incidents"]:
        zone = ZoneInfo(entry.pop("zone"))
        lists: Any = {name: tuple(entry.pop(name)) for name in ("sources", "controls")}
        found[entry["id"]] = Incident(start=entry.pop("start").replace(tzinfo=zone), **lists, **entry)
    return found


def incident(which: str | Incident) -> Incident:
    """Return one incident by its id or by the beginning of it.

    Raises
    ------
    InputError
        Where no incident, or more than one, begins so.

    Examples
    --------
    >>> incident("knight").figures["stocks"]
    154
    """
    if isinstance(which, Incident):
        return which
    found = [one for name, one in _records().items() if which and name.startswith(str(which))]
    if len(found) != 1:
        raise InputError(f"incident={which!r} is not one of {', '.join(_records())}")
    return found[0]


def incidents() -> pd.DataFrame:
    """Return the table of all incidents: when, whose, what happened, which controls should have fired, sources.

    Examples
    --------
    >>> incidents().loc["infinium-2010-02-03", "name"]
    'Infinium Capital Management'
    """
    import pandas as pd

    rows = [
        {
            "start": pd.Timestamp(one.start).tz_convert("UTC"),
            "name": one.name,
            "what": one.what,
            "controls": "; ".join(one.controls),
            "sources": "; ".join(one.sources),
        }
        for one in _records().values()
    ]
    return pd.DataFrame(rows, index=pd.Index(list(_records()), name="incident"))
