"""Which of several tables without a column of kinds are of orders, and which of their fills."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from riskkit.read.local_form import normal
from riskkit.read.tables import Table

LIMITS = {normal(name) for name in ("limit", "limit price", "limitpreis")}  # a price that a fill does not have
OF_FILLS = ("trade_id", "fee", "fee_currency")


def orders_and_fills(tables: list[Table]) -> list[Table]:
    """Mark the tables of orders: those of limits, and those whose orders another table has the fills of.

    A table has the orders of another one if it names each once, all those of the other among them, and has neither trade
    ids nor fees. Two tables of which each may be that of the orders are refused: their fills would count twice.
    """
    unsaid = [table for table in tables if table.has("qty") and not table.has("kind") and not table.has("status")]
    marked = {id(table) for table in unsaid if _is_of_limits(table) or table.has("filled")}
    for orders, fills in permutations([table for table in unsaid if table.has("order_id")], 2):
        if {id(orders), id(fills)} & marked or not _may_be_orders_of(orders, fills):
            continue
        if not any(map(fills.has, OF_FILLS)):
            fills.source.refuse(
                "",
                f"has the orders of {orders.source.name}, and nothing tells orders from fills: their fills would count twice; "
                "give a column of kinds, or trade ids or fees beside the fills",
            )
        marked.add(id(orders))
    return [replace(table, of_orders=True) if id(table) in marked else table for table in tables]


def _is_of_limits(table: Table) -> bool:
    named = {normal(heading) for heading, column in table.columns.items() if column == "price"}
    return bool(named & LIMITS) and not any(map(table.has, OF_FILLS))


def _may_be_orders_of(orders: Table, fills: Table) -> bool:
    if any(map(orders.has, OF_FILLS)):
        return False
    known = {str(row.get("order_id")): row.values for row in orders.rows}
    named = [(str(row.get("order_id")), row.values) for row in fills.rows]
    if len(known) < len(orders.rows) or not named or any(order not in known for order, _ in named):
        return False
    return any(values != known[order] for order, values in named)  # else it is the same table, given twice
