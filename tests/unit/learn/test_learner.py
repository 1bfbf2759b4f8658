"""What is learned from saved pages of five made-up portals, and from pages that leave something open."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from poolwright.learn.examples import SeenPage, is_served
from poolwright.learn.learner import Lesson, learn, seen_pages
from poolwright.learn.observations import ObservationError, Observations, ObservedPage, ShownKind
from poolwright.learn.order_numbers import order_address
from poolwright.learn.page_judge import judge_page, problems_of
from poolwright.portal.calls.post_rule import PostRule
from poolwright.portal.file_rules import ElementText
from poolwright.portal.login_schema import LoginStep
from poolwright.portal.numbers import OrderNumber, parse_number
from poolwright.portal.pack_schema import NameSource
from poolwright.portal.triage import Verdict
from tests.support.calling_portals import TAUGHT_NAMES, portal_by_name
from tests.support.further_portals import further_portal
from tests.support.taught_pages import observed, shown_pages
from tests.support.taught_portals import TaughtPortal, taught_portal


def lesson_of(pages: list[dict[str, Any]], name: str = "made-up") -> Lesson:
    observations, sources = observed(pages)
    return learn(name, observations, seen_pages(observations, sources))


def changed(pages: list[dict[str, Any]], file: str, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - keys of a page
    return [{**page, **values} if page["file"] == file else page for page in pages]


def without(pages: list[dict[str, Any]], *files: str) -> list[dict[str, Any]]:
    return [page for page in pages if page["file"] not in files]


def replaced(pages: list[dict[str, Any]], old: str, new: str) -> list[dict[str, Any]]:
    assert any(old in page["source"] for page in pages)
    return [{**page, "source": page["source"].replace(old, new)} for page in pages]


def refusing_in_place(table: TaughtPortal, note: str) -> list[dict[str, Any]]:
    """A portal that answers 403 in the same words to all who may not see an order, logged in or not."""
    refusal = (
        "<html><body>{}<main><h1>Forbidden</h1><p class=message>You may not see this order</p></main></body></html>"
    )
    (forbidden,) = [page for page in shown_pages(table) if page["kind"] == "forbidden"]
    refused = {**forbidden, "status": 403, "source": refusal.format("")}
    (first,) = [page for page in shown_pages(table) if page["file"] == "order-1.html"]
    nobody = {"file": "nobody.html", "kind": "login", "address": first["address"], "status": 403}
    (login,) = [page for page in shown_pages(table) if page["kind"] == "login"]
    pages = [page for page in shown_pages(table) if page["kind"] not in {"login", "forbidden"}]
    form = {**login, "address": f"{table.url}/login"}
    return [form, {**nobody, "source": refusal.format(note)}, *pages, refused]


def changed_supplier(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The order without attachments has a supplier of its own."""
    (source,) = [page["source"] for page in pages if page["file"] == "order-3.html"]
    return changed(pages, "order-3.html", source=source.replace("Nordwind GmbH", "Initech Corporation"))


@pytest.fixture(name="table")
def _table() -> TaughtPortal:
    return taught_portal("table")


@pytest.mark.parametrize("name", TAUGHT_NAMES)
class TestPortals:
    def test_the_pack_is_valid_and_reads_every_page_as_it_was_shown(self, name: str) -> None:
        lesson = lesson_of(shown_pages(portal_by_name(name)))

        assert lesson.pack.notices == ()
        assert lesson.problems == ()

    def test_every_file_of_orders_that_were_never_shown_is_found(self, name: str) -> None:
        portal = portal_by_name(name)
        lesson = lesson_of(shown_pages(portal))

        for order in list(portal.orders.values())[4:]:
            source, address, status = portal.saved(portal.path_of(order.number))
            page = ObservedPage.model_validate(
                {
                    "file": "x.html",
                    "kind": "order",
                    "number": order.number,
                    "attachments": order.files[: 2 if portal.next_button else None],
                    "count": None if portal.next_button else len(order.files),
                    "supplier": order.supplier,
                    "address": address,
                    "status": status,
                }
            )
            seen = seen_pages(Observations.model_construct(title="x", pages=(page,)), {"x.html": source})[0]
            assert problems_of(lesson.pack, lesson.base_url, seen) == []
            assert judge_page(lesson.pack, lesson.base_url, seen).verdict is Verdict.READY

    def test_what_is_not_sure_stands_at_the_top_of_the_pack(self, name: str) -> None:
        lesson = lesson_of(without(shown_pages(portal_by_name(name)), "forbidden.html"))

        assert any("No order that you may not see was shown" in doubt for doubt in lesson.doubts)
        for doubt in lesson.doubts:
            assert f"# - {doubt}\n" in lesson.text.partition("schema = 2")[0]


