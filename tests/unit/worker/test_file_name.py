"""Which of all that is said of a file becomes its name."""

from __future__ import annotations

import pytest

from poolwright.portal.file_rules import ElementText
from poolwright.portal.pack_schema import AttachmentRules, NameSource
from poolwright.worker.download.file_name import FileName, choose_file_name, name_in_address, name_in_text
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION, ContentDisposition

ORDER = AttachmentRules(links=("a",)).names


def called(header: str = "", address: str = "", **page: str) -> str:
    return choose_file_name(ORDER, page, ContentDisposition(name=header), [address]).label


def test_the_header_goes_before_all_that_a_page_says() -> None:
    assert (
        called("offer.pdf", download="x.pdf", text="y.pdf", title="z.pdf", address="https://p.test/w.pdf")
        == "offer.pdf"
    )
    assert called(download="x.pdf", text="y.pdf", title="z.pdf") == "x.pdf"
    assert called(text="Offer", title="The whole offer") == "Offer"
    assert called(title="The whole offer", address="https://p.test/w.pdf") == "The whole offer"
    assert called(address="https://p.test/w.pdf") == "w.pdf"
    assert choose_file_name(ORDER, {}, NO_DISPOSITION) == FileName(label="attachment", name="attachment")
    assert called("Offer 7", text="Offer.pdf") == "Offer 7", "whatever it ends in"
    assert called("Offer...final.pdf", text="Offer for the hall.pdf") == "Offer...final.pdf", "it is never cut"
    assert called(download="Download Offer.pdf") == "Download Offer.pdf", "it is no text to find a name in"


def test_a_name_is_given_by_what_came_with_the_file_and_by_nothing_on_the_page() -> None:
    guess = ContentDisposition(name="\u00b1\u00a8.pdf", is_sure=False)

    assert choose_file_name(ORDER, {}, ContentDisposition(name="a.pdf")) == FileName(
        label="a.pdf", name="a.pdf", is_given=True
    )
    assert choose_file_name(ORDER, {"download": "a.pdf"}, NO_DISPOSITION).is_given
    assert choose_file_name(ORDER, {"text": "Download"}, guess).is_given
    assert not choose_file_name(ORDER, {"text": "Offer.pdf"}, guess).is_given
    assert not choose_file_name(ORDER, {}, NO_DISPOSITION, ["https://p.test/a.pdf"]).is_given


def test_the_first_address_that_names_a_file_names_it() -> None:
    addresses = ["https://p.test/f/4711", "https://cdn.test/Offer.pdf", "https://cdn.test/x.pdf"]

    assert choose_file_name(ORDER, {}, NO_DISPOSITION, addresses).label == "Offer.pdf"


@pytest.mark.parametrize(
    ("page", "address", "label"),
    [
        ({"title": "Click to download", "text": "Quote_A.pdf"}, "", "Quote_A.pdf"),
        ({"title": "Quote_A.pdf", "text": "Download"}, "", "Quote_A.pdf"),
        ({"title": "Quote_A.pdf", "text": "Our quote"}, "", "Quote_A.pdf"),
        ({"aria-label": "Quote_A.pdf", "text": "Our quote"}, "", "Quote_A.pdf"),
        ({"title": "Our quote", "text": "untitled.pdf"}, "", "Our quote"),
        ({"title": "Quote_A.pdf", "text": "[Download ...]"}, "", "Quote_A.pdf"),
        ({"title": "Quote_A", "text": "XPDF"}, "", "XPDF"),
        ({"title": "Download"}, "https://p.test/files/Auftrag%20Gr%C3%B6%C3%9Fe.msg", "Auftrag Größe.msg"),
        ({"text": "Attachment"}, "https://p.test/attachments/4711/download", "Attachment"),
        ({"text": "PDF", "title": "Download file"}, "https://p.test/x/4711", "PDF"),
        ({"download": "download", "text": "Terms.docx"}, "", "Terms.docx"),
        ({"text": "\u2193 Download", "aria-label": "Download Terms.docx"}, "", "Terms.docx"),
        (
            {"text": "Offer for the ma\u2026.pdf", "title": "Offer for the main hall.pdf"},
            "",
            "Offer for the main hall.pdf",
        ),
        ({"text": "Offer for t...all.pdf", "title": "Offer for the main hall.pdf"}, "", "Offer for the main hall.pdf"),
        ({"text": "Offer for the ma...", "title": "Offer for the main hall"}, "", "Offer for the main hall"),
        (
            {"text": "OFFER FOR\u2026", "title": "Offer for the ma\u2026"},
            "https://p.test/Offer%20for%20the%20main%20hall",
            "Offer for the main hall",
        ),
        ({"text": "\u2026main hall.pdf", "title": "Another"}, "", "\u2026main hall.pdf"),
        ({"text": "Download"}, "https://p.test/a/4711/Offer.pdf/download", "Offer.pdf"),
        ({"text": "Download"}, "https://p.test/get?file=Angebot%20M%E4rz.pdf", "Angebot März.pdf"),
        ({"text": "Download"}, "https://p.test/get?file=Angebot+M%C3%A4rz.pdf", "Angebot März.pdf"),
    ],
)
def test_words_that_only_say_what_a_link_does_are_no_name(page: dict[str, str], address: str, label: str) -> None:
    assert choose_file_name(ORDER, page, NO_DISPOSITION, [address]).label == label


