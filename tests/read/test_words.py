"""Every heading and word that is said to be known is known, in a table that holds it."""

from __future__ import annotations

import io
import unicodedata
from decimal import Decimal

import pytest

import riskkit as rk
from riskkit.read.words import FLOWS, HEADINGS, KINDS, SIDES, STATES, columns_of, meaning

CELLS = {
    "ts": "2024-03-07 14:31:00", "instrument": "X", "side": "B", "qty": "2", "price": "10.5", "account": "A", "kind": "fill",
    "fee": "0.1", "fee_currency": "USD", "currency": "USD", "order_id": "o1", "trade_id": "t1", "bid": "10.4", "ask": "10.6",
    "type": "limit", "status": "done", "strategy": "s", "amount": "21", "clock": "14:31:00",
}  # fmt: skip
BASE = {"Zeitpunkt": "ts", "Symbol": "instrument", "Side": "side", "Qty": "qty", "Price": "price"}


@pytest.mark.parametrize(("column", "heading"), [(name, word) for name, words in HEADINGS.items() for word in words])
def test_a_known_heading_is_read_as_its_column(column, heading):
    beside = {name: meant for name, meant in BASE.items() if meant != column}
    if column == "clock":  # only beside a date
        beside = {"Date": "ts"} | {name: meant for name, meant in beside.items() if meant != "ts"}
    headings = [*beside, heading.title()]
    assert columns_of(headings)[heading.title()] == column
    cells = [CELLS[columns_of(headings)[name]] for name in headings]
    if column == "clock":
        cells[0] = "2024-03-07"
    reading = rk.read.generic_csv(io.StringIO(",".join(headings) + "\n" + ",".join(cells) + "\n"))
    assert set(reading.frame["instrument"]) == {"X"} and str(reading.frame["ts"].iloc[0]) == "2024-03-07 14:31:00+00:00"


@pytest.mark.parametrize("table", [KINDS, SIDES, FLOWS, STATES], ids=["kinds", "sides", "flows", "states"])
def test_a_word_has_one_meaning_in_any_case(table):
    words = [word for words in table.values() for word in words]
    assert len(words) == len(set(words))
    for name, spelt in table.items():
        assert {meaning(word.upper(), table) for word in spelt} | {meaning(word, table) for word in spelt} == {name}
    assert meaning("no such word", table) == ""


@pytest.mark.parametrize(("side", "word"), [(side, word) for side, words in SIDES.items() for word in words])
def test_the_word_of_a_side_is_read(side, word):
    text = f"time,symbol,action,quantity,price\n2024-03-07 14:31:00,X,{word},2,10.5\n"
    assert rk.read.generic_csv(io.StringIO(text)).frame["side"].tolist() == [side, side]


HEADS = {
    "French": "Date et heure;Instrument financier;Sens;Quantité;Prix d'exécution;Frais;Devise",
    "Spanish": "Fecha y hora;Valor;Compra/Venta;Cantidad;Precio;Comisión;Divisa",
    "Italian": "Data/Ora;Titolo;Operazione;Quantità;Prezzo;Commissioni;Valuta",
    "Portuguese": "Data da operação;Ativo;C/V;Quantidade;Preço;Corretagem;Moeda",
    "German": "Handelszeit;Wertpapier;K/V;Stück;Kurs;Gebühr;Währung",
}
TWO_SIDES = {
    "French": ("Achat", "VENTE"),
    "Spanish": ("Compra", "venta"),
    "Italian": ("Acquisto", "Vendita"),
    "Portuguese": ("C", "V"),
    "German": ("K", "V"),
}


def unaccented(text):
    return "".join(part for part in unicodedata.normalize("NFD", text) if not unicodedata.combining(part))


@pytest.mark.parametrize("spelt", [str, unaccented, lambda text: unicodedata.normalize("NFD", text), str.upper])
@pytest.mark.parametrize("language", HEADS)
def test_a_table_is_read_in_each_language(language, spelt):
    buy, sell = TWO_SIDES[language]
    at = "07.03.2024 14:31:00"
    text = spelt(f"{HEADS[language]}\n{at};X;{buy};2;10,5;0,1;EUR\n{at};X;{sell};2;11;0,1;EUR\n")
    reading = rk.read.generic_csv(io.StringIO(text), tz="Europe/Paris")
    fills = reading.frame[reading.frame["kind"] == "fill"]
    assert fills[["instrument", "side", "qty", "price"]].to_numpy().tolist() == [
        ["X", "B", 2, Decimal("10.5")],
        ["X", "S", 2, 11],
    ]
    assert reading.fees == {"EUR": Decimal("0.2")} and str(fills["ts"].iloc[0]) == "2024-03-07 13:31:00+00:00"


ORDERS = {
    "Spanish": "Fecha,Hora,Cuenta,Símbolo,Lado,Cantidad,Precio límite,Estado,Cantidad ejecutada,Precio medio,Nº de orden",
    "Portuguese": "Data,Hora,Conta,Papel,Natureza,Quantidade,Preço limite,Situação,Quantidade executada,Preço médio,Nº da ordem",
    "Italian": "Data,Ora,Conto,Simbolo,Segno,Quantità,Prezzo limite,Stato,Quantità eseguita,Prezzo medio,N. ordine",
    "French": "Date,Heure,Compte,Titre,Sens,Quantité,Prix limite,Statut,Quantité exécutée,Prix moyen,N° d'ordre",
}
WORDS = {
    "Spanish": ("Compra", "Ejecutada", "Cancelada"),
    "Portuguese": ("Compra", "Executada", "Cancelada"),
    "Italian": ("Acquisto", "Eseguito", "Annullato"),
    "French": ("Achat", "Exécuté", "Annulé"),
}


