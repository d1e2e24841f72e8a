"""The universe of a running session: labels come in at a price that does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import islice
from typing import Any

from riskkit.replay.schema.universe import GROUPS, Account, Instrument, Universe, common_unit

LABELS = ("accounts", "instruments", "strategies", "connections", "quanta")
GROWING = (*LABELS, "products", *(f"{group}s" for group in GROUPS))
CODES = {"accounts": "account_codes", "instruments": "instrument_codes", "strategies": "strategy_codes"}
CODES |= {"connections": "connection_codes", "products": "product_codes", "quanta": "quanta"}
LISTED = [name for name in GROWING if name != "quanta"]


class OpenUniverse(Universe):
    """A universe that gains labels at the end; the codes of the others stay.

    Parameters
    ----------
    universe : Universe
        Labels and units at the start.
    like : Instrument, optional
        Units of instruments that are added.

    Examples
    --------
    >>> open_universe = OpenUniverse(Universe.declare([Instrument("X")], ["A"]), Instrument("any"))
    >>> before = open_universe.sizes
    >>> open_universe.add("accounts", "B"), open_universe.add("instruments", "Y"), open_universe.add("accounts", "B")
    (1, 1, 1)
    >>> [account.id for account in open_universe.frozen.accounts], open_universe.frozen.products
    (['A', 'B'], ('X', 'Y'))
    >>> open_universe.shrink(before)
    >>> open_universe.account_codes
    {'A': 0}
    """

    def __init__(self, universe: Universe, like: Instrument | None = None) -> None:
        values: dict[str, Any] = {known.name: getattr(universe, known.name) for known in fields(universe)}
        values |= {name: list(getattr(universe, name)) for name in LISTED}
        values |= {codes: dict(getattr(universe, codes)) for codes in CODES.values()}
        self.__dict__.update(values, _like=like, _frozen=universe, _ungrouped=False)

    @property
    def like(self) -> Instrument | None:
        """Units of instruments that are added."""
        found: Instrument | None = self.__dict__["_like"]
        return found

    @property
    def opening(self) -> list[Any]:
        """What `reopened` needs beside the labels, as plain lists."""
        return [] if self.like is None else Universe((self.like,), (), {}).describe()

    @classmethod
    def reopened(cls, universe: Universe, opening: list[Any]) -> OpenUniverse:
        """The universe that had this `opening`."""
        return cls(universe, Universe.from_description(opening).instruments[0] if opening else None)

    @property
    def currencies(self) -> tuple[str, ...]:
        """All currencies so far, by code."""
        return tuple(self.quanta)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of labels of each kind."""
        kept = self.__dict__
        return tuple([len(kept[name]) for name in GROWING])

    def add(self, name: str, label: str) -> int:
        """Add one of `LABELS`, of ``quanta`` a currency; return its code, also if it is known."""
        if name == "quanta":
            self.__dict__["quanta"].setdefault(label, self.quantum)
            return self.currencies.index(label)
        codes: dict[str, int] = getattr(self, CODES[name])
        if label in codes:
            return codes[label]
        entry: Any = label
        if name == "accounts":
            entry = _named(label) if label.isprintable() and " " not in label else Account(label)
            if not self.__dict__["_ungrouped"]:
                for group in GROUPS:
                    self.__dict__[f"{group}s"] += [] if "" in self.__dict__[f"{group}s"] else [""]
                self.__dict__["_ungrouped"] = True
        elif name == "instruments":
            assert self.like is not None
            entry = registered(label, self.like)
            if entry.product not in self.product_codes:
                self._append("products", entry.product, entry.product)
        self._append(name, label, entry)
        return codes[label]

    def _append(self, name: str, label: str, entry: Any) -> None:
        getattr(self, CODES[name])[label] = len(self.__dict__[name])
        self.__dict__[name].append(entry)

    def shrink(self, sizes: Sequence[int]) -> None:
        """Take out what was added since there were so many labels."""
        if self.sizes != tuple(sizes):
            self.__dict__.update(_frozen=None, _ungrouped=False)  # it may have a label that is taken out
        for name, size in zip(GROWING, sizes, strict=True):
            entries = list(self.__dict__[name])[size:] if len(self.__dict__[name]) > size else []
            for entry in entries if name in CODES else ():
                del getattr(self, CODES[name])[getattr(entry, "id", entry)]
            if name in LISTED:
                del self.__dict__[name][size:]

    @property
    def frozen(self) -> Universe:
        """The universe as it is now; the same object until a label is added."""
        found = self.__dict__["_frozen"] = self.at(self.sizes)
        return found

    def at(self, sizes: Sequence[int]) -> Universe:
        """The universe when it had these `sizes`, also for another thread than that which adds labels."""
        last: Universe | None = self.__dict__["_frozen"]
        count = dict(zip(GROWING, sizes, strict=True))
        if last is not None and all(len(getattr(last, name)) == count[name] for name in LABELS):
            return last
        values = {known.name: getattr(self, known.name) for known in fields(self)}
        values |= {name: tuple(values[name][: count[name]]) for name in LABELS[:4]}
        values["quanta"] = dict(islice(dict(self.quanta).items(), count["quanta"]))
        found = object.__new__(Universe)  # every label was checked when it came
        found.__dict__.update(values)
        return found

    @property
    def keeps_units(self) -> bool:
        """True if further instruments do not change the units of quantities and prices."""
        like = self.like
        return like is None or (
            common_unit([self.quantity_unit, like.qty_step]) == self.quantity_unit
            and common_unit([self.price_unit, like.price_step]) == self.price_unit
        )

    def padded(self, spare: dict[str, int]) -> Universe:
        """A universe of these labels and, of each kind, so many without a name: what a later label becomes."""
        like = self.like
        values = {known.name: getattr(self, known.name) for known in fields(self)}
        nobody = _unnamed(Account("spare"))
        added: dict[str, list[Any]] = {"accounts": [nobody] * spare["accounts"], "instruments": []}
        if like is not None:
            shared = "" if like.product == like.id else like.product
            added["instruments"] = [_unnamed(like, product=shared or f"\0{n}") for n in range(spare["instruments"])]
        added |= {name: [""] * spare[name] for name in ("strategies", "connections")}
        found = object.__new__(Universe)
        found.__dict__.update(values | {name: (*values[name], *entries) for name, entries in added.items()})
        found.__dict__["quanta"] = {**self.quanta, **{f"\0{n}": self.quantum for n in range(spare["quanta"])}}
        return found


NOBODY = vars(Account("nobody"))


def _named(label: str) -> Account:
    """An account of a label that needs no check."""
    found = object.__new__(Account)
    found.__dict__.update(NOBODY, id=label, cash={}, positions={})
    return found


def registered(label: str, like: Instrument) -> Instrument:
    """An undeclared instrument in the units of another."""
    return replace(like, id=label, product="" if like.product == like.id else like.product, listed=False)


def _unnamed(entry: Any, **values: Any) -> Any:
    """A copy without a name, which no label of an event can have."""
    other = object.__new__(type(entry))
    other.__dict__.update(
        {**vars(entry), "id": "", "listed": False} if isinstance(entry, Instrument) else {**vars(entry), "id": ""}
    )
    other.__dict__.update(values)
    return other
