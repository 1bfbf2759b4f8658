"""Which addresses a document names."""

from __future__ import annotations

from poolwright.portal.addresses import addresses_in

AT = "https://portal.invalid/order/1000"


def test_addresses_are_found_in_whatever_attribute_they_stand() -> None:
    document = """<!doctype html><a class=att href="/f/1?a=1&amp;b=2#top">x</a><button data-url='f/2'>y</button>
    <img src=//other.invalid/3><p hidden>"""

    found = addresses_in(document, AT)

    assert {
        "https://portal.invalid/f/1?a=1&b=2",
        "https://portal.invalid/order/f/2",
        "https://other.invalid/3",
    } <= found


def test_the_document_s_own_base_counts() -> None:
    assert "https://portal.invalid/files/1" in addresses_in("<base href=/files/><a href=1>x</a>", AT)


def test_addresses_are_written_as_a_browser_writes_them() -> None:
    assert "https://portal.invalid/f/a%20%C3%A9.pdf" in addresses_in('<a href="/f/a é.pdf">x</a>', AT)


def test_what_scripts_and_comments_say_is_no_address_of_the_document() -> None:
    document = "<script>const link = '<a href=/f/1>'</script><!-- <a href=/f/2> -->"

    assert addresses_in(document, AT) == frozenset()


def test_what_is_no_address_at_all_is_passed_over() -> None:
    assert addresses_in('<a href="http://[x/">x</a>', AT) == frozenset()
    assert addresses_in("", AT) == frozenset()