class TestAttachments:
    def test_one_example_is_enough_for_all_rows_and_never_takes_the_link_that_deletes(
        self, table: TaughtPortal
    ) -> None:
        pages = without(shown_pages(table), "order-2.html")

        lesson = lesson_of(pages)

        assert [line for line in lesson.findings if line.startswith("order-1.html: 3 attachments")]
        assert not any("delete" in selector for selector in lesson.pack.attachments.links)

    def test_a_name_beside_an_icon_leads_to_the_link_of_its_row(self, table: TaughtPortal) -> None:
        pages = replaced(shown_pages(table), ".pdf</a></td><td>", '.pdf</a></td><td title="x">')
        for name in ("Offer 1.pdf", "Terms.pdf", "Drawing_A.pdf", "Confirmation.pdf"):
            pages = replaced(pages, f">{name}</a>", f'>Download</a><span class="label">{name}</span>')

        lesson = lesson_of(pages)

        assert lesson.problems == ()
        assert ElementText(closest="tr", selector="span.label") in lesson.pack.attachments.names
        assert not any("The links say only" in doubt for doubt in lesson.doubts)

    def test_links_that_say_download_and_stand_beside_no_name_are_told(self, table: TaughtPortal) -> None:
        pages = shown_pages(table)
        for number, count in ((1, 3), (2, 1)):
            href = f"/files/450001000{number}/"
            pages = changed(pages, f"order-{number}.html", attachments=[], count=None)
            page = next(page for page in pages if page["file"] == f"order-{number}.html")
            clicked = page["source"].replace(f'<a href="{href}', f'<a data-poolwright-clicked href="{href}', 1)
            bare = re.sub(r">[^<]*\.pdf</a>", ">Download</a>", clicked)
            pages = changed(pages, f"order-{number}.html", source=bare, attachments=["Download"], count=count)

        lesson = lesson_of(pages)

        assert any("The links say only 'Download'" in doubt for doubt in lesson.doubts)
        assert NameSource.TEXT in lesson.pack.attachments.names

    def test_an_attachment_that_is_not_on_its_page_is_refused(self, table: TaughtPortal) -> None:
        with pytest.raises(ObservationError, match=r"order-2.html: no element .* 'Nowhere.pdf'"):
            lesson_of(changed(shown_pages(table), "order-2.html", attachments=["Nowhere.pdf"]))

    def test_a_link_of_unseen_signs_alone_is_shown_by_its_other_names(self, table: TaughtPortal) -> None:
        pages = replaced(shown_pages(table), ">Offer 1.pdf</a>", " title='Offer'>\u200b</a>")

        lesson = lesson_of(changed(pages, "order-1.html", attachments=["Terms.pdf"]))

        assert any(line.startswith("order-1.html: 3 attachments: Offer, ") for line in lesson.findings)

    @pytest.mark.parametrize(
        "address", ["/files/4500010001/Terms.pdf", "/files/4500010001/%54erms.pdf", "files/4500010001/Terms.pdf"]
    )
    def test_an_attachment_may_be_named_by_its_address(self, table: TaughtPortal, address: str) -> None:
        pages = changed(shown_pages(table), "order-1.html", attachments=[address])

        assert lesson_of(pages).problems == ()

    def test_a_text_on_several_links_is_refused(self, table: TaughtPortal) -> None:
        with pytest.raises(ObservationError, match="is on 3 elements"):
            lesson_of(changed(shown_pages(table), "order-1.html", attachments=["pdf"]))

    def test_a_count_that_is_not_met_is_told(self, table: TaughtPortal) -> None:
        lesson = lesson_of(changed(shown_pages(table), "order-1.html", count=4))

        assert "order-1.html: 3 attachments are found, but it has 4." in lesson.problems

    def test_links_of_another_shape_at_the_same_place_are_not_passed_over_in_silence(self, table: TaughtPortal) -> None:
        other = '<a class="doc-x" href="/other/9">Annex</a></section>'
        pages = [
            {**page, "source": page["source"].replace("</section>", other)} if page["file"] == "order-1.html" else page
            for page in replaced(shown_pages(table), "<td class=", '<td><a href="/view/1">Look</a></td><td class=')
        ]

        assert lesson_of(pages).problems == ()

    def test_a_position_is_the_last_resort_and_told(self) -> None:
        pages = shown_pages(taught_portal("spans"))
        pages = replaced(replaced(pages, "attachmentFile", "x1y2"), ' role="link"', "")
        pages = replaced(replaced(pages, "/attachment/", "/"), '<span data-url="/help/topics">Help</span>', "")
        for name in ("attachmentsField", "title"):
            pages = replaced(pages, name, "q99")

        assert lesson_of(pages).pack.attachments.links == ("span[data-url]",)


class TestSigns:
    def test_a_count_that_fits_on_one_order_alone_is_not_believed(self, table: TaughtPortal) -> None:
        lesson = lesson_of(without(shown_pages(table), "order-2.html", "order-3.html"))

        assert lesson.pack.attachments.count is None
        assert any("No order without attachments was shown" in doubt for doubt in lesson.doubts)
        assert lesson.pack.notices != ()

    def test_a_number_in_a_text_is_no_mark_of_an_empty_list(self) -> None:
        lesson = lesson_of(shown_pages(taught_portal("shadow")))

        assert lesson.pack.attachments.empty is None  # "0 files" is in "10 files"
        assert lesson.pack.attachments.count is not None

    def test_what_happens_to_be_on_an_order_without_files_alone_is_no_mark_of_an_empty_list(self) -> None:
        lesson = lesson_of(changed_supplier(shown_pages(further_portal("paged"))))

        assert lesson.pack.attachments.empty is None  # neither its supplier, nor the words around the list
        assert lesson.pack.attachments.count is not None

    def test_the_number_of_files_on_one_page_of_several_is_not_their_count(self) -> None:
        pages = replaced(shown_pages(further_portal("paged")), ">3 files<", ">2 files<")

        lesson = lesson_of(pages)

        assert lesson.pack.attachments.count is None
        assert any("a list cut short is not noticed" in doubt for doubt in lesson.doubts)

    def test_an_answered_request_is_the_sign_where_nothing_else_is(self, table: TaughtPortal) -> None:
        pages = replaced(shown_pages(table), "This order has no documents.", "")
        pages = [
            {**page, "source": page["source"].replace("Documents (", "Documents <!--").replace(")</h2>", "--></h2>")}
            for page in pages
        ]
        for number in (1, 2, 3):
            pages = changed(pages, f"order-{number}.html", requests=[f"/api/450001000{number}/files?x=1"])

        lesson = lesson_of(pages)

        assert lesson.pack.attachments.answered == (r"^/api/[^/?]+/files(?:\?|$)",)
        assert lesson.problems == ()