@pytest.mark.parametrize("header", ["null", "undefined.pdf", ".pdf"])
def test_what_a_program_writes_where_it_has_no_name_is_none(header: str) -> None:
    assert called(header, text="Quotation") == "Quotation"
    assert called(header) == header, "better than nothing"


def test_a_guess_at_bytes_gives_way_to_what_the_page_calls_the_file() -> None:
    guess = ContentDisposition(name="\u00b1\u00a8.pdf", is_sure=False)

    assert choose_file_name(ORDER, {"text": "Offer.pdf"}, guess).label == "Offer.pdf"
    assert choose_file_name(ORDER, {"text": "Download"}, guess).label == "\u00b1\u00a8.pdf"


def test_a_pack_may_want_another_order() -> None:
    order = (NameSource.TEXT, NameSource.DISPOSITION)

    assert choose_file_name(order, {"text": "Offer.pdf"}, ContentDisposition(name="4711.pdf")).label == "Offer.pdf"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Quote.pdf (12 KB)", "Quote.pdf"),
        ("Terms.pdf 3.4 MB", "Terms.pdf"),
        ("Terms.pdf, 3,4 Mo", "Terms.pdf"),
        ("Terms.pdf\n3.4 MB\nuploaded by Max", "Terms.pdf"),
        ("PDF\nTerms.pdf", "Terms.pdf"),
        ("Quote.pdf - uploaded 3 May 2024", "Quote.pdf"),
        ("Download Quote.pdf", "Quote.pdf"),
        ("Download: Quote final.pdf (1.2 MiB)", "Quote final.pdf"),
        ("\uf0c6 Quote.pdf", "Quote.pdf"),
        ("\U0001f4ce Quote.pdf", "Quote.pdf"),
        ("Attachment: Quote.pdf", "Quote.pdf"),
        ("Download X-ray.pdf", "X-ray.pdf"),
        ('"Quote.pdf"', "Quote.pdf"),
        ("Download 'Quote.pdf'", "Quote.pdf"),
        ("> X-ray.pdf", "X-ray.pdf"),
        ("(Quote.pdf)", "Quote.pdf"),
        ("Download [Quote.pdf]", "Quote.pdf"),
        ("{Quote.pdf}", "Quote.pdf"),
        ("(final) Quote.pdf", "(final) Quote.pdf"),
        ("Download [2] Quote.pdf", "[2] Quote.pdf"),
        ("Dateiname: Quote.pdf", "Quote.pdf"),
        ("T\u00e9l\u00e9charger le fichier Quote.pdf", "Quote.pdf"),
        ("Offer final (PDF, 12 KB)", "Offer final"),
        ("report.txt (old).pdf", "report.txt (old).pdf"),
        ("Quotation (12 KB)", "Quotation"),
        ("Quotation 12 bytes", "Quotation"),
        (r"C:\Users\me\Quote.pdf", "Quote.pdf"),
        (r"Download \\server\share\Quote A.pdf (2 KB)", "Quote A.pdf"),
        ("D:/scans/Quote.pdf", "Quote.pdf"),
        ("https://files.example/orders/Quote%20A.pdf?v=2", "Quote A.pdf"),
        ("https://files.example/1/2", "https://files.example/1/2"),
        ("Angebot Nr. 5", "Angebot Nr. 5"),
        ("Offer v1.2", "Offer v1.2"),
        ("Hose 12 m", "Hose 12 m"),
        ("  \n ", ""),
        ("a" * 1001, "a" * 1000),
    ],
)
def test_a_name_is_found_in_what_stands_beside_a_link(text: str, name: str) -> None:
    assert name_in_text(text) == name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://p.test/f/Angebot%20M%C3%A4rz%202024.pdf", "Angebot März 2024.pdf"),
        ("https://p.test/f/Angebot%20M%E4rz.pdf", "Angebot März.pdf"),
        ("https://p.test/f/offer.pdf;jsessionid=4711?x=1#y", "offer.pdf"),
        ("https://p.test/download.aspx?id=1", "download"),
        ("https://p.test/getfile.php?file=docs%2FAngebot.pdf", "Angebot.pdf"),
        ("https://p.test/getfile.php?back=https://p.test/a.pdf", "getfile"),
        ("https://p.test/getfile.php?file=docs/2024%5CAngebot.pdf", "Angebot.pdf"),
        ("https://p.test/getfile.php?where=name%3Da.pdf", "getfile"),
        ("https://p.test/f/M%E4rz%81.pdf", "M\u00e4rz\ufffd.pdf"),
        ("https://p.test/f/Angebot.pdf/", "Angebot.pdf"),
        ("https://p.test/f/Angebot.pdf/download.aspx", "Angebot.pdf"),
        ("https://p.test/f/Angebot.pdf/page2", "page2"),
        ("https://p.test/f/download", "download"),
        ("https://p.test/f/4711", ""),
        ("https://p.test/f/0f8fad5b-d9cb-469f-a165-70867728950e", ""),
        ("https://p.test/f/", ""),
        ("https://p.test", ""),
        ("http://[bad/x.pdf", ""),
    ],
)
def test_an_address_names_a_file_in_letters(address: str, name: str) -> None:
    assert name_in_address(address) == name


