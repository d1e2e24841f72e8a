"""Catalogue of incidents: what happened, when, published figures and sources, read from ``incidents.toml``.

Figures are those of the sources named. Values that a stream needs beyond them are assumptions of the simulation, marked
as such in the file.
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


@dataclass(frozen=True, repr=False)
class Incident(Shown):
    """One incident.

    Parameters
    ----------
    id, name : str
        Id, and name of the firm.
    start : datetime
        Start of the stream, with the local time zone.
    what : str
        Description of the incident.
    figures : mapping
        Published figures, as the sources state them (a text such as "> 4,000,000" is a lower bound).
    sources, controls : tuple of str
        Sources of the figures, and controls that should have stopped the incident.
    stream : mapping
        Parameters of the stream: figures, and assumptions where there is no figure.

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

    @property
    def account(self) -> str:
        """Label of its account, if none is given: the first word of the id."""
        return self.id.split("-")[0].upper()

    def _title(self) -> str:
        return f"{self.name}, {self.start:%Y-%m-%d}"

    def _rows(self) -> Iterator[Row]:
        yield "what happened", self.what, ""
        for name, value in self.figures.items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield name.replace("_", " "), shown, ""
        for i, source in enumerate(self.sources):
            yield "" if i else "sources", source, ""


@cache
def _catalogue() -> dict[str, Incident]:
    data = tomllib.loads((Path(__file__).parent / "incidents.toml").read_text(encoding="utf-8"))
    found = {}
    for entry in data["incidents"]:
        zone = ZoneInfo(entry.pop("zone"))
        lists: Any = {name: tuple(entry.pop(name)) for name in ("sources", "controls")}
        found[entry["id"]] = Incident(start=entry.pop("start").replace(tzinfo=zone), **lists, **entry)
    return found


def incident(which: str | Incident) -> Incident:
    """Return an incident by its id or a unique prefix of it.

    Raises
    ------
    InputError
        If the prefix matches no incident, or several.

    Examples
    --------
    >>> incident("knight").figures["stocks"]
    154
    """
    if isinstance(which, Incident):
        return which
    found = [entry for id, entry in _catalogue().items() if which and id.startswith(str(which))]
    if len(found) != 1:
        raise InputError(f"incident={which!r} is not one of {', '.join(_catalogue())}")
    return found[0]


def catalogue() -> pd.DataFrame:
    """Return the table of all incidents: start, name, description, controls that should have fired, sources.

    Examples
    --------
    >>> catalogue().loc["infinium-2010-02-03", "name"]
    'Infinium Capital Management'
    """
    import pandas as pd

    rows = [
        {
            "start": pd.Timestamp(entry.start).tz_convert("UTC"),
            "name": entry.name,
            "what": entry.what,
            "controls": "; ".join(entry.controls),
            "sources": "; ".join(entry.sources),
        }
        for entry in _catalogue().values()
    ]
    return pd.DataFrame(rows, index=pd.Index(list(_catalogue()), name="incident"))
