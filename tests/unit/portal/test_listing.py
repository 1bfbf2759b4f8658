"""An empty list counts only when the page says that it is empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from poolwright.portal.pack_schema import ArchivePolicy, AttachmentRules, NoAttachmentsMark
from poolwright.portal.step_schema import ResultRules
from poolwright.portal.triage import AttachmentListFacts, describe_documents, emptiness_note, incompleteness_reason

PLAIN = AttachmentRules(links=("a",))
SIGNED = AttachmentRules(links=("a",), settled=("#done",))
SHAPED = AttachmentRules.model_validate({"links": ["a"], "empty": {"selector": ["ul:not(:has(a))"]}})
UNPACKED = AttachmentRules(links=("a",), archive=ArchivePolicy.UNPACK)
ASKED = AttachmentRules.model_validate({"api": {"request": "^/api/files", "template": "/f/{id}"}})
_BOTH_BLOCKED = (
    " Blocked requests: POST /rpc; each is sent if the portal pack names it in site.posts. Blocked requests: GET "
    "http://a, HEAD http://b, OPTIONS http://c; each is sent if the portal pack names its host in site.hosts."
)


def seen(**what: Any) -> AttachmentListFacts:  # noqa: ANN401 - facts by name
    """A page without a link, but for what is told."""
    return replace(AttachmentListFacts(link_count=0), **what)


@pytest.mark.parametrize(
    ("rules", "facts"),
    [
        (PLAIN, {"link_count": 2}),
        (PLAIN, {"link_count": 2, "count": 2}),
        (PLAIN, {"link_count": 2, "is_calm": False, "withheld": ["POST /x"], "unread": ["chat.test"]}),
        (SIGNED, {"link_count": 2, "is_settled": True}),
        (PLAIN, {"is_declared_empty": True}),
        (PLAIN, {"is_declared_empty": True, "count": 0, "unread": ["chat.test"]}),
        (PLAIN, {"is_answered": True}),
        (SIGNED, {"is_settled": True, "is_declared_empty": True}),
        (SHAPED, {"is_declared_empty": True}),
        (ResultRules(links=("a",), settled=("#done",)), {"is_settled": True}),
        (SHAPED, {"is_declared_empty": True, "count": 0, "documents": ["https://p.test/a.pdf"]}),
        (SIGNED, {"is_settled": True, "is_answered": True, "withheld": ["POST /statistics"]}),
        (PLAIN, {"is_declared_empty": True, "documents": ["https://p.test/a.pdf"]}),
    ],
)
def test_what_the_page_vouches_for_is_believed(rules: AttachmentRules, facts: dict[str, Any]) -> None:
    assert incompleteness_reason(rules, seen(**facts)) == ""


@pytest.mark.parametrize(
    ("rules", "facts", "said"),
    [
        (PLAIN, {}, "has no sign of an empty list (set one in the portal pack: attachments.empty, count or answered)."),
        (SIGNED, {"is_settled": True}, 'empty = { selector = "#done:not(:has(a, button, li, td))" }).'),
        (
            AttachmentRules(links=("a",), settled=('[title="x"]', "#other")),
            {"is_settled": True},
            "For a list that comes with the page: empty = { selector = '[title=\"x\"]:not(:has(a, button, li, td))' }",
        ),
        (PLAIN, {"is_in_time": False}, "has no sign of an empty list"),
        (PLAIN, {"withheld": ["POST https://p.test/rpc"]}, "Blocked requests: POST https://p.test/rpc; each is sent"),
        (PLAIN, {"withheld": ["POST /rpc", "GET http://a", "HEAD http://b", "OPTIONS http://c"]}, _BOTH_BLOCKED),
        (PLAIN, {"withheld": ["GET http://10.0.0.1/x"]}, "). Blocked requests: GET http://10.0.0.1/x; each is"),
        (PLAIN, {"unread": ["b.test", "a.test", "a.test"]}, "a frame of another host (a.test, b.test)"),
        (PLAIN, {"is_calm": False, "is_answered": True}, "still waits for a response from the portal"),
        (SIGNED, {"is_settled": True, "is_calm": False}, "still waits for a response from the portal"),
        (SIGNED, {}, "did not arrive in time"),
        (SHAPED, {"is_declared_empty": True, "is_calm": False}, "still waits for a response from the portal"),
        (SHAPED, {"is_declared_empty": True, "unread": ["chat.test"]}, "some of it could not be read"),
        (SHAPED, {"is_declared_empty": True, "documents": ["https://p.test/a.pdf"]}, "viewer (p.test/a.pdf) was not"),
        (SIGNED, {"is_settled": True, "unread": ["chat.test"]}, "some of it could not be read"),
        (SIGNED, {"is_settled": True, "documents": ["https://p.test/a.pdf?key=1"]}, "viewer (p.test/a.pdf) was not"),
        (PLAIN, {"is_answered": True, "documents": ["data:"]}, "an address of the page itself, data:"),
        (PLAIN, {"documents": [f"https://p.test/{n}" for n in range(5)]}, "p.test/2 and 2 more) was not downloaded"),
        (SIGNED, {"link_count": 2}, "did not arrive in time"),
        (PLAIN, {"link_count": 2, "is_in_time": False}, "did not arrive in time"),
        (PLAIN, {"link_count": 2, "count": 3}, "announces 3 attachments but shows 2"),
        (SIGNED, {"link_count": 0, "count": 3, "is_settled": True}, "announces 3 attachments but shows 0"),
    ],
)
def test_what_it_does_not_vouch_for_is_doubted(rules: AttachmentRules, facts: dict[str, Any], said: str) -> None:
    assert said in incompleteness_reason(rules, seen(**facts))


@pytest.mark.parametrize(
    ("rules", "facts", "is_told"),
    [
        (SHAPED, {"is_declared_empty": True}, True),
        (SHAPED, {"is_declared_empty": True, "link_count": 1}, False),
        (SHAPED, {"is_declared_empty": True, "count": 0}, False),
        (SHAPED, {"is_answered": True}, False),
        (SHAPED, {"is_api_read": True}, False),
        (PLAIN, {"is_declared_empty": True}, False),
        (
            AttachmentRules.model_validate({"links": ["a"], "empty": {"selector": [".none"]}}),
            {"is_declared_empty": True},
            False,
        ),
    ],
)
def test_an_empty_list_that_the_page_does_not_put_into_words_is_told(
    rules: AttachmentRules, facts: dict[str, Any], *, is_told: bool
) -> None:
    told = "the page does not say that there are no attachments, the list of attachments.empty is there without any"

    assert emptiness_note(rules, seen(**facts)) == (told if is_told else "")


@pytest.mark.parametrize(
    ("selector", "is_by_shape"),
    [
        (".none", False),
        ("ul.files:not(.loading)", False),
        ("ul.files:has(li.none)", False),
        ("ul.files:empty", True),
        ("ul.files:not(:has(a))", True),
        ("ul.files:NOT( :has(a))", True),
        ("div:has(> ul:not(.full))", True),
    ],
)
def test_a_selector_that_matches_what_is_missing_is_one_of_a_shape(selector: str, *, is_by_shape: bool) -> None:
    assert NoAttachmentsMark(selector=(".more", selector)).is_by_shape is is_by_shape


@pytest.mark.parametrize(
    ("selector", "link", "lacks"),
    [
        ("ul:not(:has(a.file))", "a.file", True),
        ("ul:not(:has(li))", "a.file", False),
        ("ul:not(:has(a, button))", "a", False),
        ("ul.none:has(a.file)", "a.file", False),
    ],
)
def test_a_shape_that_lacks_a_link_of_the_pack_is_found(selector: str, link: str, *, lacks: bool) -> None:
    assert NoAttachmentsMark(selector=(selector,)).lacks(link) is lacks


_NO_SIGN = (
    "The page shows no attachments, but has no sign of an empty list (set one in the portal pack: attachments.empty, "
    "count or answered)."
)
_UNREAD = "It has a frame of another host (a.test, b.test), which is read if the portal pack names it in site.hosts."
_VIEWER = (
    "A document in a viewer (p.test/a.pdf, p.test/b.pdf) was not downloaded; it is if the portal pack names its "
    "element, such as object, embed or iframe, in attachments.links, or what saves it in attachments.clicks."
)
_POSTS = "Blocked requests: POST /a, PUT /b; each is sent if the portal pack names it in site.posts."
_HINTED = {
    "unread": ["b.test", "a.test"],
    "documents": ["https://p.test/a.pdf", "https://p.test/b.pdf"],
    "withheld": ["POST /a", "PUT /b"],
}


@pytest.mark.parametrize(
    ("rules", "facts", "sentence"),
    [
        (ASKED, {}, "No response to a request of the page lists the files as attachments.api of the portal pack says."),
        (SIGNED, {}, "The list of attachments did not arrive in time."),
        (PLAIN, {"link_count": 2, "is_in_time": False}, "The list of attachments did not arrive in time."),
        (PLAIN, {"link_count": 2, "count": 3}, "The page announces 3 attachments but shows 2."),
        (PLAIN, {}, _NO_SIGN),
        (
            PLAIN,
            {"is_calm": False},
            "The page shows no attachments and still waits for a response from the portal.",
        ),
    ],
)
def test_a_doubt_is_one_sentence(rules: AttachmentRules, facts: dict[str, Any], sentence: str) -> None:
    assert incompleteness_reason(rules, seen(**facts)) == sentence


@pytest.mark.parametrize(
    ("rules", "facts", "sentence"),
    [
        (
            ASKED,
            {"link_count": 2},
            "No response to a request of the page lists the files as attachments.api of the portal pack says.",
        ),
        (PLAIN, {}, "The page shows no attachments, but some of it could not be read."),
        (PLAIN, {"count": 3}, "The page announces 3 attachments but shows 0."),
    ],
)
def test_all_that_may_be_the_cause_follows_a_doubt(
    rules: AttachmentRules, facts: dict[str, Any], sentence: str
) -> None:
    assert incompleteness_reason(rules, seen(**facts, **_HINTED)) == f"{sentence} {_UNREAD} {_VIEWER} {_POSTS}"


def test_a_document_in_a_viewer_is_told_in_two_sentences() -> None:
    facts = seen(is_settled=True, documents=_HINTED["documents"])

    assert incompleteness_reason(PLAIN, facts) == (
        f"The page shows no attachments, but a document in a viewer. {_VIEWER}"
    )


@pytest.mark.parametrize("facts", [{"is_api_read": True}, {"is_api_read": True, "link_count": 1}])
def test_a_response_that_lists_the_files_vouches_for_them(facts: dict[str, Any]) -> None:
    assert incompleteness_reason(ASKED, seen(**facts)) == ""


@pytest.mark.parametrize(
    ("rules", "link_count", "count", "is_believed"),
    [
        (UNPACKED, 1, 5, True),  # the files in it are counted when it is unpacked
        (UNPACKED, 2, 1, True),
        (UNPACKED, 0, 5, False),
        (UNPACKED, 1, 0, False),
        (PLAIN, 1, 5, False),
    ],
)
def test_what_is_in_an_archive_is_counted_later(
    rules: AttachmentRules, link_count: int, count: int, *, is_believed: bool
) -> None:
    reason = incompleteness_reason(rules, seen(link_count=link_count, count=count))

    assert reason == ("" if is_believed else f"The page announces {count} attachments but shows {link_count}.")


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, "p.test/0"),
        (3, "p.test/0, p.test/1, p.test/2"),
        (4, "p.test/0, p.test/1, p.test/2 and 1 more"),
    ],
)
def test_three_documents_are_named_and_the_others_counted(count: int, shown: str) -> None:
    documents = [f"https://p.test/{number}" for number in range(count)]

    assert describe_documents(documents).startswith(f"A document in a viewer ({shown}) was not downloaded; ")