class TestMarks:
    def test_a_number_that_is_told_like_an_order_is_told(self, table: TaughtPortal) -> None:
        pages = shown_pages(table)
        home = next(page for page in pages if page["file"] == "home.html")

        lesson = lesson_of(changed(pages, "missing.html", source=home["source"], status=200))

        assert any("missing.html: nothing tells this page (not_found)" in doubt for doubt in lesson.doubts)
        assert any(problem.startswith("missing.html: it is read as") for problem in lesson.problems)

    def test_an_order_on_the_page_of_another_one_is_told(self, table: TaughtPortal) -> None:
        pack = lesson_of(shown_pages(table)).pack
        observations, sources = observed(changed(shown_pages(table), "order-2.html", number="4500010001"))

        problems = [text for seen in seen_pages(observations, sources) for text in problems_of(pack, table.url, seen)]

        assert problems == ["order-2.html: it is read as unknown, not as ready."]

    def test_the_address_of_a_login_page_counts_with_the_route_behind_it(self, table: TaughtPortal) -> None:
        pages = changed(shown_pages(table), "login.html", address="https://portal.test/signin")

        patterns = lesson_of(pages).pack.triage.session_lost[0].address

        (pattern,) = patterns
        assert [bool(re.search(pattern, path)) for path in ("/signin", "/signin#/orders/1", "/signing")] == [
            True,
            True,
            False,
        ]

    def test_the_number_of_the_page_is_no_part_of_its_mark(self, table: TaughtPortal) -> None:
        (marks,) = lesson_of(shown_pages(table)).pack.triage.not_found

        assert marks.text == ("could not be found",)
        assert marks.status == (404,)

    def test_hidden_texts_are_no_marks(self, table: TaughtPortal) -> None:
        pages = replaced(shown_pages(table), '<div class="flash error">Order', '<div class="flash error" hidden>Order')

        (marks,) = lesson_of(pages).pack.triage.not_found

        assert marks.text == ()

    def test_the_login_page_of_another_host_is_a_host_of_the_login(self, table: TaughtPortal) -> None:
        lesson = lesson_of(changed(shown_pages(table), "login.html", address="https://id.test/signin"))

        assert lesson.pack.login.hosts == ("id.test",)
        assert lesson.pack.login.form is None
        assert any("a person logs in by hand" in doubt for doubt in lesson.doubts)
        assert lesson.problems == ()

    def test_a_login_in_two_pages_has_a_step_for_each_field_and_button(self) -> None:
        lesson = lesson_of(shown_pages(further_portal("cells")))

        assert [(step.kind, step.selector, step.value, step.if_present) for step in lesson.pack.login.steps] == [
            ("fill", "input[name='user']", "{user}", True),  # a portal may know the user when a session has ended
            ("click", "form.step1 button", "", True),
            ("fill", "input[name='pass']", "{password}", False),
            ("click", "form.step2 button", "", False),
        ]
        assert LoginStep.FORM in lesson.pack.login.ladder
        assert lesson.problems == ()

    def test_the_address_of_an_order_that_asks_for_a_login_is_no_mark(self, table: TaughtPortal) -> None:
        address = "https://portal.test/orders/4500010009"

        lesson = lesson_of(changed(shown_pages(table), "login.html", address=address))

        (marks,) = lesson.pack.triage.session_lost
        assert (marks.address, marks.selector) == ((), ("input[name='pass']",))

    def test_a_server_that_asks_itself_is_logged_in_by_http(self) -> None:
        lesson = lesson_of(shown_pages(further_portal("basic")))

        login = lesson.pack.login
        assert login.http is not None
        assert (login.ladder, login.actions) == ((LoginStep.REVISIT,), ())
        assert any("POOLWRIGHT_USER" in doubt for doubt in lesson.doubts)
        assert not any("by hand" in doubt for doubt in lesson.doubts)
        assert [(marks.status, marks.address) for marks in lesson.pack.triage.session_lost] == [((401,), ())]
        assert lesson.problems == ()

    def test_a_refusal_with_status_401_and_no_challenge_is_left_to_a_person(self) -> None:
        lesson = lesson_of(changed(shown_pages(further_portal("basic")), "login.html", challenge=""))

        assert lesson.pack.login.http is None
        assert any("by hand" in doubt for doubt in lesson.doubts)

    def test_only_a_login_page_with_status_401_has_a_challenge(self, table: TaughtPortal) -> None:
        with pytest.raises(ValueError, match="has a challenge"):
            lesson_of(changed(shown_pages(table), "login.html", challenge="basic"))
        with pytest.raises(ValueError, match="has a challenge"):
            lesson_of(changed(shown_pages(table), "home.html", challenge="basic", status=401))

    def test_a_user_that_is_shown_beside_the_password_is_no_field(self) -> None:
        shown = '<p>anna</p><input name="who" value="anna" readonly>'
        lesson = lesson_of(replaced(shown_pages(further_portal("cells")), "<p>anna</p>", shown))

        assert lesson.pack.login.form is None
        assert len(lesson.pack.login.steps) == 4

    def test_a_page_of_a_login_with_two_fields_to_choose_from_is_left_to_a_person(self) -> None:
        pages = replaced(
            shown_pages(further_portal("cells")), "<label>User", '<input name="firm" type="text"><label>User'
        )

        lesson = lesson_of(pages)

        assert lesson.pack.login.steps == ()
        assert any("a person logs in by hand" in doubt for doubt in lesson.doubts)

    def test_a_text_of_the_login_page_is_no_mark_of_a_missing_order(self) -> None:
        pages = replaced(shown_pages(further_portal("cells")), "We have no such order", "")

        lesson = lesson_of(pages)

        (marks,) = lesson.pack.triage.not_found
        assert (marks.status, marks.text) == ((404,), ())
        without_status = lesson_of(changed(pages, "missing.html", status=200))
        assert any("missing.html: nothing tells this page (not_found)" in doubt for doubt in without_status.doubts)

    def test_the_first_page_of_a_login_alone_is_left_to_a_person(self, table: TaughtPortal) -> None:
        pages = replaced(shown_pages(table), '<label>Password <input name="pass" type="password"></label>', "")

        lesson = lesson_of(pages)

        assert lesson.pack.login.form is None
        assert [marks.selector for marks in lesson.pack.triage.session_lost] == [("input[name='user']",)]
        assert lesson.problems == ()


