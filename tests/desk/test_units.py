"""Every public name of the desk that is a quantity has one unit, in arguments and in answers alike."""

import inspect
import re
from pathlib import Path

import pytest

from riskkit import desk
from riskkit.desk.core.records import CheckedRecord, Field
from riskkit.desk.manager.reports import HOLDING_UNITS
from riskkit.desk.positions.results import TOKEN_FIELDS

ARGUMENTS = {
    "bars": "count", "bars_per_day": "number", "buy_amount": "tokens", "capacity": "count", "code": "code",
    "correlation": "number", "decay": "number", "drift": "number", "gas_amount": "tokens", "history": "money",
    "idle": "duration", "initial": "number", "interval_ms": "ms", "keep": "count", "lot": "units", "max_concentration": "fraction",
    "max_drawdown_limit": "percent", "max_exposure": "money", "max_var": "money", "min_bars": "count", "minutes": "count",
    "minutes_per_day": "count", "part_rows": "count", "periods_per_year": "number", "portfolio_value": "money",
    "portfolio_values": "money", "prices": "money per unit", "qty": "units", "quantum": "money", "remember": "count",
    "returns": "fraction", "sell_amount": "tokens", "stale_after": "duration", "max_ahead": "duration", "start": "time", "bar": "duration",
    "stressed_volatility": "fraction", "ticks_per_minute": "count", "timeout": "s", "exit_timeout": "s", "until": "time", "window": "count",
    "z": "number", "deduplicate": "duration", "attempt": "count", "from_event": "event number", "row": "row number",
}  # fmt: skip
"""Units of the arguments that are no field of an answer."""
WITHOUT_UNIT = set(
    """account acknowledged alert alerts ax book changes channels current_positions data decided estimate event events
    feed fields folder frame from_start head headers host id index journal limits listeners local_hostname logger manager
    name on_error on_warm_up open_only opening options overflow password path port positions query reading recipients retry rules
    security seed self sender session short_selling state stream stress subscription texts tickers buy_token sell_token
    gas_token trade trades trade_ids url username wait warning args kwargs""".split()
)


def classes() -> dict[str, type]:
    return {name: getattr(desk, name) for name in desk.__all__ if inspect.isclass(getattr(desk, name))}


def fields() -> list[tuple[str, str, str]]:
    """(where, name, unit) of every field of every record of the desk, and of the columns of its tables."""
    found = [
        (kind.__name__, name, unit)
        for kind in classes().values()
        if issubclass(kind, CheckedRecord)
        for name, unit in kind.units().items()
    ]
    found += [("holdings", name, unit) for name, unit in HOLDING_UNITS.items()]
    return found + [("tokens", name, field.unit) for name, field in TOKEN_FIELDS.items()]


def arguments() -> list[tuple[str, str]]:
    """(where, name) of every argument of every public function, class and method of the desk."""
    found = []
    for name in desk.__all__:
        value = getattr(desk, name)
        functions = [value] if callable(value) and not (inspect.isclass(value) and issubclass(value, Exception)) else []
        if inspect.isclass(value):
            methods = [part for key, part in inspect.getmembers(value, inspect.isroutine) if not key.startswith("_")]
            functions += [part for part in methods if (getattr(part, "__module__", "") or "").startswith("riskkit.")]
        for function in functions:
            found += [(f"{name}.{function.__name__}", one) for one in inspect.signature(function).parameters]
    return found


UNITS = {name: unit for _, name, unit in fields()}


def test_a_field_has_one_unit_everywhere():
    assert len(fields()) > 130
    for where, name, unit in fields():
        assert unit == UNITS[name], f"{where}.{name} is in {unit or 'no unit'}, elsewhere in {UNITS[name] or 'no unit'}"


def test_an_argument_has_the_unit_of_its_name():
    assert not set(ARGUMENTS) & set(UNITS) and not set(ARGUMENTS) & WITHOUT_UNIT
    for where, name in arguments():
        assert name in UNITS or name in ARGUMENTS or name in WITHOUT_UNIT, f"{where}: what is the unit of {name}?"
    assert not (set(ARGUMENTS) | WITHOUT_UNIT) - {name for _, name in arguments()}  # nothing that is gone


def test_a_percentage_is_only_where_the_imitated_service_has_it():
    percentages = [name for name in (*UNITS, *ARGUMENTS) if re.search("pct|percent", name)]
    assert percentages == [] and [name for name, unit in ARGUMENTS.items() if unit == "percent"] == [
        "max_drawdown_limit"
    ]
    assert "percent" not in UNITS.values()
    users = {where.split(".")[0] for where, name in arguments() if name == "max_drawdown_limit"}
    assert users == {"evaluate", "evaluate_batch", "validate", "validate_batch"}


@pytest.mark.parametrize("kind", [kind for kind in classes().values() if issubclass(kind, CheckedRecord)])
def test_a_fraction_that_is_bounded_refuses_a_percentage(kind):
    bounded = [name for name, field in kind._fields.items() if field.unit == "fraction" and _refuses(field, 40.0)]
    for name in bounded:
        with pytest.raises(desk.RequestError, match=f"{name}=40"):
            kind.from_dict({name: 40.0})
    assert bounded or kind not in (desk.DeskLimits, desk.Evaluation, desk.RiskReading)


def _refuses(field: Field, value: float) -> bool:
    try:
        field.check(value, "x")
    except ValueError:
        return True
    return False


def test_the_desk_is_spelt_the_american_way():
    british = re.compile(r"\w*(realis|utilis|annualis|normalis|recognis|colour|behaviour|favour)\w*", re.I)
    theirs = {"realised"}  # a field of the state of riskkit.replay
    for path in sorted(Path(desk.__file__).parent.rglob("*.py")):
        found = {match[0] for match in british.finditer(path.read_text("utf-8"))} - theirs
        assert not found, f"{path.name}: {found}"
