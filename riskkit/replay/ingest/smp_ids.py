"""Self-match prevention ids of orders: a number each, so that no table of labels has to grow with a session.

A venue's id is a number (CME, tag 7928; Binance, trade group; Eurex, match instruction), which is kept as it is; a text becomes the
first 63 bits of its BLAKE2b digest. Orders have the same id if they have the same number.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.schema.columns import EventKind

DIGITS = 18  # of a number below 2**63


def smp_number(label: Any) -> int:
    """The number of an id.

    Examples
    --------
    >>> smp_number("7"), smp_number(7), smp_number("007") == smp_number(7)
    (7, 7, False)
    """
    text = label_text(label)
    if text.isascii() and text.isdigit() and len(text) <= DIGITS and text == str(int(text)):
        return int(text)
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big") >> 1


def smp_numbers(frame: Frame) -> np.ndarray:
    """The numbers of the ids of a frame's orders; -1 of one without, and of other events."""
    codes, found = pd.factorize(frame.column("smp_id"))
    frame.check_names("smp_id", codes, found)
    table = np.array([*map(smp_number, found), -1], np.int64)
    return np.where(frame.rows_of(EventKind.ORDER), table[codes], -1)