#: The pages of a server that draws its lists itself; an order without files has no list at all.
SERVED_HEAD = "<html><body><div id=top>Purchasing</div>"
SERVED_FORM = "<form action=/in><input name=who><input type=password name=word><button>In</button></form></body></html>"


def served_order(number: str, supplier: str, *files: str, events: int = 1, more: str = "") -> dict[str, Any]:
    rows = "".join(f"<li><a class=get href='/get/{number}/{file}'>{file}</a>" for file in files)
    box = (
        f"<div id=filebox><h3>Attachments <i class=count>({len(files)})</i></h3><ul>{rows}</ul></div>" if files else ""
    )
    history = f"<div id=past><h3>History <i class=count>({events})</i></h3></div>"
    body = f"<div id=order>Order {number}<table><tr><td class=by>{supplier}</td></tr></table>{more}{box}{history}</div>"
    values = {"attachments": list(files[:1])} if files else {}
    return {
        "file": f"{number}.html",
        "kind": "order",
        "number": number,
        "supplier": supplier,
        "served": True,
        "address": f"https://portal.test/po/{number}",
        "source": f"{SERVED_HEAD}{body}<div id=foot>Help</div></body></html>",
        **values,
    }


def served_pages(*without: dict[str, Any]) -> list[dict[str, Any]]:
    def page(file: str, kind: str, path: str, body: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - keys of a page
        return {
            "file": file,
            "kind": kind,
            "address": f"https://portal.test{path}",
            "source": SERVED_HEAD + body,
            **more,
        }

    return [
        page("login.html", "login", "/enter?next=me", SERVED_FORM),
        page("home.html", "home", "/me", "<div id=mine>Hello</div></body></html>"),
        served_order("101", "Acme Ltd", "a.pdf", "b.pdf", events=3),
        served_order("102", "Nordwind GmbH", "c.pdf", events=2),
        *(without or [served_order("103", "Globex Corporation", events=0)]),
        page("missing.html", "not_found", "/po/999", "<h1>Unknown order</h1></body></html>", number="999", status=404),
    ]


def empty_list(lesson: Lesson) -> str:
    """The selector of a list without files, where no words say so."""
    empty = lesson.pack.attachments.empty
    assert empty is not None
    assert empty.text == ()
    (selector,) = empty.selector
    return selector


class TestServedLists:
    def test_an_order_without_a_list_is_one_without_attachments_if_its_page_has_no_file(self) -> None:
        lesson = lesson_of(served_pages())

        assert lesson.problems == ()
        assert lesson.pack.attachments.settled == ()
        assert empty_list(lesson) == "#order:not(:has(li))"
        assert any("there without any (#order:not(:has(li)))" in doubt for doubt in lesson.doubts)
        assert "None are meant by #order:not(:has(li))." in lesson.findings

    def test_the_closest_element_that_every_order_has_around_its_files_is_its_list(self) -> None:
        pages = served_pages(served_order("103", "Globex Corporation", events=0, more="<div id=filebox></div>"))

        assert empty_list(lesson_of(pages)) == "#filebox:not(:has(li))"
        hidden = replaced(pages, "<div id=filebox></div>", "<div id=filebox hidden></div>")
        assert empty_list(lesson_of(hidden)) == "#order:not(:has(li))"

    @pytest.mark.parametrize(
        ("more", "inside"),
        [("", "li"), ("<ul><li>Item</ul>", "a"), ("<ul><li><a class=item href=/item>Item</a></ul>", "a.get")],
    )
    def test_an_empty_list_lacks_what_any_file_has_before_it_lacks_the_learned_links(
        self, more: str, inside: str
    ) -> None:
        pages = served_pages(served_order("103", "Globex Corporation", events=0, more=more))

        assert empty_list(lesson_of(pages)).endswith(f":not(:has({inside}))")

    def test_a_list_that_a_script_may_bring_later_is_not_believed_to_be_empty(self) -> None:
        lesson = lesson_of(changed(served_pages(), "102.html", served=False))

        assert lesson.pack.attachments.empty is None
        assert any("add served = true" in doubt for doubt in lesson.doubts)
        assert any("has no sign of an empty list" in problem for problem in lesson.problems)

    def test_what_is_beside_the_files_of_any_order_is_no_list(self) -> None:
        pages = replaced(served_pages(), "<div id=order>", "<div>")
        (order,) = [page for page in pages if page["file"] == "102.html"]
        moved = (
            order["source"]
            .replace("<a class=get", "</ul></div><div><ul><a class=get")
            .replace("<div id=past>", "<div id=order></div><div id=past>")
        )

        assert lesson_of(changed(pages, "102.html", source=moved)).pack.attachments.empty is None

    @pytest.mark.parametrize(
        "frame",
        [
            "<div id=foot>",
            "<div id=pageFooter>",
            "<div class='page footer'>",
            "<nav id=all>",
            "<div role=contentinfo>",
        ],
    )
    def test_the_frame_of_the_portal_is_no_list(self, frame: str) -> None:
        lesson = lesson_of(replaced(served_pages(), "<div id=order>", frame))

        assert lesson.pack.attachments.empty is None
        assert any("will end as portal_changed" in doubt for doubt in lesson.doubts)

    @pytest.mark.parametrize("file", ["home.html", "missing.html", "login.html"])
    def test_nor_is_what_another_kind_of_page_shows_too(self, file: str) -> None:
        pages = served_pages()
        (other,) = [page for page in pages if page["file"] == file]

        lesson = lesson_of(
            changed(pages, file, source=other["source"].replace("</body>", "<div id=order>Help</div></body>"))
        )

        assert lesson.pack.attachments.empty is None

    def test_a_class_of_the_layout_is_no_name_of_a_part(self) -> None:
        pages = replaced(served_pages(), "<div id=order>", "<div id=order class='no-sidebar hasMenu'>")

        assert empty_list(lesson_of(pages)) == "#order:not(:has(li))"

    def test_words_of_the_order_itself_do_not_mean_that_there_are_no_attachments(self) -> None:
        lesson = lesson_of(
            served_pages(served_order("103", "Globex Corporation", more="<p class=note>Deliver soon</p>"))
        )

        assert empty_list(lesson) == "#order:not(:has(li))"

    @pytest.mark.parametrize(
        "more",
        [
            "<p class=note>Nothing was attached</p>",
            "<p class=note>Keine Anlagen vorhanden</p>",
            "<p class=note>\u041d\u0435\u0442 \u0444\u0430\u0439\u043b\u043e\u0432 \u0442\u0443\u0442</p>",
            "<p class=no-files>Just the order</p>",
        ],
    )
    def test_words_or_names_for_nothing_do(self, more: str) -> None:
        lesson = lesson_of(served_pages(served_order("103", "Globex Corporation", more=more)))

        assert lesson.pack.attachments.empty is not None
        assert lesson.pack.attachments.empty.text
        assert lesson.problems == ()

    def test_so_does_what_several_orders_without_attachments_all_say(self) -> None:
        said = "<p class=note>Just the order</p>"
        two = [served_order("103", "Globex Corporation", more=said), served_order("104", "Initech Inc", more=said)]

        lesson = lesson_of(served_pages(*two))

        assert lesson.pack.attachments.empty is not None
        assert lesson.pack.attachments.empty.text == ("Just the order",)
        assert empty_list(lesson_of(served_pages(two[0]))) == "#order:not(:has(li))"

    def test_the_count_of_another_list_is_none_of_attachments(self) -> None:
        lesson = lesson_of(served_pages())

        assert lesson.pack.attachments.count is not None
        assert lesson.pack.attachments.count.selector == "#filebox i.count"

    def test_a_count_that_two_places_agree_on_is_taken_from_the_one_of_the_attachments(self) -> None:
        pages = served_pages()
        pages[2], pages[3] = (
            served_order("101", "Acme Ltd", "a.pdf", "b.pdf", events=2),
            served_order("102", "Nordwind GmbH", "c.pdf", events=1),
        )

        lesson = lesson_of(replaced(pages, "<div id=past>", "<div>"))

        assert lesson.pack.attachments.count is not None
        assert lesson.pack.attachments.count.selector == "#filebox i.count"

    @pytest.mark.parametrize(
        ("old", "new", "served"),
        [
            ("", "", True),
            ("<h3>Attachments", "<h3>Files", True),
            ("/get/101/b.pdf", "/get/101/other.pdf", False),
            ("/get/101/a.pdf", "#", False),
            ("<body>", "<body><base href=/elsewhere/>", True),
        ],
    )
    def test_a_list_is_served_if_the_source_has_all_addresses_of_its_files(
        self, old: str, new: str, served: bool
    ) -> None:
        observations, sources = observed([served_order("101", "Acme Ltd", "a.pdf", "b.pdf")], is_whole=False)
        (seen,) = seen_pages(observations, sources)

        assert is_served(seen, sources["101.html"].replace(old, new)) is served

    def test_a_list_whose_files_have_no_address_is_not(self) -> None:
        order = served_order("101", "Acme Ltd", "a.pdf")
        order["source"] = order["source"].replace("href='/get/101/a.pdf'", "onclick='get(1)'")
        observations, sources = observed([order], is_whole=False)
        (seen,) = seen_pages(observations, sources)

        assert not is_served(seen, sources["101.html"])

    def test_only_orders_are_served(self) -> None:
        with pytest.raises(ValidationError, match=r"only pages of kind 'order' have .* served"):
            lesson_of(changed(served_pages(), "home.html", served=True))


class TestPairsOfLinks:
    @pytest.mark.parametrize(("own", "is_told_apart"), [("class=download", True), ("class=show", False)])
    def test_a_name_on_two_links_of_a_row_means_the_one_that_downloads(self, own: str, is_told_apart: bool) -> None:
        pages = served_pages()
        for page in pages:
            page["source"] = re.sub(
                r"<a class=get href='/get/\d+/([^']*)'>[^<]*</a>",
                rf"<a class=view href='/files/\1'>\1</a> <a {own} href='/get/\1'>\1</a>",
                page["source"],
            )

        if is_told_apart:
            assert lesson_of(pages).pack.attachments.links == ("a.download",)
        else:
            with pytest.raises(ObservationError, match="is on 2 elements that can be clicked"):
                lesson_of(pages)


class TestLanguages:
    def titled(self, *, address: str, title: str = "Download") -> list[dict[str, Any]]:
        pages = served_pages()
        for page in pages:
            page["source"] = re.sub(
                r"<a class=get href='/get/\d+/([^']*)'>[^<]*</a>",
                rf"<a title='{title}' href='{address}'>\1</a><a title=Preview href='/show/view-\1'>Look</a>",
                page["source"],
            ).replace("<html>", "<html lang=en-GB>")
        return pages

    def test_marks_without_words_are_preferred(self) -> None:
        lesson = lesson_of(self.titled(address=r"/get/\1"))

        assert lesson.pack.attachments.links == ("a[href*='/get/']",)
        assert not any("words of the language" in doubt for doubt in lesson.doubts)

    def test_links_that_only_words_tell_hold_for_one_language_and_prove_no_empty_list(self) -> None:
        lesson = lesson_of(self.titled(address=r"/show/\1"))

        assert lesson.pack.attachments.links == ("a[title='Download']",)
        assert lesson.pack.attachments.settled == ()
        (doubt,) = [doubt for doubt in lesson.doubts if "words of the language" in doubt]
        assert "that was shown (en): 'Download'." in doubt
        assert doubt in lesson.text

    def test_a_request_is_no_proof_either(self) -> None:
        shown = self.titled(address=r"/show/\1")
        pages = [
            {**page, "requests": [f"/api/{page['number']}"]} if page["kind"] == "order" else page for page in shown
        ]
        plain = replaced(pages, "title=", "class=")

        assert lesson_of(pages).pack.attachments.answered == ()
        assert lesson_of(plain).pack.attachments.answered == (r"^/api/[^/?]+(?:\?|$)",)

    def test_a_page_in_another_language_adds_its_words(self) -> None:
        pages = self.titled(address=r"/show/\1")
        other = self.titled(address=r"/show/\1", title="Herunterladen")[3]
        other["source"] = re.sub(r"(<a title='H.*?</a>)(<a title=P.*?</a>)", r"\2\1", other["source"])
        other["source"] = other["source"].replace("en-GB", "de")

        lesson = lesson_of([*pages[:3], other, *pages[4:]])

        assert lesson.pack.attachments.links == ("a[title='Download']", "a[title='Herunterladen']")
        assert not any("102.html" in problem for problem in lesson.problems)
        assert any("(de, en)" in doubt for doubt in lesson.doubts)

    def test_words_of_other_marks_are_told_at_the_top_and_as_a_finding(self) -> None:
        more = "<p class=note>Nothing was attached</p>"
        pages = served_pages(served_order("103", "Globex Corporation", more=more))

        lesson = lesson_of(pages)

        (note,) = [text for text in lesson.findings if "in the language that was shown" in text]
        assert "it knows 'Nothing was attached' by the words" in note
        assert f"# {note}" in lesson.text.splitlines()[1]
        assert not any("words of the language" in doubt for doubt in lesson.doubts)

    def test_a_refusal_with_a_status_of_its_own_needs_no_words(self) -> None:
        by_status, by_words = served_pages(), changed(served_pages(), "missing.html", status=200)

        assert not any("by the words" in text for text in lesson_of(by_status).findings)
        assert any("it knows 'Unknown order' by the words" in text for text in lesson_of(by_words).findings)


class TestStart:
    def test_the_login_begins_at_the_form_if_pages_without_a_login_do_not_lead_there(self) -> None:
        nobody = {
            "file": "nobody.html",
            "kind": "login",
            "address": "https://portal.test/me",
            "source": f"{SERVED_HEAD}<p id=hint>You are not logged in</p></body></html>",
        }
        lesson = lesson_of([*served_pages(), nobody])

        assert lesson.pack.login.start == "/enter?next=me"
        assert lesson.problems == ()
        assert lesson_of(served_pages()).pack.login.start == "/me"


class TestNumbers:
    def test_letters_and_signs_are_kept_as_they_are_written(self) -> None:
        pages = shown_pages(taught_portal("shadow"))
        table = tomllib.loads(lesson_of(pages).text)

        assert table["schema"] == 2
        assert not {"case", "separators"} & table["numbers"].keys()

    def test_blanks_and_hyphens_in_digits_are_those_of_people(self, table: TaughtPortal) -> None:
        rules = lesson_of(shown_pages(table)).pack.numbers

        number = parse_number("45000-10001", rules)

        assert isinstance(number, OrderNumber)
        assert number.portal_number == "4500010001"

    @pytest.mark.parametrize(
        ("paths", "order"),
        [
            ({"17": "/po17", "18": "/po18"}, "/po{number}"),
            ({"17": "/v17/po17"}, "/v17/po{number}"),
            ({"1": "/po/1?tab=1", "2": "/po/2?tab=1"}, "/po/{number}?tab=1"),
            ({"1": "/po1/1", "2": "/po1/2"}, "/po1/{number}"),
            ({"PO17": "/po/PO17"}, "/po/{number}"),
            ({"PO 17": "/po/17"}, "/po/{number}"),
        ],
    )
    def test_the_number_stands_where_the_addresses_of_all_orders_have_theirs(
        self, paths: dict[str, str], order: str
    ) -> None:
        found = order_address([_order_at(number, path) for number, path in paths.items()], [])

        assert found.order == order
        assert found.base_url == "https://portal.test:8617"

    @pytest.mark.parametrize("path", ["/po/171", "/po/x17y", "/po/"])
    def test_a_number_within_another_word_is_none(self, path: str) -> None:
        with pytest.raises(ObservationError, match="does not contain the number 17"):
            order_address([_order_at("17", path)], [])

    def test_orders_at_different_places_are_refused(self) -> None:
        with pytest.raises(
            ObservationError, match=r"different kinds of addresses, .*/a/\{number\} and .*/b/\{number\}"
        ):
            order_address([_order_at("1", "/a/1"), _order_at("2", "/b/2")], [])


def _order_at(number: str, path: str) -> SeenPage:
    page = ObservedPage(file="x.html", kind=ShownKind.ORDER, number=number, address=f"https://portal.test:8617{path}")
    return seen_pages(Observations.model_construct(title="x", pages=(page,)), {"x.html": "<html></html>"})[0]


class TestSupplier:
    def test_the_words_around_it_are_cut_off(self) -> None:
        lesson = lesson_of(shown_pages(taught_portal("buttons")))

        assert lesson.pack.fields["supplier"].pattern.startswith(r"\s*Supplier:")

    def test_nobody_has_to_show_it(self, table: TaughtPortal) -> None:
        pages = changed(shown_pages(table), "order-1.html", supplier="")

        lesson = lesson_of(changed(pages, "order-2.html", supplier=""))

        assert lesson.pack.fields == {}
        assert any("No supplier was pointed at" in doubt for doubt in lesson.doubts)

    def test_one_that_the_page_does_not_show_is_refused(self, table: TaughtPortal) -> None:
        with pytest.raises(ObservationError, match="does not show the supplier 'Nobody'"):
            lesson_of(changed(shown_pages(table), "order-1.html", supplier="Nobody"))


def test_files_on_another_host_are_named_in_the_pack(table: TaughtPortal) -> None:
    pages = replaced(shown_pages(table), 'href="/files/', 'href="https://files.test/files/')

    assert lesson_of(pages).pack.site.hosts == ("files.test",)


def test_files_on_another_host_without_https_are_told(table: TaughtPortal) -> None:
    pages = replaced(shown_pages(table), 'href="/files/', 'href="http://files.test/files/')

    assert any("without HTTPS" in doubt for doubt in lesson_of(pages).doubts)


def test_a_home_page_on_another_host_is_refused(table: TaughtPortal) -> None:
    with pytest.raises(ObservationError, match=r"home.html: the page after the login is on another host"):
        lesson_of(changed(shown_pages(table), "home.html", address="https://other.test/start"))


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Acme Ltd (1042)", "Acme Ltd"),
        ("Supplier: Acme Ltd", "Acme Ltd"),
        ("Acme (North)", "Acme (North)"),
        ("Re: Acme", "Re: Acme"),
    ],
)
def test_a_supplier_is_its_name_alone(shown: str, name: str) -> None:
    page = ObservedPage.model_validate({"file": "x", "kind": "order", "number": "1", "supplier": shown})

    assert page.supplier_name == name


