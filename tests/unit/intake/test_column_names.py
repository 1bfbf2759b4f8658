"""What the name of a column says."""

from __future__ import annotations

from itertools import pairwise

import pytest

from poolwright.intake.column_names import SURE_RANK, VAGUE, fold_name, means_other, name_rank

SURE = """
    PO_NUMBER|PO|PO#|PO #|PO No|PO No.|po_no|PONUMBER|PoNumber|PO-Nummer|Order|Order No.|Order Number|ORDERNO
    Purchase Order|Purchase Order No.|PURCHASE_ORDER_NUMBER|Purch.Doc.|Purchasing Document|EBELN|Pedido
    Número do Pedido|Nº do Pedido|Pedido de Compra|Orden|Orden de compra|orden_compra|OC|Nro. OC|Ordem de Compra
    Bestellnummer|Bestell-Nr.|BESTELLUNG|Einkaufsbeleg|Auftragsnummer|Commande|N° commande|Nº de commande
    Numero ordine|Numéro de commande|Ordine|Inkoopordernummer|Bestelling|Číslo objednávky|Numer zamówienia|Sipariş No
    Номер заказа|采购订单号|訂單編號|発注番号|주문번호
"""
DECOYS = """
    Order Date|PO Status|PO Value# |PO Line|po_line|Invoice #|Item No.|order line|customer order|Customer PO Number
    parent_po_id|PO Limit|Cost per order|POStatus|fecha_pedido|Status do Pedido|Bestelldatum|Bestellwert
    Bestellzeitpunkt|purchase_request_id|Id|Number|No.|Month|Document|Position|Order Type|created_at|Sales Order
    Work Order No|KNUMV|Order Item Number|Ordered by|Region|Porto|Ocean|Nokia|Border|Notes|orders|#|?
"""


def listed(names: str) -> list[str]:
    return [name.strip("\n") for line in names.strip().splitlines() for name in line.lstrip().split("|")]


@pytest.mark.parametrize("name", listed(SURE))
def test_names_of_order_columns_are_known_in_many_languages(name: str) -> None:
    rank = name_rank(name)

    assert rank is not None
    assert rank <= SURE_RANK


@pytest.mark.parametrize("name", listed(DECOYS))
def test_names_that_only_sound_like_it_are_not_taken(name: str) -> None:
    assert name_rank(name) is None


@pytest.mark.parametrize("name", ["order_id", "DocNumber", "Document No.", "Belegnummer"])
def test_some_names_are_known_but_not_sure(name: str) -> None:
    rank = name_rank(name)

    assert rank is not None
    assert SURE_RANK < rank < VAGUE


@pytest.mark.parametrize("name", ["Coupa PO Number", "SAP PO", "PO Number (10 digits)", "PO Plant"])
def test_unknown_words_make_a_name_vague(name: str) -> None:
    rank = name_rank(name)

    assert rank is not None
    assert rank >= VAGUE


@pytest.mark.parametrize(
    "better", list(pairwise(["PO Number", "PO", "po_id", "Order No", "Order", "order_id", "DocNumber"]))
)
def test_the_better_name_comes_first(better: tuple[str, str]) -> None:
    first, second = map(name_rank, better)

    assert first is not None
    assert second is not None
    assert first < second


def test_the_technical_name_in_sap_is_as_good_as_any() -> None:
    assert name_rank("EBELN") == name_rank("PO Number") == 0


def test_case_accents_and_punctuation_make_no_difference() -> None:
    assert fold_name("Número do Pedido") == fold_name("NUMERO-DO_PEDIDO.") == "numerodopedido"
    assert fold_name("PO#") == fold_name("po no.") == "pono"
    assert fold_name("\ufeffPO") == "po"


def test_a_word_of_something_else_is_noticed() -> None:
    assert means_other("Invoice Number")
    assert means_other("Lieferdatum")
    assert not means_other("Nummer")


@pytest.mark.timeout(60)
def test_a_cell_of_thousands_of_letters_is_no_name() -> None:
    assert name_rank("po" * 1_000) is None
    assert name_rank("po" * 30) is not None
    assert name_rank("po" * 30 + "n") is None
