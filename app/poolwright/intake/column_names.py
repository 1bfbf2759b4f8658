"""Ranks column names by how likely they mean order numbers, in the languages of lists. Pure.

A name is folded (no case, accents, punctuation) and split into words, and each word has a concept or is unknown. A name
of known words alone is exact; ``Order Date`` or ``customer order`` has a word that gives it another meaning. Cells are
not read here.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache

#: Added to the rank of a name that also has unknown words: its cells are checked, and it is never sure.
VAGUE = 10
#: Exact names up to this rank mean an order number and little else.
SURE_RANK = 4

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBER_SIGN = re.compile(r"#|№|\bn[°º]", re.IGNORECASE)
#: ``P.O.`` is one word.
_INITIALS = re.compile(r"\b([A-Za-z])[./]\s?(?=[A-Za-z]\b)")
_SHORTEST_PART = 2
#: The longest compound is shorter; a cell of thousands of letters is no name.
_WORD_LENGTH_MAX = 60


class _Concept(Enum):
    PO = auto()
    PURCHASE = auto()
    ORDER = auto()
    DOCUMENT = auto()
    NUMBER = auto()
    ID = auto()
    #: Makes the name mean something else.
    OTHER = auto()
    #: Has no meaning of its own: ``of``, ``the``.
    FILLER = auto()


_WORDS = {
    _Concept.PO: "po oc oda 採購單 采购单",
    _Concept.PURCHASE: "purchase purchasing purch compra compras achat achats acquisto acquisti einkauf einkaufs "
    "inkoop inköp inköps indkøbs innkjøps osto zakupu beszerzési achiziție alma закупка"
    " 采购 採購 采購 购买 購買 購入 구매 الشراء",
    _Concept.ORDER: "order pedido orden ordem ordine commande bestellung bestell best auftrag auftrags encomenda "
    "bestelling bestel ordre bestilling bestillings beställning beställnings tilaus zamówienie zamówienia objednávka "
    "objednávky rendelés rendelési megrendelés comandă comanda comenzii sipariş siparişi narudžbe narudžba naročila "
    "naročilo užsakymo užsakymas pasūtījuma pasūtījums tellimuse tellimus παραγγελίας παραγγελία заказ заказа "
    "замовлення поръчка 订单 訂單 注文 注文書 発注 発注書 주문 발주 오더 أمر طلب הזמנה ใบสั่งซื้อ đơn hàng đặt pesanan",
    _Concept.DOCUMENT: "document documento doc docto dokument beleg 凭证 憑證 伝票 문서",
    _Concept.NUMBER: "number no nr num nbr nro numero nummer numer número numéro číslo szám száma număr numărul broj "
    "številka numeris numurs αριθμός номер n nomor số 号 單號 号码 號 編號 编号 番号 번호 رقم מספר เลขที่",
    _Concept.ID: "id key code código codice ref reference referencia",
    _Concept.OTHER: "date data fecha datum time zeit year month status state estado statut value valor valeur wert "
    "amount betrag montant importo total sum cost price preis prix precio currency limit qty quantity menge cantidad "
    "line lines linea linha zeile item items artikel pos position type tipo typ text name description parent previous "
    "old original related linked customer client cliente kunde kunden sales verkauf venta invoice factura rechnung "
    "rechnungs bill delivery liefer versand shipment supplier vendor lieferant proveedor fornecedor fournisseur "
    "request requisition contract project work change production count url link phone telefon postal zip account tax "
    "vat sku ean gtin buyer by created",
    _Concept.FILLER: "of the de do da del della dell la le les der des di d satın на",  # noqa: RUF001  # Turkish
}


def fold_name(name: str) -> str:
    """Return the name without case, accents and punctuation, so that two spellings of one name are equal."""
    return "".join(_words(name))


def name_rank(name: str) -> int | None:
    """Return how likely the name means order numbers: 0 is best, ``None`` when it means something else.

    Purchase orders come before orders, numbers before bare words, bare words before ids. Ranks from ``VAGUE`` on
    belong to names with unknown words in them.
    """
    if not any(map(str.isalpha, name)):
        return None
    concepts = [_concepts_of(word) for word in _words(name)]
    rank = _rank(frozenset[_Concept]().union(*concepts))
    if rank is None or means_other(name):
        return None
    return rank if all(concepts) else VAGUE + rank


def means_other(name: str) -> bool:
    """Return whether a word of the name means something else: a date, an amount, an invoice."""
    return any(_Concept.OTHER in _concepts_of(word) for word in _words(name))


def heads_other(name: str) -> bool:
    """Return whether all words are known and one of them means something else: ``Invoice Number``."""
    concepts = [_concepts_of(word) for word in _words(name)]
    return all(concepts) and any(_Concept.OTHER in word_concepts for word_concepts in concepts)


def is_numbering(name: str) -> bool:
    """Return whether a word of the name means a number or a key."""
    return any(not _concepts_of(word).isdisjoint({_Concept.NUMBER, _Concept.ID}) for word in _words(name))


def _rank(concepts: frozenset[_Concept]) -> int | None:
    bare = 2 if _Concept.ID in concepts else 1
    ending = 0 if _Concept.NUMBER in concepts else bare
    is_bought = _Concept.PURCHASE in concepts and not concepts.isdisjoint({_Concept.ORDER, _Concept.DOCUMENT})
    if is_bought or _Concept.PO in concepts:
        return ending
    if _Concept.ORDER in concepts:
        return 3 + ending
    # ``DocNumber`` of an accounting program; a bare ``Document`` holds anything.
    return 6 if {_Concept.DOCUMENT, _Concept.NUMBER} <= concepts else None


def _words(name: str) -> tuple[str, ...]:
    """Return the folded words of a name: ``POId`` has two, ``PO#`` is ``po`` and ``no``."""
    spaced = _CAMEL.sub(" ", _NUMBER_SIGN.sub(" no ", _INITIALS.sub(r"\1", name)))
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(sign))
    return tuple(re.findall(r"[^\W_]+", plain.casefold()))


@lru_cache(maxsize=4096)
def _concepts_of(word: str) -> frozenset[_Concept]:
    """Return the concepts of a word; a compound such as ``Bestellnummer`` or ``ponumber`` has those of all parts."""
    if word in _VOCABULARY:
        return _VOCABULARY[word]
    if len(word) > _WORD_LENGTH_MAX:
        return frozenset()
    for length in range(len(word) - 1, 0, -1):
        head, tail = word[:length], word[length:]
        if head in _VOCABULARY and _can_join(head) and _can_join(tail):
            rest = _concepts_of(tail)
            if rest:
                return _VOCABULARY[head] | rest
    return frozenset()


def _can_join(part: str) -> bool:
    """Return whether this can be a part of a compound: a single Chinese character can, a single letter cannot."""
    return len(part) >= _SHORTEST_PART or not part.isascii()


#: All known words, folded. SAP's technical name ``EBELN`` (number of the purchasing document) has two concepts.
_VOCABULARY = {
    **{folded: frozenset({concept}) for concept, words in _WORDS.items() for folded in map(fold_name, words.split())},
    "ebeln": frozenset({_Concept.PO, _Concept.NUMBER}),
    # A buyer's order, beside which an ``Auftrag`` is one of another kind.
    **dict.fromkeys(("bestellung", "bestell", "best"), frozenset({_Concept.PURCHASE, _Concept.ORDER})),
}