class TestClientsThatTalkByCalls:
    def test_calls_that_read_are_listed_and_those_that_change_something_are_told(self) -> None:
        lesson = lesson_of(shown_pages(portal_by_name("calls")))

        [post] = tomllib.loads(lesson.text)["site"]["posts"]
        assert post["body"]["method"] == ["attachment.search", "order.read", "presence.beat", "session.get"]
        assert any("stay blocked: order.mark_seen" in doubt for doubt in lesson.doubts)
        assert any("only read; site.posts allows them: presence.beat" in doubt for doubt in lesson.doubts)

    def test_a_place_in_a_body_is_written_as_a_key_of_the_pack(self) -> None:
        call = {"address": "https://portal.test/client/rpc", "body": {"params.method": ["read"], "*.op": ["it's \\ x"]}}
        pages = [
            page if page["kind"] == "login" else {**page, "calls": [call]}
            for page in shown_pages(portal_by_name("calls"))
        ]
        [post] = lesson_of(pages).pack.site.posts

        assert isinstance(post, PostRule)
        assert post.body == {"*.op": ("it's \\ x",), "params.method": ("read",)}

    def test_a_row_with_a_name_and_one_button_is_shown_by_its_name(self) -> None:
        lesson = lesson_of(shown_pages(portal_by_name("blobs")))

        assert lesson.pack.attachments.clicks == ("button.fetch",)
        assert lesson.pack.attachments.names[1] == ElementText(closest="tr", selector="td.file-name")


