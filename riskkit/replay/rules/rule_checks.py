"""What a rule must have to limit anything: a scope with what it reads, and a limit that something can breach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskkit._check import InputError, one_of, shown
from riskkit.replay.schema import scopes
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.durations import duration

if TYPE_CHECKING:
    from riskkit.replay.rules.rule import Rule


def check_texts(rule: Rule) -> None:
    """Refuse a field that is no text where one is needed."""
    for name in ("scope", "action", "severity", "currency", "via", "netting"):
        given = getattr(rule, name)
        if given is not None and not isinstance(given, str):
            raise InputError(f"rule {rule.id!r}: {name}={shown(given)} is not a text")


def check_scope(rule: Rule) -> None:
    """Refuse a scope that does not have what the rule reads."""
    one_of(rule.scope, tuple(scopes.SCOPES), f"rule {rule.id!r}: scope")
    reads = rule.kind.reads | ({"equity"} if rule.fractions_of_equity else set())
    fitting = tuple(name for name in rule.kind.scopes if name in scopes.scopes_of(reads))
    if rule.scope in fitting:
        if rule.scope == scopes.SMP_ID and rule.action not in ("REJECT", "ALERT"):
            raise InputError(
                f"rule {rule.id!r}: action={shown(rule.action)} does not fit the scope 'smp_id', of which nobody is paused; "
                "use REJECT or ALERT"
            )
        return
    known = ", ".join(repr(scopes.WIRE.get(name, name)) for name in fitting)
    lacking = (scopes.QUANTITIES[quantity] for quantity in sorted(reads))
    why = next((f": {one.why_not}" for one in lacking if rule.scope not in one.scopes), "")
    raise InputError(
        f"rule {rule.id!r}: scope={shown(rule.wire_scope)} does not fit the type {rule.type!r}{why}; use {known}"
    )


def check_netting(rule: Rule) -> None:
    """Refuse exposures that are not netted where there is nothing to net, or no exposure."""
    one_of(rule.netting, ("net", "none"), f"rule {rule.id!r}: netting")
    if rule.netting == "none" and ("exposure" not in rule.kind.reads or scopes.SCOPES[rule.scope].group != "holders"):
        whole = ", ".join(repr(name) for name, row in scopes.SCOPES.items() if row.group == "holders")
        raise InputError(
            f"rule {rule.id!r} ({rule.type}): netting='none' has no effect, for it adds exposures of accounts: "
            f"of a type on exposures, with a scope of {whole}"
        )


def check_given(rule: Rule) -> None:
    """Refuse None for a parameter that a rule of the type needs; a limit may be left to keys with an override."""
    own = {name for _, limits in rule.overrides for name, value in limits if value is not None}
    for name, value in zip(rule.parameters._fields, rule.parameters, strict=True):
        default = rule.kind.parameters._field_defaults.get(name, "")
        if value is None and default is not None and name not in own:
            instead = "give its value" if default == "" else f"leave it out for {shown(default)}"
            raise InputError(f"rule {rule.id!r} ({rule.type}): {name}=None is no value; {instead}")


def check_effect(rule: Rule) -> None:
    """Refuse a rule that nothing can breach, one of parameters that do not fit, and one that refuses cancels."""
    names = rule.kind.one_of(rule.parameters)
    units = rule.kind.units()
    own = dict(limit for _, limits in rule.overrides for limit in limits)  # of keys with an override
    given = [own.get(name) if (value := getattr(rule.parameters, name)) is None else value for name in names]
    timed = [units[name].name == "duration" for name in names]
    if names and not any(
        value is not None and not (span and duration(value, "") == 0) for value, span in zip(given, timed, strict=True)
    ):
        wanted = " or ".join(names)
        raise InputError(
            f"rule {rule.id!r} ({rule.type}) limits nothing: give {wanted}{' above zero' if all(timed) else ''}"
        )
    for version in rule.versions:
        if reason := rule.kind.misfit(version):
            raise InputError(f"rule {rule.id!r} ({rule.type}): {reason}")
    if (rule.action == "QUEUE") != (rule.kind.action == "QUEUE"):
        instead = (
            "use QUEUE, or the type 'order_rate' to refuse" if rule.kind.action == "QUEUE" else "only 'pace' has one"
        )
        why = "lets messages wait in a queue" if rule.kind.action == "QUEUE" else "has no queue"
        raise InputError(
            f"rule {rule.id!r}: action={rule.action!r} does not fit the type {rule.type!r}, which {why}; {instead}"
        )
    if rule.action == "REJECT" and not rule.kind.refusable(rule.parameters):
        why = "judges a shape of events, not one message"
        if rule.kind.breached_by == frozenset({EventKind.CANCEL}):
            why = "counts only cancels, and a cancel is never refused"
        raise InputError(
            f"rule {rule.id!r} ({rule.type}) {why}: action='REJECT' does not fit; use ALERT, REDUCE_ONLY, PAUSE or HALT"
        )
