"""The variables of the loop: all functions of the template share them, as they become one function."""

from __future__ import annotations

from typing import Any

from numpy import int64 as _int64

from riskkit.replay.engine.shape import Shape

variable: Any = None
int64: Any = _int64
shape: Shape = variable
log = arrays = variables = variable
positions = accounts = instruments = orders = fills = cash_balances = totals = clocks = rows = variable  # of records
rates = conversions = converted_books = variable  # between currencies, and of each rule its conversion and its book
bounds = sample_at = sampled = paths = nets = memory = reals = counts = variable  # arrays of numbers
i = now = next_turn = used = variable  # row and time of the event; when the next day begins; decision rows written
position = account = instrument = order = parent_order = cash_balance = variable  # the records of the event
event = book = side = qty = price = fee = variable  # the event passed to rules, and the event executed
reducing = verdict = accepted = fill_cap = variable  # of a message
later = variable  # of an order of a list: 1 if others follow, else 0
change = committed_before = variable  # of a working order: the number of them, lots taken of its parent
rest_before = worth_before = variable  # of a working order: its lots, and their money
reserved_before = variable  # quanta of cash that an order reserves
strategy = peer = member = variable  # of a fill; a position of the same instrument, and its account
filled = variable  # record of the order of a fill that a snapshot implies
other = variable  # the instrument to which positions are rolled
noted = variable  # the record of a fill
amended_qty = amended_price = recorded = variable  # of a fill that is busted or corrected: before, and as it is now
qty_before = cash_before = realised_before = fees_before = variable  # of the position and account of a fill