def test_a_slash_in_a_text_leads_nowhere() -> None:
    assert choose_file_name(ORDER, {"text": "Offer 3/2024"}, NO_DISPOSITION) == FileName(
        label="Offer 3/2024", name="Offer 3_2024"
    )
    assert choose_file_name(ORDER, {}, ContentDisposition(name="a/b.pdf")).name == "a/b.pdf"


PLACE = ElementText(closest="tr", selector="td.name")


def named(place: ElementText, shown: str, address: str = "", **page: str) -> FileName:
    order = [place, *ORDER]
    return choose_file_name(order, {"place 0": shown, **page}, NO_DISPOSITION, [address])


def test_a_place_of_the_page_names_a_file_as_it_is() -> None:
    assert named(PLACE, "Offer.pdf\n12 KB", title="Download") == FileName(
        label="Offer.pdf", name="Offer.pdf", is_given=True
    )
    assert named(PLACE, "LICENSE", text="x.pdf") == FileName(label="LICENSE", name="LICENSE", is_given=True)
    assert named(PLACE, "a/b.pdf").name == "a_b.pdf"


def test_a_place_that_holds_no_name_is_passed_over() -> None:
    assert named(PLACE, "", text="x.pdf").label == "x.pdf"
    assert named(PLACE, "Download", text="x.pdf").label == "x.pdf"
    assert named(ElementText(attribute="onclick", pattern="'(.+)'"), "open()", text="x.pdf").label == "x.pdf"


@pytest.mark.parametrize("place", [PLACE, ElementText(attribute="onclick", pattern="(.+)")])
def test_a_place_that_is_not_on_the_page_is_passed_over(place: ElementText) -> None:
    nameless = FileName(label="attachment", name="attachment")

    assert choose_file_name([place], {}, NO_DISPOSITION) == nameless


def test_a_pattern_takes_the_name_out_of_a_place() -> None:
    place = ElementText(attribute="onclick", pattern=r"open\('([^']+)'")

    assert named(place, "open('Plan v2', 5)", text="x.pdf").label == "Plan v2"


def test_each_place_has_its_own_text() -> None:
    order = [PLACE, ElementText(attribute="data-name")]

    assert choose_file_name(order, {"place 0": "", "place 1": "b.pdf"}, NO_DISPOSITION).label == "b.pdf"


def test_a_text_that_is_also_the_end_of_the_address_is_a_whole_name() -> None:
    def is_given(text: str, address: str) -> bool:
        return choose_file_name(ORDER, {"text": text}, NO_DISPOSITION, [address]).is_given

    assert is_given("LICENSE", "https://p.test/files/LICENSE")
    assert not is_given("LICENSE", "https://p.test/files/4711")
    assert not is_given("", "https://p.test/files/LICENSE")


def test_a_link_of_unseen_signs_alone_names_nothing() -> None:
    assert called(text="\u200b", title="Download", address="https://p.test/raw/7/Offer.pdf") == "Offer.pdf"
    assert name_in_text(" \u200b\u2060 ") == ""
    assert name_in_text("\u200b\nOffer.pdf") == "Offer.pdf"


def test_a_text_that_header_or_address_confirms_is_the_name_whatever_the_pack_asks_for() -> None:
    only_text = (NameSource.TEXT,)

    def is_given(text: str, header: str = "", address: str = "") -> bool:
        return choose_file_name(only_text, {"text": text}, ContentDisposition(name=header), [address]).is_given

    assert is_given("LICENSE", address="https://p.test/files/LICENSE")
    assert is_given("LICENSE", header=" LICENSE ")
    assert not is_given("LICENSE", header="LICENSE.txt", address="https://p.test/files/4711")
    assert not is_given("")


@pytest.mark.parametrize(
    "word",
    [
        "Скачать", "Stáhnout", "Letöltés", "İndir", "indir", "다운로드", "Hent", "Ladda ner", "Lataa",
        "file_download", "下載",
    ],
)  # fmt: skip
def test_a_word_for_the_action_of_a_link_names_no_file(word: str) -> None:
    order = (NameSource.TEXT, NameSource.ADDRESS)
    name = choose_file_name(order, {"text": word}, NO_DISPOSITION, ["https://portal.test/Offer.pdf"])

    assert name.name == "Offer.pdf"