class TestSearches:
    def test_a_search_becomes_a_table_of_the_pack(self) -> None:
        lesson = lesson_of(shown_pages(portal_by_name("posted")))
        find = lesson.pack.site.find

        assert find is not None
        assert (find.page, find.links, find.text) == ("/find", ("a[href*='/po/']",), ("{number}",))
        assert [(step.action, step.target, step.until) for step in find.steps] == [
            ("fill", "input[name='q']", None),
            ("click", "button[name='act']", "table.hits, p.none"),
        ]
        assert find.row is not None
        assert (find.row.closest, find.row.selector) == ("tr", "td.no")
        assert lesson.pack.site.order == "/po/"
        assert [*lesson.pack.triage.not_found[0].status] == [404]
        assert lesson.findings[1] == "They are searched on /find; the results are a[href*='/po/']."

    def test_a_page_of_the_search_that_is_read_in_another_way_is_told(self) -> None:
        pages = shown_pages(portal_by_name("posted"))
        lesson = lesson_of(pages)
        [search] = [page for page in pages if page["kind"] == "search"]
        [results] = [page for page in pages if page["kind"] == "results"]

        def told(page: dict[str, Any], source: str) -> list[str]:
            observations, sources = observed([{**page, "source": source}], is_whole=False)
            return problems_of(lesson.pack, "https://portal.test", seen_pages(observations, sources)[0])

        assert told(search, search["source"]) == []
        assert told(search, "<p>Down</p>") == ["search.html: it is read as unknown, and not as a page of the search."]
        assert told(results, search["source"]) == ["results.html: 0 results say exactly 4500010001, and not one."]

    def test_an_address_without_the_number_and_no_search_is_refused(self) -> None:
        pages = [page for page in shown_pages(portal_by_name("posted")) if page["kind"] != "results"]

        with pytest.raises(ObservationError, match=r"does not contain the number 4500010001\..*how you search"):
            lesson_of(pages)

    def test_addresses_with_the_number_go_before_a_search(self, table: TaughtPortal) -> None:
        search = {"file": "s.html", "kind": "results", "number": "4500010001", "address": "https://portal.test/q"}
        lesson = lesson_of([*shown_pages(table), {**search, "source": "<p>4500010001</p>"}])

        assert (lesson.pack.site.find, lesson.pack.site.order) == (None, "/orders/{number}")
        assert lesson.problems == ()
        assert any("the search that was shown is not needed" in doubt for doubt in lesson.doubts)