@pytest.mark.parametrize("language", ORDERS)
def test_a_table_of_orders_is_read_in_each_language(language):
    buy, done, ended = WORDS[language]
    rows = f"2024-03-07,14:31:00,A,X,{buy},5,10,{done},5,9.5,o1\n2024-03-07,14:32:00,A,X,{buy},5,10,{ended},,,o2\n"
    frame = rk.read.generic_csv(io.StringIO(f"{ORDERS[language]}\n{rows}")).frame
    assert frame[["kind", "order_id", "account"]].to_numpy().tolist()[:2] == [["order", "o1", "A"], ["fill", "o1", "A"]]
    fill = frame[frame["kind"] == "fill"].iloc[0]
    assert (fill["qty"], fill["price"], str(fill["ts"])) == (5, Decimal("9.5"), "2024-03-07 14:31:00+00:00")


TYPED = {
    "Type": ("BUY", "SELL"),
    "Tipo": ("Compra", "Venta"),
    "Art": ("Kauf", "Verkauf"),
    "Vorgang": ("Kauf", "Verkauf"),
    "Event": ("buy", "sell"),
    "Transaction Type": ("Buy", "Sell"),
    "Type de transaction": ("Achat", "Vente"),
    "Tipo transazione": ("Acquisto", "Vendita"),
}


@pytest.mark.parametrize("heading", TYPED)
def test_a_heading_of_types_holds_sides_if_its_cells_do(heading):
    """Read as the type of an order, a sale would be a buy."""
    buy, sell = TYPED[heading]
    rows = f"2024-03-07 14:31:00,X,{buy},5,10.5\n2024-03-08 14:31:00,X,{sell},5,11.5\n2024-03-09 14:31:00,X,?,5,11.5\n"
    text = f"Time,Symbol,{heading},Quantity,Price\n{rows}"
    with pytest.raises(rk.InputError, match=r"line 4: side='\?' is neither a buy nor a sell"):
        rk.read.generic_csv(io.StringIO(text))
    frame = rk.read.generic_csv(io.StringIO(text[: text.index("2024-03-09")])).frame
    assert frame["side"].tolist() == ["B", "B", "S", "S"]


def test_a_heading_of_types_holds_kinds_or_types_if_its_cells_do():
    text = "Fecha,Símbolo,Tipo,Lado,Cantidad,Precio,Orden\n2024-03-07 14:31:00,X,{},Venta,5,10.5,1\n"
    kinds = {"orden": ["order"], "ejecución": ["order", "fill"], "limitada": ["order", "fill"]}
    for word, expected in kinds.items():
        frame = rk.read.generic_csv(io.StringIO(text.format(word))).frame
        assert frame["kind"].tolist() == expected and set(frame["side"]) == {"S"}


def test_what_no_column_says_of_sides_is_said():
    text = "Time,Symbol,Quantity,Price\n2024-03-07 14:31:00,X,{},10.5\n"
    assert "all are buys" in str(rk.read.generic_csv(io.StringIO(text.format(5))))
    assert "below zero is a sale" in str(rk.read.generic_csv(io.StringIO(text.format(-5))))


PAIRS = {"A/V": "BS", "A/B": "SB", "C/V": "BS", "K/V": "BS", "B/S": "BS", "L/S": "BS", "B/O": "BS", "K/S": "BS"}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_letter_is_told_by_the_other_letters_of_its_column(pair):
    """A is a purchase beside V (achat, acquisto; vente, vendita), and the ask beside B."""
    first, second = pair.split("/")
    rows = "".join(f"2024-03-07 14:31:00,X,{word},2,10.5\n" for word in (first, second, first.lower()))
    frame = rk.read.generic_csv(io.StringIO(f"time,symbol,Side,quantity,price\n{rows}")).frame
    assert frame[frame["kind"] == "fill"]["side"].tolist() == [*PAIRS[pair], PAIRS[pair][0]]


@pytest.mark.parametrize("words", ["A", "O", "L", "AS", "ABV", "CB", "CS", "OV", "LK"])
def test_a_letter_that_no_other_tells_is_refused(words):
    rows = "".join(f"2024-03-07 14:31:00,X,{word},2,10.5\n" for word in words)
    with pytest.raises(rk.InputError, match=r"may be a buy or a sell, and the other words of its column do not tell"):
        rk.read.generic_csv(io.StringIO(f"time,symbol,side,quantity,price\n{rows}"))


def test_a_heading_tells_of_a_letter_that_stands_alone():
    for heading, letter in (("A/V", "A"), ("C/V", "C")):
        text = f"time,symbol,{heading},quantity,price\n2024-03-07 14:31:00,X,{letter},2,10.5\n"
        assert set(rk.read.generic_csv(io.StringIO(text)).frame["side"]) == {"B"}
