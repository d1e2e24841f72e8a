"""Money of a rule: which of its limits are amounts, and the currency that they name."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, shown
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.names import name_text
from riskkit.replay.schema.universe import GROUPS

if TYPE_CHECKING:
    from riskkit.replay.rules.rule import Rule

CONVERSION = {"currency": "", "via": "USD", "max_age_ns": None}  # fields of a rule whose amounts are converted
ADDED = frozenset({"exposure", "share", "equity", "profit"})  # what a book adds over its instruments and accounts
WHOLE = ("account", *GROUPS, "global")  # scopes of whole accounts, which have cash


def money_limits(rule: Rule) -> tuple[str, ...]:
    """Names of the given parameters that are amounts of money.

    Examples
    --------
    >>> import riskkit as rk
    >>> money_limits(rk.Rule("r", rk.rules.PositionLimit(limit=5))), money_limits(rk.Rule("r", rk.rules.MaxExposure(5)))
    ((), ('limit',))
    """
    defaults = rule.kind.parameters._field_defaults
    return tuple(
        name
        for name, unit in rule.kind.units().items()
        if unit.name == "money" and getattr(rule.parameters, name) != defaults.get(name)
    )


def compares_money(rule: Rule) -> bool:
    """True if a rule compares amounts of money: with a limit, or with each other."""
    return bool(money_limits(rule) or rule.fractions_of_equity or rule.kind.reads & ADDED)


def converts(rule: Rule) -> bool:
    """True if the amounts that a rule compares can be converted to one currency."""
    return rule.kind.converted is not None and (not rule.kind.reads & ADDED or rule.scope in WHOLE)


def gathers(rule: Rule) -> bool:
    """True if a rule adds the money of its key in several currencies, converted."""
    return bool(rule.currency and rule.kind.reads & ADDED)


def conversion_of(rule: Rule) -> dict[str, Any]:
    """The fields of a rule's conversion."""
    return {name: getattr(rule, name) for name in CONVERSION}


def check_currency(rule: Rule) -> dict[str, Any]:
    """The fields of a rule's conversion in canonical form.

    Raises
    ------
    InputError
        If they have no effect, or amounts of the type or the scope are not converted.
    """
    name, fields = f"rule {rule.id!r} ({rule.kind.name})", conversion_of(rule)
    if not rule.currency:
        for given, value in fields.items():
            if not isinstance(value, (str, NoneType)) or value != CONVERSION[given]:
                raise InputError(f"{name}: {given}={shown(value)} has no effect without currency=")
        return fields
    fields["currency"] = name_text(rule.currency, f"{name}: currency")
    what = f"{name}: currency={fields['currency']!r}"
    if not compares_money(rule):
        raise InputError(f"{what} has no effect, for no limit of it is compared with money")
    if rule.kind.converted is None:
        raise InputError(
            f"{what} does not fit, for amounts of this type are not converted; leave it out, and replay the accounts of "
            "each currency as a log of their own"
        )
    if not converts(rule):
        known = ", ".join(repr(scope) for scope in WHOLE if scope in rule.kind.scopes)
        raise InputError(f"{what} does not fit the scope {rule.wire_scope!r}; use {known}")
    if rule.max_age_ns is not None:
        fields["max_age_ns"] = duration(rule.max_age_ns, f"{name}: max_age_ns", zero=False)
    return fields
