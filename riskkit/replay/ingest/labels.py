"""Convert words and labels to codes: kinds, sides, commands, accounts, instruments, strategies."""

from __future__ import annotations

from collections.abc import Mapping
from operator import ne
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import shown
from riskkit.replay.ingest.columns import FRAME_COLUMNS, NEEDED_BY
from riskkit.replay.ingest.fields import NAMES
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.times import is_number
from riskkit.replay.schema.columns import AMENDS, FACTS, EventKind

SIDES = {"B": 1, "BUY": 1, "LONG": 1, "S": -1, "SELL": -1, "SHORT": -1, "1": 1, "-1": -1, "+1": 1}
TRUTHS = {"TRUE": 1, "1": 1, "FALSE": 0, "0": 0}


def label_text(label: Any) -> str:
    """A label as text; a float with an integer value (a gap in its column made it one) as that integer."""
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        label = int(label)
    try:
        return str(label).strip()
    except (ValueError, RecursionError):  # an integer of thousands of digits has no text
        return shown(label)


def one_spelling(frame: Frame) -> Frame:
    """The frame with one value for each name, as a session has: 7, "7" and " 7" in one column are one name."""
    for name in NAMES:
        if frame.has(name) and _varies(frame.column(name)):
            spelt = frame.column(name).astype(object).map(_spelt, na_action="ignore")
            frame = frame.with_column(name, spelt)
    return frame


def _varies(column: pd.Series) -> bool:
    """True if a column has names of several types, or with spaces around them."""
    names = pd.Series(column.cat.categories) if isinstance(column.dtype, pd.CategoricalDtype) else column.dropna()
    kind = pd.api.types.infer_dtype(names)
    if kind != "string":
        return kind.startswith("mixed")
    if names.dtype == object:  # several times as fast as by ``names.str``
        texts = names.tolist()
        return any(map(ne, texts, map(str.strip, texts)))
    return bool((names.str.strip() != names).any())


def _spelt(name: Any) -> Any:
    """A text or number as the text of its name; what is no name (True, a blank, a list) as it is."""
    return (label_text(name) or name) if isinstance(name, str) or is_number(name) else name


def _codes_of(frame: Frame, name: str, known: Mapping[str, int], unknown: int, empty: int) -> np.ndarray:
    """Codes of a column of words in any case; `unknown` of another word, `empty` of no value."""
    codes, words = pd.factorize(frame.column(name))
    return np.array([int(known.get(label_text(word).upper(), unknown)) for word in words] + [empty], np.int8)[codes]


def kinds(frame: Frame) -> np.ndarray:
    """Codes of `EventKind`."""
    known = {kind.name: int(kind) for kind in EventKind if not FACTS[kind].inside}
    found = _codes_of(frame, "kind", known, -1, -1)
    frame.refuse(found < 0, "kind", f"is not a kind of event; kinds are {', '.join(known).lower()}")
    return found


def label_codes(frame: Frame, name: str, declared: list[str]) -> tuple[np.ndarray, list[str]]:
    """Codes of accounts or instruments: the declared labels first, then others in order of appearance."""
    needs = frame.rows_of(*NEEDED_BY[name])
    if not frame.has(name):
        frame.refuse(needs, name, f"given, but the column is needed: {FRAME_COLUMNS[name]}")
        return np.full(frame.size, -1, np.int32), declared
    frame.refuse(needs & frame.missing(name), name, f"is not a label; give the {FRAME_COLUMNS[name]}")
    codes, found = pd.factorize(frame.column(name))
    frame.check_names(name, codes, found)
    index = {label: code for code, label in enumerate(declared)}
    table = np.array([index.setdefault(label_text(label), len(index)) for label in found] + [-1], np.int32)
    return table[codes], list(index)


def plain_codes(frame: Frame, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes of the labels of a column in order of appearance (connections: one login may serve several accounts)."""
    codes, found = pd.factorize(frame.column(name))
    frame.check_names(name, codes, found)
    return codes.astype(np.int32), tuple(label_text(label) for label in found)


def strategy_codes(frame: Frame, account: np.ndarray, accounts: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes of strategies; each belongs to an account and is labelled account/strategy."""
    codes, found = pd.factorize(frame.column("strategy"))
    frame.check_names("strategy", codes, found)
    labels = [label_text(label) for label in found]
    both = (codes >= 0) & (account >= 0)
    owned = np.full(frame.size, -1, np.int32)
    owned[both], keys = pd.factorize(account[both].astype(np.int64) * len(labels) + codes[both])
    return owned, tuple(f"{accounts[key // len(labels)]}/{labels[key % len(labels)]}" for key in keys.tolist())


def pairs_of(
    account: np.ndarray, instrument: np.ndarray, width: int, opened: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of the (account, instrument) pairs: opening positions first, then in order of appearance."""
    both = (account >= 0) & (instrument >= 0)
    keys = account[both].astype(np.int64) * width + instrument[both]
    codes, found = pd.factorize(np.concatenate([np.array([a * width + i for a, i in opened], np.int64), keys]))
    pair = np.full(len(account), -1, np.int32)
    pair[both] = codes[len(opened) :]
    width = max(width, 1)
    return pair, (found // width).astype(np.int32), (found % width).astype(np.int32)


def sides(frame: Frame) -> np.ndarray:
    """+1 or -1, 0 without a side; orders, fills and trades need one."""
    needs = frame.rows_of(*NEEDED_BY["side"])
    if not frame.has("side"):
        frame.refuse(needs, "side", "given, but a side is needed: B or S")
        return np.zeros(frame.size, np.int8)
    side = _codes_of(frame, "side", SIDES, 0, 0)
    messages = needs | frame.rows_of(EventKind.MODIFY, EventKind.SNAPSHOT, *AMENDS)
    frame.refuse(messages & (side == 0) & ~(frame.missing("side") & ~needs), "side", "is not a side; use B or S")
    return np.where(messages, side, np.int8(0))


def word_codes(frame: Frame, name: str, rows: np.ndarray, known: Any, absent: int | None = None) -> np.ndarray:
    """Codes of words at `rows`; `absent` is the code of an empty value, None if a word is needed."""
    names = known.__members__
    if not frame.has(name):
        if absent is None:
            frame.refuse(rows, name, f"is not one of {', '.join(names)}")
        return np.full(frame.size, absent or 0, np.int8)
    found = _codes_of(frame, name, names, -1, -1 if absent is None else int(absent))
    frame.refuse(rows & (found < 0), name, f"is not one of {', '.join(names)}")
    return found


def truths(frame: Frame, name: str, rows: np.ndarray) -> np.ndarray:
    """Mask of the rows with True; an empty value is False."""
    if not frame.has(name):
        return np.zeros(frame.size, bool)
    found = _codes_of(frame, name, TRUTHS, -1, 0)
    frame.refuse(rows & (found < 0), name, "is not True or False")
    return rows & (found > 0)