def test_a_refusal_in_place_is_told_from_a_log_out_that_looks_the_same(table: TaughtPortal) -> None:
    pages = refusing_in_place(table, "<p id=note class=notice>You are not logged in. Log in now</p>")
    lesson = lesson_of(pages)

    (lost,), (forbidden,) = lesson.pack.triage.session_lost, lesson.pack.triage.forbidden
    assert lesson.problems == ()
    assert (forbidden.status, forbidden.text) == ((403,), ("You may not see this order",))
    (excluded,) = forbidden.none_of
    assert (excluded.selector, excluded.text) == (lost.selector, lost.text)
    assert "You are not logged in. Log in now" in excluded.text


def test_a_refusal_that_looks_exactly_like_a_log_out_is_not_learned(table: TaughtPortal) -> None:
    with pytest.raises(
        ObservationError, match=r"^nobody\.html and forbidden\.html: nothing tells an order .*\(forbidden\)"
    ):
        lesson_of(refusing_in_place(table, ""))


def test_a_missing_order_that_looks_exactly_like_a_log_out_is_not_learned(table: TaughtPortal) -> None:
    pages = changed(refusing_in_place(table, ""), "nobody.html", status=404)
    (missing,) = [page for page in pages if page["kind"] == "not_found"]
    (nobody,) = [page for page in pages if page["file"] == "nobody.html"]
    pages = changed(pages, "missing.html", status=404, source=nobody["source"])

    with pytest.raises(ObservationError, match=r"nobody\.html and missing\.html: .*\(not_found\)"):
        lesson_of(pages)
    assert missing["number"]


