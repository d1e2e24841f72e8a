"""Falls of stock indices, with the closing levels that they are computed from."""

from __future__ import annotations

from typing import NamedTuple

from riskkit._docs import with_described_fields


@with_described_fields
class IndexDrop(NamedTuple):
    """Fall of a price index between two closes.

    Attributes
    ----------
    series : str
        Name of the index, without dividends.
    start : str
        Date of the first close.
    end : str
        Date of the second.
    close_from : float
        Level at the first, a price.
    close_to : float
        Level at the second, a price.

    Examples
    --------
    >>> from riskkit.stress import INDEX_DROPS
    >>> round(INDEX_DROPS[1].move, 4)
    -0.2261
    """

    series: str
    start: str
    end: str
    close_from: float
    close_to: float

    @property
    def move(self) -> float:
        """Simple return between the closes, a fraction."""
        return self.close_to / self.close_from - 1.0


INDEX_DROPS = (
    IndexDrop("S&P 500", "1987-10-16", "1987-10-19", 282.7, 224.84),
    IndexDrop("Dow Jones Industrial Average", "1987-10-16", "1987-10-19", 2246.74, 1738.74),
    IndexDrop("S&P 500", "2007-10-09", "2009-03-09", 1565.15, 676.53),
    IndexDrop("S&P 500", "2020-02-19", "2020-03-23", 3386.15, 2237.4),
    IndexDrop("S&P 500", "2000-03-24", "2002-10-09", 1527.46, 776.76),
    IndexDrop("S&P 500", "2008-10-14", "2008-10-15", 998.01, 907.84),
    IndexDrop("S&P 500", "2020-03-13", "2020-03-16", 2711.02, 2386.13),
    IndexDrop("Nasdaq Composite", "2000-03-10", "2002-10-09", 5048.62, 1114.11),
    IndexDrop("Nikkei 225", "1989-12-29", "2009-03-10", 38915.87, 7054.98),
    IndexDrop("Dow Jones Industrial Average", "1929-09-03", "1932-07-08", 381.17, 41.22),
)
"""Falls between published closing levels of the index providers."""
