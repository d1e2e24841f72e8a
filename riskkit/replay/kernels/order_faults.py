"""What a log says that cannot be: fills beyond the quantity of an order, events after its end, and fills busted twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskkit._docs import counted
from riskkit._jit import kernel, soonest
from riskkit.replay.schema.columns import AMENDS, EventKind, RowFlag

ORDER = int(EventKind.ORDER)
MODIFY = int(EventKind.MODIFY)
CANCEL = int(EventKind.CANCEL)
SNAPSHOT = int(EventKind.SNAPSHOT)
FILL = int(EventKind.FILL)
CANCEL_REJECT = int(EventKind.CANCEL_REJECT)
MODIFY_REJECT = int(EventKind.MODIFY_REJECT)
BUST = int(EventKind.BUST)
FAULTS = ("overfills", "fills_of_done_orders", "cancels_of_done_orders", "modifies_of_done_orders")
AMENDED = "amends_of_busted_fills"
UNCONFIRMED = int(RowFlag.UNCONFIRMED)
IGNORED = int(RowFlag.BAD_TS | RowFlag.DUPLICATE)


def order_faults(columns: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Number of events of each of `FAULTS`, and of busts and corrections of fills that are busted already.

    They are those of the log as recorded, whatever the rules; late and duplicate events aside.

    An order is done once it is filled, cancelled, rejected or expired, or modified to what is filled; a cancel or modify
    that the venue rejects has not been. One that a snapshot names works with the rest that it says; what one does not name is not
    counted as done. A fill of more than what is left of a working order is an overfill.
    """
    flags = columns.get("flags", np.zeros(0, np.int32))
    found = np.zeros(len(FAULTS), np.int64)
    count = soonest(count_faults, len(columns["order"]))
    count(columns["kind"], columns["order"], columns["qty"], flags, found)
    return {**dict(zip(FAULTS, found.tolist(), strict=True)), AMENDED: amended_after_bust(columns)}


def amended_after_bust(columns: Mapping[str, np.ndarray]) -> int:
    """Number of busts and corrections of fills that an earlier one has busted; they change nothing.

    Examples
    --------
    >>> import riskkit as rk
    >>> amended_after_bust(rk.replay.tiny_log([1, 2]).columns)
    0
    """
    if "fill" not in columns:
        return 0
    amends = np.isin(columns["kind"], AMENDS) & (columns["fill"] >= 0)
    if "flags" in columns:
        amends &= columns["flags"] & IGNORED == 0
    rows = np.flatnonzero(amends)
    fills, busts = columns["fill"][rows], columns["kind"][rows] == BUST
    busted, first = np.unique(fills[busts], return_index=True)
    since = dict(zip(busted.tolist(), rows[busts][first].tolist(), strict=True))
    return sum(row > since.get(fill, row) for row, fill in zip(rows.tolist(), fills.tolist(), strict=True))


def fault_text(name: str, count: int) -> str:
    """A count of `order_faults` in words.

    Examples
    --------
    >>> fault_text("fills_of_done_orders", 1), fault_text("overfills", 1_000)
    ('1 fill of done orders', '1,000 overfills')
    """
    what, *rest = name.split("_")
    return " ".join([counted(count, what.removesuffix("s")), *rest])


@kernel
def count_faults(kind: np.ndarray, order: np.ndarray, qty: np.ndarray, flags: np.ndarray, found: np.ndarray) -> None:
    """Count the faults into `found`.

    At an order's own row stand its lots in all, 0 once it is done, those before its last cancel or modify, and those filled.
    """
    whole = np.zeros(len(order), np.int64)
    former = np.zeros(len(order), np.int64)
    filled = np.zeros(len(order), np.int64)
    known = np.zeros(len(order), np.bool_)
    for row in range(len(order)):
        of = order[row]
        if of < 0 or (len(flags) > 0 and flags[row] & IGNORED != 0):
            continue
        if kind[row] == ORDER:
            known[of] = True
            whole[of] = qty[row]
        elif kind[row] == SNAPSHOT:
            known[of] = True
            whole[of] = filled[of] + qty[row]
            former[of] = 0
        elif not known[of]:
            continue
        elif kind[row] == FILL:
            if whole[of] == 0:
                found[1] += 1
            elif filled[of] + qty[row] > whole[of]:
                found[0] += 1
            filled[of] += qty[row]
            if filled[of] >= whole[of]:
                whole[of] = 0
        elif kind[row] == MODIFY:
            if whole[of] == 0:
                found[3] += 1
            elif qty[row] > 0:
                former[of] = whole[of]
                whole[of] = qty[row] if qty[row] > filled[of] else 0
        elif kind[row] == CANCEL_REJECT or kind[row] == MODIFY_REJECT:
            if former[of] > filled[of]:
                whole[of] = former[of]
            former[of] = 0
        else:
            if kind[row] == CANCEL and whole[of] == 0:
                found[2] += 1
            if kind[row] == CANCEL and len(flags) > 0 and flags[row] & UNCONFIRMED != 0:
                continue  # what the venue says next ends it
            former[of] = whole[of] if kind[row] == CANCEL else 0
            whole[of] = 0
