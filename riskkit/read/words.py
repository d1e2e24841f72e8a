"""Headings and words of tables of no standard, in English, German and French, and what they mean.

To add one: a heading in `HEADINGS`, or a word in `KINDS`, `SIDES`, `FLOWS` or `STATES`, in lower case. The tests walk over all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from riskkit.read.local_form import normal

HEADINGS: dict[str, tuple[str, ...]] = {
    "ts": (
        "time", "timestamp", "datetime", "date/time", "date and time", "date", "ts", "created", "created at", "when", "t", "zeit",
        "zeitpunkt", "zeitstempel", "datum", "datum/zeit", "handelszeit", "executed at", "execution time", "trade time",
        "transaction time", "horodatage", "date/heure", "date opération",
    ),
    "clock": ("time", "uhrzeit", "zeit", "trade time", "execution time", "handelszeit", "heure"),  # beside a date
    "kind": ("kind", "event", "event type", "ereignis", "vorgang"),
    "account": ("account", "account id", "wallet", "portfolio", "konto", "depot", "händler", "trader", "compte"),
    "instrument": (
        "instrument", "symbol", "ticker", "market", "pair", "product", "security", "wertpapier", "name", "isin", "wkn",
        "kürzel", "contract", "kontrakt", "asset", "produkt", "titre", "libellé", "valeur",
    ),
    "side": ("side", "direction", "action", "buy/sell", "b/s", "k/v", "kauf/verkauf", "seite", "richtung", "transaction", "sens"),
    "qty": (
        "qty", "quantity", "size", "volume", "shares", "filled qty", "filled quantity", "menge", "stück", "anzahl", "nominale",
        "contracts", "units", "quantité",
    ),
    "price": (
        "price", "px", "limit", "limit price", "fill price", "filled price", "avg price", "average price", "avg fill price",
        "avg. fill price", "average fill price", "last", "preis",
        "kurs", "ausführungskurs", "limitpreis", "cours", "prix",
    ),
    "amount": ("amount", "value", "total", "net amount", "proceeds", "betrag", "kurswert", "wert", "montant"),
    "order_id": (
        "order_id", "order id", "order", "oid", "order no", "order no.", "order number", "auftrag", "auftragsnummer", "order-nr",
        "ordernummer", "auftrags-nr.", "ordre", "n° ordre",
    ),
    "trade_id": ("trade_id", "trade id", "fill id", "execution id", "exec id", "tradenummer", "ausführungsnummer"),
    "fee": ("fee", "fees", "commission", "comm", "gebühr", "gebühren", "provision", "kommission", "frais", "courtage"),
    "fee_currency": ("fee_currency", "fee currency", "fee coin", "commission_ccy", "commission currency", "gebührenwährung"),
    "currency": ("currency", "ccy", "währung", "devise"),
    "bid": ("bid", "geld"),
    "ask": ("ask", "offer", "brief"),
    "type": ("type", "order type", "ordertyp", "auftragsart"),
    "status": ("state", "status", "order status", "zustand"),
    "strategy": ("strategy", "strategie"),
}  # fmt: skip
EXECUTED: dict[str, tuple[str, ...]] = {  # beside what was asked for, in a table of orders
    "filled": (
        "filled", "filled qty", "filled quantity", "executed", "executed qty", "executed quantity", "cum qty", "ausgeführt",
        "ausgeführte menge",
    ),
    "filled_price": (
        "fill price", "filled price", "avg price", "average price", "avg fill price", "average fill price", "avg. price", "avg. fill price",
        "ausführungskurs",
    ),
}  # fmt: skip
KINDS: dict[str, tuple[str, ...]] = {
    "order": ("order", "new", "new order", "auftrag"),
    "modify": ("modify", "amend", "replace", "änderung"),
    "cancel": ("cancel", "cancelled", "canceled", "löschung", "storno", "streichung"),
    "fill": (
        "fill",
        "filled",
        "execution",
        "ausführung",
        "teilausführung",
        "partial fill",
        "trade",
        "trades",
        "abschluss",
        "geschäft",
    ),
    "price": ("price", "quote", "kurs", "preis"),
    "error": ("error", "fehler"),
    "reject": ("reject", "rejected", "ablehnung", "abgelehnt"),
    "expire": ("expire", "expired", "verfall", "abgelaufen"),
}
SIDES: dict[str, tuple[str, ...]] = {
    "B": ("b", "buy", "bought", "buy to open", "buy to close", "buy to cover", "bid", "long",
          "k", "kauf", "kaufen", "+1", "1", "bot", "achat", "acheter"),
    "S": (
        "s", "sell", "sold", "sell short", "sell to open", "sell to close", "short", "short sell", "ask", "v", "verkauf",
        "verkaufen", "-1", "2", "sld", "vente", "vendre",
    ),
}  # fmt: skip
FLOWS: dict[str, tuple[str, ...]] = {  # of cash, in a column of kinds or of sides
    "deposit": (
        "deposit", "withdrawal", "withdraw", "transfer", "wire", "journal", "cash", "einzahlung", "auszahlung", "überweisung",
        "einlage", "entnahme",
    ),
    "dividend": ("dividend", "cash dividend", "qualified dividend", "interest", "coupon", "dividende", "zinsen", "ausschüttung"),
    "fee": ("fee", "service fee", "account fee", "tax", "gebühr", "steuer", "depotgebühr"),
    "funding": ("funding", "funding fee"),
}  # fmt: skip
STATES: dict[str, tuple[str, ...]] = {
    "open": (
        "open",
        "new",
        "working",
        "active",
        "pending",
        "submitted",
        "partially filled",
        "offen",
        "aktiv",
        "teilausgeführt",
    ),
    "done": ("done", "filled", "closed", "executed", "complete", "completed", "ausgeführt", "erledigt"),
    "ended": ("cancelled", "canceled", "expired", "gelöscht", "storniert", "gestrichen", "abgelaufen", "verfallen"),
    "refused": ("rejected", "refused", "failed", "error", "abgelehnt"),
}
BRACKET = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}


def meaning(word: str, table: dict[str, tuple[str, ...]]) -> str:
    """The name under which a table has a word, in any case; empty if it has none.

    Examples
    --------
    >>> meaning("Buy to Cover", SIDES), meaning("K", SIDES), meaning("?", SIDES)
    ('B', 'B', '')
    """
    plain = " ".join(word.lower().split())
    return next((name for name, words in table.items() if plain in words), "")


def _executed(headings: list[str]) -> dict[str, str]:
    """The headings of what was filled of an order, where others say what was asked for."""
    found: dict[str, str] = {}
    for name, asked in (("filled", "qty"), ("filled_price", "price")):
        own, others = ({normal(word) for word in words} for words in (EXECUTED[name], HEADINGS[asked]))
        heads = [heading for heading in headings if normal(heading) in own]
        if heads and any(normal(heading) in others - own for heading in headings) and (name == "filled" or found):
            found[heads[0]] = name
    return found


def _meanings(heading: str) -> list[str]:
    return [name for name, words in HEADINGS.items() if normal(heading) in map(normal, words)]


def in_brackets(heading: str) -> str:
    """What stands behind a heading in brackets: a unit or a zone.

    Examples
    --------
    >>> in_brackets("Price (USD)"), in_brackets("Price")
    ('USD', '')
    """
    found = BRACKET.search(heading)
    return found[1].strip() if found else ""


def columns_of(headings: Iterable[str]) -> dict[str, str]:
    """The column that each known heading means, by heading; the first heading of a meaning is the one.

    A unit in brackets behind a heading changes nothing. What was filled stands beside what was asked for. A time beside a
    date is its clock, an amount is a quantity where there is no other, and an id is that of an order in a table of states,
    and else of a fill.

    Examples
    --------
    >>> columns_of(["Date", "Time", "Action", "Symbol", "Quantity", "Price", "Venue"])["Time"]
    'clock'
    >>> columns_of(["when", "market", "direction", "amount", "px"])["amount"]
    'qty'
    """
    given = list(headings)
    dated = next((heading for heading in given if normal(heading) in ("date", "datum")), None)
    found = _executed(given)
    for heading in given:
        if heading in found:
            continue
        names = _meanings(heading) or _meanings(BRACKET.sub("", heading))
        if dated and heading != dated and "clock" in names:
            names = ["clock"]
        free = [name for name in names if name not in found.values() and (name != "clock" or dated)]
        if free:
            found[heading] = free[0]
    for heading in given:  # a table of states has orders, and its ids are theirs
        meant = "order_id" if "status" in found.values() else "trade_id"
        if normal(heading) == "id" and meant not in found.values():
            found[heading] = meant
    if "qty" not in found.values():
        found = {heading: "qty" if name == "amount" else name for heading, name in found.items()}
    return found
