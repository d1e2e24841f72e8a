"""Headings and words of tables of no standard, in English, German, French, Spanish, Italian and Portuguese, and what they mean.

To add one: a heading in `HEADINGS`, or a word in `KINDS`, `SIDES`, `FLOWS` or `STATES`, in lower case; each language has its
lines. The tests walk over all of them. Accents count for nothing: exports lose them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from riskkit.read.local_form import normal

HEADINGS: dict[str, tuple[str, ...]] = {
    "ts": (
        "time", "timestamp", "datetime", "date/time", "date and time", "date", "ts", "created", "created at", "when", "t",
        "zeit", "zeitpunkt", "zeitstempel", "datum", "datum/zeit", "handelszeit", "executed at", "execution time",
        "trade time", "transaction time", "trade date", "transaction date",
        "handelstag", "handelsdatum", "horodatage", "date/heure", "date opération",
        "date et heure", "date d'exécution", "date de transaction", "date de l'opération",
        "fecha", "fecha/hora", "fecha y hora", "fecha hora", "fecha de operación", "fecha operación", "fecha de ejecución",
        "fecha ejecución", "marca de tiempo",
        "data", "data/ora", "data e ora", "data ora", "data operazione", "data esecuzione", "data di esecuzione",
        "data/hora", "data hora", "data da operação", "data do negócio", "data de execução", "data e hora",
    ),
    "clock": (
        "time", "uhrzeit", "zeit", "trade time", "execution time", "handelszeit", "heure",
        "heure d'exécution",
        "hora", "hora de ejecución", "hora ejecución",
        "ora", "orario", "ora esecuzione",
        "horário", "hora de execução", "hora da operação",
    ),
    "kind": (
        "kind", "event", "event type", "ereignis", "vorgang",
        "événement",
        "evento",
    ),
    "account": (
        "account", "account id", "wallet", "portfolio", "konto", "depot", "händler", "trader", "compte",
        "n° de compte", "numéro de compte", "portefeuille",
        "cuenta", "número de cuenta", "cartera",
        "conto", "numero conto", "portafoglio",
        "conta", "número da conta", "carteira",
    ),
    "instrument": (
        "instrument", "symbol", "ticker", "market", "pair", "product", "security", "wertpapier", "name", "isin", "wkn",
        "kürzel", "contract", "kontrakt", "asset", "produkt", "titre", "libellé", "valeur",
        "actif", "code", "instrument financier",
        "instrumento", "valor", "activo", "símbolo", "mercado", "producto", "título",
        "strumento", "titolo", "simbolo", "mercato", "prodotto", "coppia",
        "ativo", "papel", "produto", "código", "código do ativo",
    ),
    "side": (
        "side", "direction", "action", "order side", "trade side", "transaction type", "trade type",
        "buy/sell", "b/s", "k/v", "kauf/verkauf", "seite", "richtung", "transaction", "sens",
        "achat/vente", "opération", "type d'opération",
        "lado", "compra/venta", "c/v", "operación", "tipo de operación", "sentido",
        "a/b", "b/a", "l/s", "b/o", "acquisto/vendita", "a/v", "operazione", "tipo operazione", "segno", "lato",
        "compra/venda", "operação", "tipo de operação", "natureza",
    ),
    "qty": (
        "qty", "quantity", "size", "volume", "shares", "filled qty", "filled quantity", "menge", "stück", "anzahl",
        "nominale", "contracts", "units", "quantité",
        "nombre", "nombre de titres", "qté",
        "cantidad", "volumen", "títulos", "número de títulos", "acciones",
        "quantità", "qtà", "numero titoli", "pezzi",
        "quantidade", "qtd", "qtde", "qtd.",
    ),
    "price": (
        "price", "px", "limit", "limit price", "fill price", "filled price", "avg price", "average price", "avg fill price",
        "avg. fill price", "average fill price", "last", "preis", "kurs", "ausführungskurs", "limitpreis", "cours", "prix",
        "prix unitaire", "prix d'exécution", "cours d'exécution", "prix limite", "prix moyen",
        "precio", "precio unitario", "precio medio", "precio de ejecución", "precio ejecución", "precio límite", "cotización",
        "prezzo", "prezzo unitario", "prezzo medio", "prezzo eseguito", "prezzo di esecuzione", "prezzo limite", "corso",
        "preço", "preço unitário", "preço médio", "preço de execução", "preço limite", "cotação",
    ),
    "amount": (
        "amount", "value", "total", "net amount", "proceeds", "betrag", "kurswert", "wert", "montant",
        "montant brut", "montant net",
        "importe", "importe bruto", "importe neto", "importe total", "efectivo",
        "importo", "importo netto", "controvalore", "totale",
        "valor", "valor total", "valor da operação", "montante",
    ),
    "order_id": (
        "order_id", "order id", "order", "oid", "order no", "order no.", "order number", "auftrag", "auftragsnummer",
        "order-nr", "ordernummer", "auftrags-nr.", "ordre", "n° ordre",
        "n° d'ordre", "numéro d'ordre", "id ordre",
        "orden", "nº de orden", "número de orden", "id orden", "id de orden",
        "ordine", "n. ordine", "numero ordine", "id ordine",
        "ordem", "nº da ordem", "número da ordem", "id da ordem",
    ),
    "trade_id": (
        "trade_id", "trade id", "fill id", "execution id", "exec id", "tradenummer", "ausführungsnummer",
        "n° d'exécution", "id exécution", "n° de transaction",
        "nº de operación", "número de operación", "id operación", "id de ejecución",
        "numero operazione", "id operazione", "id esecuzione",
        "negócio", "nº do negócio", "número do negócio", "id do negócio",
    ),
    "fee": (
        "fee", "fees", "commission", "comm", "gebühr", "gebühren", "provision", "kommission", "frais", "courtage",
        "commissions", "frais de courtage",
        "comisión", "comisiones", "gastos",
        "commissione", "commissioni", "spese",
        "comissão", "comissões", "corretagem", "taxas", "custos",
    ),
    "fee_currency": (
        "fee_currency", "fee currency", "fee coin", "commission_ccy", "commission currency", "gebührenwährung",
        "devise des frais", "devise de la commission",
        "divisa de la comisión", "moneda de la comisión", "divisa comisión",
        "valuta commissione", "valuta commissioni",
        "moeda da comissão", "moeda da taxa",
    ),
    "currency": (
        "currency", "ccy", "währung", "devise",
        "monnaie",
        "divisa", "moneda",
        "valuta",
        "moeda",
    ),
    "bid": (
        "bid", "geld",
    ),
    "ask": (
        "ask", "offer", "brief",
    ),
    "type": (
        "type", "order type", "typ", "art", "ordertyp", "auftragsart",
        "type d'ordre", "type de transaction",
        "tipo", "tipo de orden", "tipo orden", "tipo de movimiento", "tipo de transacción",
        "tipo ordine", "tipo di ordine", "tipo transazione",
        "tipo de ordem", "tipo da ordem",
    ),
    "status": (
        "state", "status", "order status", "zustand",
        "statut", "état",
        "estado", "estado de la orden",
        "stato", "stato ordine",
        "situação", "estado da ordem",
    ),
    "strategy": (
        "strategy", "strategie",
        "stratégie",
        "estrategia",
        "strategia",
        "estratégia",
    ),
}  # fmt: skip
EXECUTED: dict[str, tuple[str, ...]] = {  # beside what was asked for, in a table of orders
    "filled": (
        "filled", "filled qty", "filled quantity", "executed", "executed qty", "executed quantity", "cum qty", "ausgeführt",
        "ausgeführte menge",
        "quantité exécutée", "exécuté",
        "cantidad ejecutada", "ejecutado",
        "quantità eseguita", "eseguito",
        "quantidade executada", "executado",
    ),
    "filled_price": (
        "fill price", "filled price", "avg price", "average price", "avg fill price", "average fill price", "avg. price",
        "avg. fill price", "ausführungskurs",
        "prix moyen", "prix d'exécution", "cours d'exécution",
        "precio medio", "precio de ejecución",
        "prezzo medio", "prezzo di esecuzione", "prezzo eseguito",
        "preço médio", "preço de execução",
    ),
}  # fmt: skip
KINDS: dict[str, tuple[str, ...]] = {
    "order": (
        "order", "new", "new order", "auftrag",
        "ordre",
        "orden", "nueva orden",
        "ordine",
        "ordem",
    ),
    "modify": (
        "modify", "amend", "replace", "änderung",
        "modification",
        "modificación",
        "modifica",
        "modificação", "alteração",
    ),
    "cancel": (
        "cancel", "cancelled", "canceled", "löschung", "storno", "streichung",
        "annulation", "annulé",
        "cancelación", "anulación",
        "annullamento", "cancellazione",
        "cancelamento",
    ),
    "fill": (
        "fill", "filled", "execution", "ausführung", "teilausführung", "partial fill", "trade", "trades", "abschluss",
        "geschäft",
        "exécution", "exécution partielle",
        "ejecución", "ejecución parcial",
        "esecuzione", "eseguito", "esecuzione parziale",
        "execução", "execução parcial", "negócio",
    ),
    "price": (
        "price", "quote", "kurs", "preis",
        "cours", "prix",
        "precio", "cotización",
        "prezzo", "quotazione",
        "preço", "cotação",
    ),
    "error": (
        "error", "fehler",
        "erreur",
        "errore",
        "erro",
    ),
    "reject": (
        "reject", "rejected", "ablehnung", "abgelehnt",
        "rejet", "rejeté",
        "rechazo", "rechazada",
        "rifiuto", "rifiutato",
        "rejeição", "rejeitada",
    ),
    "expire": (
        "expire", "expired", "verfall", "abgelaufen",
        "expiration", "expiré",
        "vencimiento", "vencida",
        "scadenza", "scaduto",
        "vencimento", "expirada",
    ),
}  # fmt: skip
SIDES: dict[str, tuple[str, ...]] = {
    "B": (
        "b", "buy", "bought", "buy to open", "buy to close", "buy to cover", "bid", "long", "k", "kauf", "kaufen", "+1", "1",
        "bot", "achat", "acheter",
        "compra", "comprar", "compras",
        "acquisto", "acquistare", "acq",
    ),
    "S": (
        "s", "sell", "sold", "sell short", "sell to open", "sell to close", "short", "short sell", "ask", "v", "verkauf",
        "verkaufen", "-1", "2", "sld", "vente", "vendre",
        "venta", "vender", "ventas",
        "vendita", "vendere", "ven",
        "venda",
    ),
}  # fmt: skip
PAIRED: dict[
    str, dict[str, str]
] = {  # letters of which the other word of their column tells the side, by its first letter
    "a": {"v": "B", "b": "S"},  # achat, acquisto; ask
    "c": {"v": "B", "": "B"},  # compra, also alone
    "l": {"s": "B"},  # long
    "o": {"b": "S"},  # offer
}
FLOWS: dict[str, tuple[str, ...]] = {  # of cash, in a column of kinds or of sides
    "deposit": (
        "deposit", "withdrawal", "withdraw", "transfer", "wire", "journal", "cash", "einzahlung", "auszahlung", "überweisung",
        "einlage", "entnahme",
        "dépôt", "versement", "retrait", "virement",
        "depósito", "ingreso", "retirada", "reintegro", "transferencia",
        "deposito", "versamento", "prelievo", "bonifico",
        "levantamento", "transferência", "saque",
    ),
    "dividend": (
        "dividend", "cash dividend", "qualified dividend", "interest", "coupon", "dividende", "zinsen", "ausschüttung",
        "intérêts", "détachement de coupon",
        "dividendo", "dividendos", "intereses", "cupón",
        "interessi", "cedola", "dividendi",
        "juros", "cupom",
    ),
    "fee": (
        "fee", "service fee", "account fee", "tax", "gebühr", "steuer", "depotgebühr",
        "frais", "droits de garde", "taxe",
        "comisión", "comisión de custodia", "impuesto",
        "commissione", "imposta", "spese di custodia",
        "comissão", "taxa", "taxa de custódia", "imposto",
    ),
    "funding": (
        "funding", "funding fee",
    ),
}  # fmt: skip
STATES: dict[str, tuple[str, ...]] = {
    "open": (
        "open", "new", "working", "active", "pending", "submitted", "partially filled", "offen", "aktiv", "teilausgeführt",
        "ouvert", "en cours", "partiellement exécuté",
        "abierta", "abierto", "pendiente", "activa", "parcialmente ejecutada",
        "aperto", "attivo", "in corso", "parzialmente eseguito",
        "aberta", "aberto", "pendente", "ativa", "parcialmente executada",
    ),
    "done": (
        "done", "filled", "closed", "executed", "complete", "completed", "ausgeführt", "erledigt",
        "exécuté", "exécutée", "terminé",
        "ejecutada", "ejecutado", "completada", "completado",
        "eseguito", "eseguita", "completato",
        "executada", "executado", "concluída", "concluído", "liquidada",
    ),
    "ended": (
        "cancelled", "canceled", "expired", "gelöscht", "storniert", "gestrichen", "abgelaufen", "verfallen",
        "annulé", "annulée", "expiré", "expirée",
        "cancelada", "cancelado", "anulada", "anulado", "caducada", "vencida",
        "annullato", "annullata", "cancellato", "revocato", "scaduto",
        "expirada", "expirado",
    ),
    "refused": (
        "rejected", "refused", "failed", "error", "abgelehnt",
        "rejeté", "rejetée", "refusé",
        "rechazada", "rechazado",
        "rifiutato", "rifiutata", "respinto",
        "rejeitada", "rejeitado", "recusada",
    ),
}  # fmt: skip
DAYS = (
    "date",
    "datum",
    "fecha",
    "data",
    "trade date",
    "handelstag",
    "handelsdatum",
)  # headings beside which a time is a clock
WORDED = {"side": SIDES, "kind": KINDS}  # columns that their words tell apart, and from the type of an order
BRACKET = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}


def meaning(word: str, table: dict[str, tuple[str, ...]]) -> str:
    """The name under which a table has a word, in any case; empty if it has none.

    Examples
    --------
    >>> meaning("Buy to Cover", SIDES), meaning("K", SIDES), meaning("?", SIDES)
    ('B', 'B', '')
    """
    plain = normal(word)
    return next((name for name, words in table.items() if plain in map(normal, words)), "")


def side_among(word: str, words: Iterable[str]) -> str:
    """The side that a word of a column means beside all words of the column; empty if it means none, or two.

    Examples
    --------
    >>> side_among("A", ["A", "V"]), side_among("A", ["A", "B"]), side_among("A", ["A"]), side_among("Kauf", [])
    ('B', 'S', '', 'B')
    """
    told = PAIRED.get(normal(word))
    if told is None:
        return meaning(word, SIDES)
    others = {normal(other)[:1] for other in words if normal(other) != normal(word)} or {""}
    found = {told.get(letter, "") for letter in others if letter in told or meaning(letter, SIDES) or not letter}
    return found.pop() if len(found) == 1 else ""


def refused_side(word: str) -> str:
    """Why a word is no side."""
    if normal(word) in PAIRED:
        return f"{word!r} may be a buy or a sell, and the other words of its column do not tell; write it out, as buy or sell"
    return f"{word!r} is neither a buy nor a sell"


def _executed(headings: list[str]) -> dict[str, str]:
    """The headings of what was filled of an order, where others say what was asked for."""
    found: dict[str, str] = {}
    for name, asked in (("filled", "qty"), ("filled_price", "price")):
        own, others = ({normal(word) for word in words} for words in (EXECUTED[name], HEADINGS[asked]))
        heads = [heading for heading in headings if normal(heading) in own]
        if heads and normal(heads[0]) not in others:  # as Filled, beside which an amount is what was asked for
            others |= set(map(normal, HEADINGS["amount"])) if name == "filled" else set()
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
    dated = next((heading for heading in given if normal(heading) in DAYS), None)
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


def told_by_words(columns: Mapping[str, str], words: Mapping[str, Collection[str]]) -> dict[str, str]:
    """The columns by heading, where "Type" or "Action" is what its cells say: sides, kinds of events, or types of orders.

    Examples
    --------
    >>> told_by_words({"Type": "type"}, {"Type": ["BUY", "SELL"]}), told_by_words({"Type": "type"}, {"Type": ["LIMIT"]})
    ({'Type': 'side'}, {'Type': 'type'})
    """
    told = dict(columns)
    for heading, column in columns.items():
        if column not in (*WORDED, "type"):
            continue
        cells = [word for word in words.get(heading, ()) if normal(word)[-1:].isalpha()]  # 1 and 2 are types, too
        if column in WORDED and any(meaning(word, WORDED[column]) for word in cells):
            continue
        for other, known in WORDED.items():
            if other not in told.values() and any(meaning(word, known) for word in cells):
                told[heading] = other
                break
    return told
