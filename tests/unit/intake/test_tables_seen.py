"""Several tables on a sheet, totals in many languages, names of columns in many languages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from poolwright.intake.column_names import SURE_RANK, name_rank
from poolwright.intake.errors import InputRefusedError
from tests.unit.intake.raw_books import A, B, C, read


def listed(*rows: Sequence[str]) -> str:
    return "\n".join(";".join(cells) for cells in rows) + "\n"


class TestOtherTables:
    def test_numbers_below_the_name_of_another_column_are_questions(self) -> None:
        text = listed(
            ("PO Number", "Supplier"), (A, "a"), ("", ""), ("Invoice Number", "Supplier"), ("5105600001", "b"),
            ("PO Number", "Vendor"), (B, "c"),
        )  # fmt: skip
        orders, invalid, said = read(text, "orders.csv")

        assert (orders, invalid) == ([A, B], [5])
        assert "5105600001 is below 'Invoice Number' in row 4" in said
        assert "Row 4 begins another table" in said
        assert "Row 6 holds the header again" in said

    def test_a_single_column_goes_on_below_another_name(self) -> None:
        assert read(f"PO Number\n{A}\nInvoice Number\n5105600001\n", "orders.txt")[:2] == ([A], [4])

    @pytest.mark.parametrize("cell", ["Supplier", "Contract", "Invoices of May"])
    def test_a_word_alone_begins_no_table(self, cell: str) -> None:
        assert read(listed(("PO Number", "x"), (A, "a"), (cell, ""), (B, "b")), "orders.csv")[:2] == ([A, B], [3])

    @pytest.mark.parametrize(
        ("names", "told"),
        [
            (("PO Number", "x", "PO Number"), "Column #3 'PO Number' holds 2 orders"),
            (("PO Number", "x", ""), "Column #3 '' holds 2 orders"),
            (("PO Number", "x"), "Column #3 '#3' holds 2 orders"),
        ],
    )
    def test_orders_beside_the_column_are_told(self, names: Sequence[str], told: str) -> None:
        orders, _, said = read(listed(names, (A, "a", C), (B, "b", "4500010004")), "orders.csv")

        assert orders == [A, B]
        assert f"{told} from {C} on, not read" in said

    def test_orders_that_stand_twice_in_a_row_are_no_news(self) -> None:
        text = listed(("PO Number", "x", "PO Number"), (A, "a", A))

        assert "not read" not in read(text, "orders.csv")[2]

    def test_orders_beside_a_list_without_header_are_told(self) -> None:
        orders, _, said = read(listed((A, "a", "9"), (B, "b", C)), "orders.csv")

        assert orders == [A, B]
        assert f"Column #3 (9 …) holds order {C} in row 2, not read" in said

    def test_a_second_part_with_its_own_header_is_read_too(self) -> None:
        text = listed(("PO Number", "Supplier"), (A, "x"), ("Closed orders", ""), ("PO Number", "Vendor"), (B, "y"))
        orders, invalid, said = read(text, "orders.csv")

        assert (orders, invalid) == ([A, B], [3])
        assert "header again" in said

    def test_a_header_far_down_is_found(self) -> None:
        titles = [(f"Report line {place}", "") for place in range(40)]

        assert read(listed(*titles, ("PO Number", "Supplier"), (A, "a"), (B, "b")), "orders.csv")[0] == [A, B]

    @pytest.mark.parametrize("width", [1, 2])
    def test_a_header_that_was_sorted_in_among_the_orders(self, width: int) -> None:
        rows = [(A, "a"), (B, "b"), ("PO Number", "Supplier"), (C, "c")]
        orders, invalid, said = read(listed(*(row[:width] for row in rows)), "orders.csv")

        assert (orders, invalid) == ([A, B, C], [])
        assert "The header is in row 3, below orders" in said

    def test_a_number_in_a_title_is_no_order(self) -> None:
        assert read(listed(("4500019999", ""), ("PO Number", "Supplier"), (A, "a")), "orders.csv")[0] == [A]


class TestTotals:
    @pytest.mark.parametrize(
        "name",
        [
            "Sous-total", "Suma częściowa", "Összesen:", "Genel Toplam", "TOTALT", "총합계", "المجموع", 'סה"כ',
            "Σύνολο", "Общо", "Усього:", "Ukupno", "Skupaj", "Spolu", "Kokku", "Kopā", "Iš viso", "Tổng cộng", "Jumlah",
            "Подытог",
        ],
    )  # fmt: skip
    def test_a_total_is_known_in_many_languages(self, name: str) -> None:
        text = listed(("PO Number", "Supplier", "Amount"), (A, "a", "10,00"), (B, "b", "5,00"), (name, "", "15,00"))
        orders, invalid, said = read(text, "orders.csv")

        assert (orders, invalid) == ([A, B], [])
        assert "Row 4 holds a total" in said

    def test_a_list_of_totals_alone_has_no_order(self) -> None:
        with pytest.raises(InputRefusedError, match=r"no valid order number in column.*Row 2 holds a total"):
            read(listed(("PO Number", "Amount"), ("Total", "10,00")), "orders.csv")

    @pytest.mark.parametrize(
        "name",
        [
            "Average", "Count:", "Maximum", "Grand Count", "Total orders", "Total amount:", "Number of POs", "Anzahl",
            "Gesamtanzahl Bestellungen", "Durchschnitt", "Nombre de commandes", "Moyenne", "Total de pedidos", "件数",
        ],
    )  # fmt: skip
    def test_a_number_beside_the_name_of_another_value_is_a_question(self, name: str) -> None:
        text = listed(("PO Number", "Supplier", "Amount"), (A, "a", "1"), (B, "b", "2"), (C, name, "3"), (C, name, "x"))
        orders, invalid, said = read(text, "orders.csv")

        assert (orders, invalid) == ([A, B, C], [4])
        assert f"{C} is in a line that is labelled as a total" in said

    @pytest.mark.parametrize("name", ["Total", "Max", "No", "Number", "Accounting", "Averages Ltd"])
    def test_a_name_that_may_be_a_suppliers_is_no_total(self, name: str) -> None:
        assert read(listed(("PO Number", "Supplier"), (A, "a"), (B, name)), "orders.csv")[:2] == ([A, B], [])

    @pytest.mark.parametrize("place", [0, 1, 3])
    def test_the_sum_of_all_other_numbers_is_a_question_wherever_it_is(self, place: int) -> None:
        numbers = ["450010", "450300", "454000"]
        numbers.insert(place, "1354310")
        text = listed(("PO Number", "Supplier"), *((number, "a") for number in numbers))
        orders, invalid, said = read(text, "orders.csv")

        assert (orders, invalid) == (["450010", "450300", "454000"], [place + 2])
        assert f"1354310 is the sum of {'the numbers above it' if place == 3 else 'all other numbers'}, so" in said

    def test_two_equal_orders_are_not_sums_of_each_other(self) -> None:
        text = listed(("PO Number", "Supplier"), (A, "a"), (A, "b"))

        assert read(text, "orders.csv")[:2] == ([A], [])

    def test_the_total_of_one_order_is_left_out_where_the_order_is_listed(self) -> None:
        text = listed(
            ("PO Number", "Supplier", "Amount"), (A, "a", "1"), (f"{A} Total", "", "1"), (f"{B} Ergebnis", "", "2")
        )
        orders, invalid, said = read(text, "orders.csv")

        assert (orders, invalid) == ([A], [4])
        assert "Row 3 holds a total" in said
        assert B in said


@pytest.mark.parametrize(
    "name",
    [
        "P.O. Number", "P.O. #", "P/O No", "Best.-Nr.", "Beställningsnr",
        "Bestillingsnr.", "Ostotilaus", "Tilausnumero", "Rendelésszám",
        "Număr comandă", "Satın alma siparişi", "Номер замовлення",
        "Αριθμός παραγγελίας", "Номер на поръчка", "Broj narudžbe",
        "Številka naročila", "Užsakymo numeris", "Pasūtījuma numurs",
        "Tellimuse number", "採購單號", "発注書番号", "رقم أمر الشراء", "מספר הזמנה",
        "Số đơn đặt hàng", "Documento acquisti", "購買発注", "采购凭证", "购买凭证", "구매오더", "구매문서", "購買伝票",
        "Nr. ODA",
    ],
)  # fmt: skip
def test_an_order_column_is_known_in_many_languages(name: str) -> None:
    rank = name_rank(name)

    assert rank is not None
    assert rank <= SURE_RANK


def test_a_buyers_order_comes_before_one_of_another_kind() -> None:
    text = listed(("Auftragsnummer", "Bestellnummer"), ("100001", A), ("100002", B))

    assert read(text, "orders.csv")[:2] == ([A, B], [])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("cell", ["$" + " " * 30_000 + "x", "5" + " " * 30_000 + "x", "5 " * 15_000 + "x"])
def test_a_long_cell_beside_a_total_is_looked_at_once(cell: str) -> None:
    text = listed(("PO Number", "Supplier", "Amount"), (A, "a", "1"), ("Total", "", cell))

    assert read(text, "orders.csv")[:2] == ([A], [3])


@pytest.mark.parametrize("amount", ["$ 5", "5 €", "EUR 1.200,50", "-5", "5-", "(5)", "1'200.50 CHF", "12 %", "", "n/a"])
def test_amounts_beside_a_total_are_known(amount: str) -> None:
    text = listed(("PO Number", "Supplier", "Amount"), (A, "a", "1"), ("Total", "", amount))

    assert read(text, "orders.csv")[:2] == ([A], [3] if amount == "n/a" else [])
