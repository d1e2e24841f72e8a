"""Rules and rule types: parameters, state and two plain functions, with one declaration.

A rule file contains, in this order: the limit in words, parameters, state, check, update, declaration (`RuleType`).
The functions name the arguments that they need, out of

    state    the rule's record for the key of the event (an account, an instrument, ...); fields as declared, int64
    params   the parameters as integers
    book     the position, account and instrument of the event (`riskkit.replay.kernels.book.Book`)
    event    the event (`riskkit.replay.schema.columns.EventRow`)
    memory   the shared int64 workspace; this key's words start at `state.memory`
    reals    (check, update) the shared float64 workspace of rules that need the covariance, from `state.reals` on
    reducing (check) 1 if the order only reduces a position
    instruments (check, update) the table of instruments
    orders, positions (check) the tables, for the working orders of a position and the positions of an account
    held     (check, update) the positions of the book: the table `positions`, or that of the rule's group
    later    (check) 1 for an order of a list that others follow, else 0: the rule judges the list at its last order
    rate     (converted) how amounts become those of the limit's currency (`riskkit.replay.kernels.conversion`); None in `check`
    best     (check) best working order of the other side in the rule's scope, a price times the order's side
    met      (check) lots of the working orders of the other side in the rule's scope that the order would meet
    duplicates    (check) number of earlier identical orders within the rule's `window_ns`
    day      (check, update) start of the trading day of the event, in the time zone of the rule
    accepted (update) 1 if the event was accepted, 0 if refused: in enforce mode by any rule, in shadow by this rule
    passed   (update) 1 if this rule passed it
    released (update) time at which an accepted message goes that rules with the action QUEUE let wait; now if none does

``check`` changes nothing and returns a `Verdict`. ``update`` is called after the verdict and returns 1 if the rule
trips, -1 if what trips it is over (`recovers`), else 0. ``on_new_day`` is called when the trading day turns, ``reset`` when
a pause ends or at a manual reset (the record's ``held_until`` is then still the end of the pause, 0 without a pause);
``on_pause_end`` takes its place where a pause ends by itself. ``holds_back`` is true if messages are refused as in a pause
although it is over. ``leave`` takes an order that would go at `release` out of a queue. ``apply_pending`` adds an order of a
list (`sign` 1) while the orders after it are checked, and removes it (-1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import NoneType
from typing import Any, get_type_hints

from riskkit._check import InputError, one_of, shown
from riskkit.replay.rules.money import CONVERSION, check_currency
from riskkit.replay.rules.overrides import OF_KEYS, check_overrides, versions_of
from riskkit.replay.rules.parameter_texts import describe
from riskkit.replay.rules.parameters import Unit, fits, integers_of, unit_of
from riskkit.replay.rules.rule_checks import check_effect, check_given, check_netting, check_scope, check_texts
from riskkit.replay.rules.rule_text import action_text, description, limit_text, rule_text, scope_text
from riskkit.replay.rules.verdict import Measure, Observation
from riskkit.replay.schema import scopes
from riskkit.replay.schema.columns import MESSAGES, EventKind
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.names import name_text
from riskkit.replay.schema.universe import Universe

ACTIONS = ("ALERT", "QUEUE", "REJECT", "REDUCE_ONLY", "PAUSE", "HALT")  # mildest first
SEVERITIES = ("INFO", "WARN", "CRITICAL")
SCOPES = tuple(scopes.SCOPES)
HOLDING = ("REDUCE_ONLY", "PAUSE", "HALT")


@dataclass(frozen=True)
class RuleType:
    """Declaration of a rule type; call it to make a rule.

    Parameters
    ----------
    name : str
        The ``type`` in a rule set.
    parameters : NamedTuple class
        Fields annotated with units of this module (`Count`, `Duration`, `Quantity`, `Money`, `Proportion`, ...).
    state : tuple of str
        Fields of each key's record, all int64.
    check, update, on_new_day, reset, on_pause_end, holds_back, leave, apply_pending : functions, optional; see above.
    checks_on : event kinds for which ``check`` is called; by default ORDER and MODIFY.
    updates_on : event kinds for which ``update`` is called; MARK: the account's equity moved.
    amend : counts (``sign`` 1) or undoes (-1) a fill that is corrected or busted; ``today``: 1 if it is of this trading day.
    on_opening_position : called with state and book, once per opening position, before the first event.
    evict : function, optional
        Called before ``check`` and ``update``; removes entries outside the window at the time of the event. It may
        depend only on time, so that a refused event leaves no trace.
    workspace_size : words of workspace per key: int, or function of the integer parameters.
    shared_workspace : function of the parameters as written and the universe, optional
        Words of workspace shared by all keys, filled once; they start at `state.memory`.
    resize : function of records, integer parameters before and after, and memory: what is kept in words of another size
    nodes_per_event : nodes that one event may add to the queues of `riskkit.replay.kernels.queue` in the workspace.
    scopes : allowed scopes; the first is the default. All scopes that have what the rule `reads` if not given.
    reads : frozenset of `riskkit.replay.schema.scopes.QUANTITIES`
        What the check or update reads of the book: the book is then that of the rule's key, with positions netted and
        profit summed over the accounts of a desk, a product, ...
    of_equity : frozenset of str
        Limits that are fractions of an equity: they need one that is known.
    action : default action.
    hold : default end of a pause: "reset", "session", or the name of a duration parameter.
    checked_by_pause : with an action that pauses, ``check`` is not called: the breach is a state, and its trip stops the
        messages after it. Of all other types, the breaching message is refused whatever the action.
    breach_trips : with an action that pauses, a breach found by ``check`` trips the rule; False: only ``update`` does.
    recovers : a breach found by ``update`` is a state: its pause ends when ``update`` returns -1.
    may_pause : the rule may pause its key with REJECT as well; None: never, it refuses as long as the breach lasts.
    exempt_reducing : orders that only reduce a position are exempt.
    requires : data that the engine maintains for the rule, of {"marks", "orders", "working", "chains", "cash", "duplicates",
        "parents", "covariance", "opening", "lifetimes", "turnover", ...}.
    sentence : str, or function of the parameters: the limit in words.
    source_hash : hash of the source of a user-defined rule (`riskkit.replay.rules.custom`), empty for the catalogue.
    integer_parameters : class of the integer parameters, if other than `parameters`.
    observes : str, Measure, Observation, or a tuple of them
        The observed value of a verdict: the parameter that is its limit, in that parameter's unit; a `Measure` if
        the check computes the limit. With several, a `CapVerdict` names the limit.
    standing : bool; the check gives the current utilization without a message.
    looks_at : frozenset of {"positions", "cash"}
        Opening balances of an account on which the verdict depends.
    counts_itself : bool; the check counts the message under test.
    one_pass : bool
        In shadow mode the observed value does not depend on the limit: one replay serves every threshold.
    bounds : {"orders", "solvency", "losses", "nothing", ""}
        Quantity bounded in `worst_case`; "nothing": supported, but bounds no total; empty: not supported.
    not_bounding : function of the rule, optional
        Reason why a rule's parameters do not bound that quantity; empty if they do.
    desk_limit : field of `riskkit.desk.DeskLimits` equivalent to the first limit.
    used : function of state and params, optional
        A `CapVerdict` per limit with its current utilization, if the check does not give it.
    breached_by : frozenset of Kind, optional
        Events at which ``update`` may return 1; by default all of `updates_on`.
    one_of : tuple of str, or function of the parameters
        Parameters of which one must be given, and be a duration above zero: without, nothing ever breaches the rule.
    refusable : function of the parameters, optional
        False if only messages that cannot be refused (cancels) breach the limit.
    misfit : function of the rule, optional
        Reason why its parameters do not fit together; empty if they do.
    lacks : function of the parameters and the name of an instrument, optional
        True if their data have nothing of the instrument.
    adds_lots : function of the parameters, optional
        True if its record adds quantities of all instruments of its scope.
    converted, adds_up : function, optional: the check with amounts converted by ``rate``; bool: its record adds amounts
    evidence : tuple of Need, or function of the rule
        Contents of a log without which the verdict never breaches; see `riskkit.replay.rules.judged`.

    Examples
    --------
    >>> from riskkit.replay.rules.catalogue.position_limit import POSITION_LIMIT
    >>> POSITION_LIMIT.name, POSITION_LIMIT.scopes[0], POSITION_LIMIT.action
    ('position_limit', 'account', 'REJECT')
    >>> print(POSITION_LIMIT("p", limit=5).limit_text())
    a net position of at most 5 in quantity after the order, with working orders of its side
    """

    name: str
    parameters: Any
    state: tuple[str, ...] = ()
    check: Callable[..., Any] | None = None
    update: Callable[..., Any] | None = None
    on_new_day: Callable[..., Any] | None = None
    reset: Callable[..., Any] | None = None
    evict: Callable[..., Any] | None = None
    apply_pending: Callable[..., Any] | None = None
    amend: Callable[..., Any] | None = None
    on_pause_end: Callable[..., Any] | None = None
    holds_back: Callable[..., Any] | None = None
    leave: Callable[..., Any] | None = None
    on_opening_position: Callable[..., Any] | None = None
    checks_on: frozenset[EventKind] = frozenset(MESSAGES)
    updates_on: frozenset[EventKind] = frozenset()
    workspace_size: Callable[[Any], int] | int = 0
    shared_workspace: Callable[[Any, Universe], list[int]] | None = None
    resize: Callable[..., Any] | None = None
    nodes_per_event: int = 0
    scopes: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()
    of_equity: frozenset[str] = frozenset()
    action: str = "REJECT"
    hold: str = "reset"
    checked_by_pause: bool = False
    breach_trips: bool = True
    recovers: bool = False
    may_pause: bool | None = False
    exempt_reducing: bool = False
    requires: frozenset[str] = frozenset()
    sentence: Any = ""
    source_hash: str = ""
    integer_parameters: Any = None
    observes: Any = ()
    standing: bool = False
    looks_at: frozenset[str] = frozenset()
    counts_itself: bool = False
    one_pass: bool = False
    bounds: str = ""
    not_bounding: Callable[[Any], str] = field(default=lambda rule: "")
    desk_limit: str = ""
    used: Callable[..., Any] | None = None
    breached_by: frozenset[EventKind] | None = None
    one_of: Any = ()
    refusable: Callable[[Any], bool] = field(default=lambda parameters: True)
    misfit: Callable[[Any], str] = field(default=lambda rule: "")
    lacks: Callable[[Any, str], bool] = field(default=lambda params, instrument: False)
    adds_lots: Callable[[Any], bool] = field(default=lambda parameters: False)
    converted: Callable[..., Any] | None = None
    adds_up: bool = False
    evidence: Any = ()

    def __post_init__(self) -> None:
        """Validate `observes` and `breach`; turn a fixed sentence into a function."""
        if not self.scopes:
            object.__setattr__(self, "scopes", scopes.scopes_of(self.reads))
        if isinstance(text := self.sentence, str):
            object.__setattr__(self, "sentence", lambda parameters: text)
        if isinstance(names := self.one_of, tuple):
            object.__setattr__(self, "one_of", lambda parameters: names)
        if isinstance(needs := self.evidence, tuple):
            object.__setattr__(self, "evidence", lambda rule: needs)
        units = self.units()
        for limit in self._observes():
            if type(limit) is str and (limit not in units or units[limit].name not in set(Measure)):
                raise InputError(
                    f"rule type {self.name!r}: observes={shown(limit)} is neither a parameter that is a count, a quantity, money "
                    "or a fraction, nor a Measure"
                )
        if "breach" in self.parameters._fields and not self.limits and not self._reads_breach():
            raise InputError(
                f"rule type {self.name!r}: its parameter 'breach' has no effect; annotate the limit that it governs, "
                "as Limit[Quantity]"
            )

    def _reads_breach(self) -> bool:
        functions = (self.check, self.update, self.evict, self.on_new_day)
        return any(f is not None and "breach" in f.__code__.co_names for f in functions)

    @property
    def limits(self) -> tuple[str, ...]:
        """Names of the parameters that are limits."""
        return tuple(name for name, unit in self.units().items() if unit.is_limit)

    @cached_property
    def observed(self) -> tuple[Observation, ...]:
        """The `observes` entries as `Observation`, one per limit."""
        units = self.units()
        return tuple(
            entry if isinstance(entry, Observation)
            else Observation(entry) if isinstance(entry, Measure)
            else Observation(Measure(units[entry].name), entry)
            for entry in self._observes()
        )  # fmt: skip

    def _observes(self) -> tuple[Any, ...]:
        return self.observes if type(self.observes) is tuple else (self.observes,)

    @property
    def caps(self) -> bool:
        """True if the type has several limits (its verdict is a `CapVerdict`)."""
        return len(self.observed) > 1

    def __call__(self, id: str = "", **fields: Any) -> Rule:
        """Make a rule of this type: parameters by name, and ``scope``, ``action``, ``severity``, ``hold``, ``currency``, ..."""
        own = ("scope", "action", "severity", "hold", *CONVERSION, *OF_KEYS)
        common = {name: fields.pop(name) for name in own if name in fields and name not in self.parameters._fields}
        return Rule(id or self.name, self.make(fields), kind=self, **common)

    def make(self, fields: dict[str, Any]) -> Any:
        """Build the parameters; unknown or missing names are errors."""
        known = self.parameters._fields
        for name in fields:
            if name not in known:
                import difflib

                close = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
                raise InputError(f"rule type {self.name!r} has no parameter {name!r}; {hint}")
        absent = [name for name in known if name not in fields and name not in self.parameters._field_defaults]
        if absent:
            raise InputError(f"rule type {self.name!r} needs the parameter {absent[0]!r}")
        return self.parameters(**fields)

    def units(self) -> dict[str, Unit]:
        """Unit of each parameter."""
        return dict(_units_of(self.parameters))


@cache
def _units_of(parameters: Any) -> dict[str, Unit]:
    """Unit of each field of a parameters class, from its annotations."""
    hints = get_type_hints(parameters, include_extras=True)
    units = {name: unit_of(hints[name]) for name in parameters._fields}
    return {name: unit for name, unit in units.items() if unit is not None}


def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a rule function's arguments."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


_TYPES: dict[str, RuleType] = {}
_BY_PARAMETERS: dict[Any, RuleType] = {}


def register(kind: RuleType) -> RuleType:
    """Register a rule type by name, for rule sets read from text."""
    describe(kind.parameters, kind.units())
    _TYPES[kind.name] = kind
    _BY_PARAMETERS[kind.parameters] = kind
    return kind


def is_known(name: str) -> bool:
    """True if a rule type of that name is registered."""
    return name in _TYPES


def rule_types() -> tuple[RuleType, ...]:
    """Registered types, the catalogue first."""
    return tuple(_TYPES.values())


def rule_type(name: str) -> RuleType:
    """Registered type of that name."""
    if name not in _TYPES:
        import difflib

        close = difflib.get_close_matches(name, _TYPES, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known types are {', '.join(sorted(_TYPES))}"
        raise InputError(f"rule type {shown(name)} is not known; {hint}")
    return _TYPES[name]


@dataclass(frozen=True)
class Rule:
    """One limit of a rule set.

    Parameters
    ----------
    id : str
        Name cited in decisions.
    parameters, kind : NamedTuple, and its RuleType, by default the one found by it
        For example `OrderRate(limit=50, window_ns=1_000_000_000)`.
    scope : str
        Key of the limit: account, instrument, account_instrument, ...
    action : {"ALERT", "QUEUE", "REJECT", "REDUCE_ONLY", "PAUSE", "HALT"}
        Effect of a breach, mildest first; QUEUE is that of `pace` alone, and refuses only what finds its queue full.
    severity : {"INFO", "WARN", "CRITICAL"}
        Severity of its alerts.
    hold : str or int
        End of a pause: "reset" (manual), "session" (when the day turns), or nanoseconds.
    currency : str, optional
        Currency of a limit in money; by default the only one of the log. Others are converted when it is evaluated, at the
        last rates (events of kind ``fx``) and against the trader: exposures at the ask and up, equity and profit at the bid.
    via, max_age_ns : str, and str or int, optional
        Currency of a cross; age up to which a rate counts. Without one ``on_missing_price`` decides, else it is refused.
    overrides : mapping of label to limits, optional
        Limits of single keys: ``{"D1": {"limit": 150}}``, of an account in an instrument also ``{"*/X": ...}``.
    netting : {"net", "none"}
        Exposure of a trader, desk, firm or of everything: of the net position in each instrument, or summed over accounts.

    Examples
    --------
    >>> from riskkit.rules import PositionLimit
    >>> rule = Rule("position", PositionLimit(limit=1_000), scope="account_instrument", severity="CRITICAL")
    >>> print(rule)
    position: a net position of at most 1,000 in quantity after the order, with working orders of its side, for each
    account and instrument. Orders and modifications that would breach it are rejected (severity CRITICAL).
    """

    id: str
    parameters: Any
    scope: str = ""
    action: str = ""
    severity: str = "WARN"
    hold: Any = None
    kind: Any = None
    currency: str = ""
    via: str = "USD"
    max_age_ns: Any = None
    overrides: Any = ()
    netting: str = "net"

    def __post_init__(self) -> None:
        """Fill in the defaults of the type and validate the fields."""
        kind = self.kind or _BY_PARAMETERS.get(type(self.parameters))
        if kind is None:
            raise InputError(
                f"rule {shown(self.id)}: {shown(self.parameters)} are the parameters of no registered rule type"
            )
        vars(self).update(kind=kind, id=name_text(self.id, "rule id"))
        check_texts(self)
        vars(self).update(scope=scopes.scope_of(self.scope) or kind.scopes[0], action=self.action or kind.action)
        check_scope(self)
        check_netting(self)
        vars(self).update(check_currency(self))
        one_of(self.action, ACTIONS, f"rule {self.id!r}: action")
        one_of(self.severity, SEVERITIES, f"rule {self.id!r}: severity")
        for name, unit in kind.units().items():
            length = f"{name}_ns" if f"{name}_ns" in kind.units() else ""
            fits(getattr(self.parameters, name), unit, f"rule {self.id!r}: {name}", length)
        object.__setattr__(self, "overrides", check_overrides(self))
        check_given(self)
        check_effect(self)
        breach = getattr(self.parameters, "breach", None)
        limits = [getattr(self.parameters, name) for name in kind.limits]
        if limits and set(limits) == {None} and breach != kind.parameters._field_defaults.get("breach"):
            raise InputError(f"rule {self.id!r}: breach={shown(breach)} has no effect, for no limit is given")
        self.hold_ns()
        spans = {name: getattr(self.parameters, name) for name, unit in kind.units().items() if unit.name == "duration"}
        spans = {
            name: duration(span, name) for name, span in spans.items() if not isinstance(span, (str, int, NoneType))
        }
        object.__setattr__(self, "parameters", self.parameters._replace(**spans))
        if not isinstance(self.hold, (str, int, NoneType)):
            object.__setattr__(self, "hold", duration(self.hold, "hold"))

    @property
    def requires(self) -> frozenset[str]:
        """Data that the engine maintains for the rule: that of its type, and the times of prices if marks may not be old."""
        aged = getattr(self.parameters, "max_mark_age_ns", None) is not None
        return self.kind.requires | (frozenset({"references"}) if aged else frozenset())

    @property
    def fractions_of_equity(self) -> tuple[str, ...]:
        """Names of the given limits that are fractions of an equity."""
        return tuple(name for name in sorted(self.kind.of_equity) if getattr(self.parameters, name) is not None)

    @property
    def versions(self) -> tuple[Rule, ...]:
        """The rule for keys without an override, then for each override."""
        return versions_of(self)

    @property
    def type(self) -> str:
        """Name of the rule type."""
        return self.kind.name

    @property
    def wire_scope(self) -> str:
        """Scope as spelt in rule sets."""
        return scopes.WIRE.get(self.scope, self.scope)

    @property
    def can_pause(self) -> bool:
        """True if the rule can pause its key."""
        if self.kind.may_pause is None or self.action == "ALERT":
            return False
        return self.kind.may_pause or self.action in HOLDING

    @property
    def pause_word(self) -> str:
        """What a key is while the rule stops it: halted (nothing but cancels passes) or paused."""
        return "halted" if self.action == "HALT" else "paused"

    @property
    def refuses(self) -> bool:
        """True if a breaching message is refused under its id: it judges messages, and not only by a pause."""
        if self.action == "ALERT" or self.kind.check is None:
            return False
        return not (self.can_pause and self.kind.checked_by_pause)

    @property
    def alerts_on(self) -> tuple[EventKind, ...]:
        """Events that cannot be refused and at which a breach is an alert: cancels, and fills of a rule that judges no message."""
        if self.action != "ALERT" or self.kind.check is None:
            return ()
        heard = (EventKind.CANCEL,) if self.kind.checks_on else (EventKind.CANCEL, EventKind.FILL)
        return tuple(kind for kind in heard if kind in (self.kind.breached_by or ()))

    def is_young(self, limit: int) -> bool:
        """True if NO_PRICE with this limit means too few returns, not a missing price."""
        return "covariance" in self.kind.requires and limit > 0

    def hold_ns(self) -> int | str:
        """End of a pause: "reset", "session", or nanoseconds after its start."""
        given = self.kind.hold if self.hold is None else self.hold
        if isinstance(given, str) and given in ("reset", "session"):
            return given
        if isinstance(given, str) and given in self.parameters._fields:
            return duration(getattr(self.parameters, given), f"rule {self.id!r}: {given}") or "reset"
        return duration(given, f"rule {self.id!r}: hold") or "reset"

    def zone(self) -> tuple[str, int]:
        """Time zone and roll hour of the trading day."""
        return getattr(self.parameters, "tz", "UTC"), int(getattr(self.parameters, "roll_hour", 0))

    def to_integers(self, universe: Universe) -> Any:
        """Parameters as the integers of the loop."""
        return integers_of(self, self.parameters, universe)

    def describe(self) -> dict[str, Any]:
        """The rule as an entry of a rule set."""
        return description(self)

    def limit_text(self) -> str:
        """The limit in words."""
        return limit_text(self)

    def __str__(self) -> str:
        """The rule in two sentences that a risk officer can sign."""
        return rule_text(self)

    def scope_text(self) -> str:
        """The scope in words."""
        return scope_text(self)

    def action_text(self) -> str:
        """The effect of a breach in words."""
        return action_text(self)
