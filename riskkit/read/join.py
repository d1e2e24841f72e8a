"""Readings of files of several formats as one, such as the exports of two exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from riskkit._check import InputError
from riskkit.read.reading import Reading
from riskkit.replay.schema.universe import Instrument


def joined(readings: Sequence[Reading]) -> Reading:
    """One reading of several: events in order of time, at equal times in the order of the files.

    An instrument of several files has the finest tick and lot of them.

    Raises
    ------
    InputError
        If an account is in several of them, whose ids and positions would be taken for one, or an instrument has another
        currency or multiplier in another file.
    """
    import pandas as pd

    owners: dict[str, str] = {}
    for one in readings:
        for account in one.frame["account"].dropna().unique() if "account" in one.frame else ():
            if owners.setdefault(account, one.format) != one.format:
                raise InputError(
                    f"account {account!r} is in files of {owners[account]} and of {one.format}; read each with its own "
                    "account=, or in logs of their own"
                )
    frame = pd.concat([one.frame for one in readings], ignore_index=True)
    places = [place for one in readings for place in one.places]
    order = frame["ts"].argsort(kind="stable")
    frame = frame.iloc[order].reset_index(drop=True)
    return Reading(
        format=", ".join(one.format for one in readings),
        files=tuple(name for one in readings for name in one.files),
        frame=frame.astype(object).where(frame.notna(), None).assign(ts=frame["ts"]),
        instruments=_instruments(readings),
        places=tuple(places[place] for place in order),
        left_out=pd.concat([one.left_out for one in readings], ignore_index=True),
        events=_sum([one.events for one in readings]),
        derived=_sum([one.derived for one in readings]),
        assumed=tuple(f"{one.format}: {sentence}" for one in readings for sentence in one.assumed),
        fees=_amounts([one.fees for one in readings]),
        cash=_amounts([one.cash for one in readings]),
    )


def _instruments(readings: Sequence[Reading]) -> tuple[Instrument, ...]:
    found: dict[str, Instrument] = {}
    for one in readings:
        for new in one.instruments:
            old = found.setdefault(new.id, new)
            if (old.currency, old.multiplier) != (new.currency, new.multiplier):
                raise InputError(
                    f"instrument {new.id!r} has another currency or multiplier in the files of {one.format}; read them apart"
                )
            found[new.id] = replace(
                old,
                tick=min(old.tick, new.tick),
                lot=min(old.lot, new.lot),
                negative_price=old.negative_price or new.negative_price,
            )
    return tuple(found.values())


def _sum(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {
        name: sum(one.get(name, 0) for one in counts) for name in dict.fromkeys(name for one in counts for name in one)
    }


def _amounts(amounts: Sequence[dict[str, Decimal]]) -> dict[str, Decimal]:
    names = dict.fromkeys(name for one in amounts for name in one)
    return {name: sum((one.get(name, Decimal(0)) for one in amounts), Decimal(0)) for name in names}