def counted_by(places: str, without: str) -> list[dict[str, Any]]:
    """Orders whose number of files stands where ``{count}`` is."""
    counts = {"101.html": 2, "102.html": 1, "103.html": 0}
    pages = [page for page in served_pages() if page["file"] in counts]
    for page in pages:
        count = counts[page["file"]]
        told = (places if count else without).format(count=count)
        bare = re.sub("<i class=count>.*?</i>", "", page["source"])
        page["source"] = bare.replace("<div id=foot>", f"{told}<div id=foot>")
    return [*pages, *(page for page in served_pages() if page["file"] not in counts)]


def test_a_count_in_a_title_goes_before_one_that_is_missing_where_there_are_no_files() -> None:
    places = "<a id=clip title='Files'>-</a><i id=clip title='Files ({count})'><b class=file-badge>{count}</b></i>"
    hidden = places.replace("<a id", "<a hidden id")

    lesson = lesson_of(counted_by(hidden, hidden.replace(">{count}<", "><")))

    assert lesson.problems == ()
    count = lesson.pack.attachments.count
    assert count is not None
    assert (count.selector, count.attribute) == ("#clip", "title")


@pytest.mark.parametrize(
    ("buttons", "sent"),
    [
        ("<button type=button>Reset forgotten password</button><button type=button title=OK>OK</button>", "click"),
        ("<button type=button>Cancel</button><button type=button title=OK>OK</button>", "click"),
        ("<button type=button>Language</button><button type=button title=OK>OK</button>", "press"),
    ],
)
def test_a_login_presses_no_button_that_does_something_else(buttons: str, sent: str) -> None:
    pages = shown_pages(further_portal("cells"))
    (password,) = [page for page in pages if page["file"] == "password.html"]
    source = re.sub(r"<button.*?</button>", buttons, password["source"])
    assert source != password["source"]

    *_, last = lesson_of(changed(pages, "password.html", source=source)).pack.login.steps

    assert last.kind == sent
    assert (last.selector == "button[title='OK']") == (sent == "click")
