from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from poolwright.domain.errors import PoolError
from poolwright.domain.options import Courtesy, Skipped
from poolwright.domain.working_hours import WorkingHours
from poolwright.portal.pack import FieldRule, LoginStep, Pack, PackError, load, parse_json, parse_toml, shipped_names
from poolwright.portal.pack_schema import ArchivePolicy, MailPolicy, OtherHosts
from tests.unit.portal.authoring import FORM, without, written


def problems_of(text: str) -> tuple[str, ...]:
    """What an author is told about a file."""
    with pytest.raises(PackError) as caught:
        parse_toml(text, "acme.toml")
    return caught.value.problems


@pytest.mark.parametrize("name", shipped_names())
def test_every_pack_that_comes_along_is_valid_and_called_as_its_file(name: str) -> None:
    assert load(name).name == name


def test_coupa_and_the_demo_portal_come_along() -> None:
    assert shipped_names() == ("coupa", "demo")


def test_the_least_pack_has_sensible_rules_for_the_rest() -> None:
    pack = parse_toml(written(), "acme.toml")

    assert pack.site.base_url == ""
    assert pack.login.start == "/"
    assert [marks.status for marks in pack.triage.busy] == [(429, 503)]
    assert pack.attachments.address_attributes == ("href", "data-url")
    assert (pack.limits.page_s, pack.limits.quiet_ms, pack.limits.stall_s) == (30.0, 600, 30.0)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        # a word that no table knows
        ({"colour": "red"}, "colour: it is not a key at the top of a pack; allowed are schema, name, title, numbers,"),
        (
            {"triage.ready.colour": "red"},
            "triage.ready.colour: it is not a key of [triage.ready]; allowed are address,",
        ),
        ({"triage.redy": {"status": [200]}}, "triage.redy: it is not a key of [triage]; allowed are session_lost,"),
        (
            {"fields.total": {"selector": ["#t"], "colour": 1}},
            "fields.total.colour: it is not a key of [fields.total]; allowed are selector, attribute, pattern",
        ),
        # what cannot be read as what it is
        (
            {"triage.session_lost.address": ["^/login", "("]},
            "triage.session_lost.address.1: '(' is not a valid regular expression: missing )",
        ),
        (
            {"fields.total": {"selector": ["#t"], "pattern": "[a"}},
            "fields.total.pattern: '[a' is not a valid regular expression: unterminated character set at position",
        ),
        ({"site.probe": "po"}, "site.probe: 'po' must start with a slash: it is taken below base_url"),
        (
            {"site.base_url": "portal.test"},
            (
                "site.base_url: 'portal.test' is not a valid address: it must start with https:// or http:// "
                "and contain no ? or #"
            ),
        ),
        (
            {"site.hosts": ["https://files.test/"]},
            "site.hosts.0: 'https://files.test/' must be a bare host name, such as files.portal.test",
        ),
        ({"triage.ready.status": ["fine"]}, "triage.ready.status.0: it must be a valid integer, unable to parse"),
        # what would match nothing, or everything
        ({"triage.ready.selector": [" "]}, "triage.ready.selector.0: an empty selector matches nothing"),
        ({"triage.session_lost.address": [""]}, "triage.session_lost.address.0: an empty text is on every page"),
        (
            {"triage.not_found.text": ["  "], "triage.not_found.within": ["h1"]},
            "triage.not_found.text.0: an empty text is on every page",
        ),
        (
            {"triage.not_found.text": ["Oops"]},
            "triage.not_found: text needs within: the same words may be in an order's own comments",
        ),
        ({"triage.forbidden": {}}, "triage.forbidden: it has no marks, so it would never match"),
        ({"triage.ready": {"within": ["h1"]}}, "triage.ready: it has no marks, so it would never match"),
        # what is not enough
        ({"site.order": "/po"}, "site: order must contain {number}"),
        ({"login.ladder": []}, "login.ladder: it must hold at least one"),
        ({"login.ladder": ["prayer"]}, "login.ladder.0: it must be 'revisit', 'sign_on', 'form', 'cookies' or 'human'"),
        (
            {"attachments.links": []},
            "attachments: it has neither links nor clicks nor api, so no attachment would be found",
        ),
        ({"fields.total": {"selector": []}}, "fields.total.selector: it must hold at least one"),
        # what is out of its range
        ({"limits.page_s": 0}, "limits.page_s: it must be greater than 0"),
        ({"limits.page_s": 301}, "limits.page_s: it must be less than or equal to 300"),
        ({"limits.stall_s": 301}, "limits.stall_s: it must be less than or equal to 300"),
        ({"limits.quiet_ms": 49}, "limits.quiet_ms: it must be greater than or equal to 50"),
        ({"limits.quiet_ms": 10_001}, "limits.quiet_ms: it must be less than or equal to 10000"),
        # what is of another time or name
        ({"schema": 3}, "schema: it is 3; this version of Poolwright reads 1 and 2"),
        ({"name": "Acme Inc."}, "name: 'Acme Inc.' must be lower-case letters, digits, - and _"),
        ({"name": "acme\n"}, "name: 'acme\\n' must be lower-case letters, digits, - and _"),
        ({"numbers.example": "45"}, "numbers: example '45' is not valid by pattern"),
    ],
)
def test_a_mistake_is_one_problem_with_its_place(changes: dict[str, Any], problem: str) -> None:
    [told] = problems_of(written(changes))

    assert told.startswith(problem)


@pytest.mark.parametrize(
    "place", ["schema", "name", "title", "numbers", "site.order", "login", "triage.session_lost", "triage.ready"]
)
def test_what_is_missing_is_named(place: str) -> None:
    [problem] = problems_of(without(place))

    assert problem.startswith(f"{place}: it is missing (line ")


def test_all_mistakes_are_told_at_once() -> None:
    told = problems_of(written({"site.probe": "po", "triage.ready.selector": [""], "colour": "red"}))

    assert [problem.split(":")[0] for problem in told] == ["site.probe", "triage.ready.selector.0", "colour"]


def test_the_schema_of_a_later_version_is_told_beside_its_unknown_words() -> None:
    told = problems_of(written({"schema": 3, "attachments.magic": True}))

    assert told[0] == "schema: it is 3; this version of Poolwright reads 1 and 2 (line 1, column 1)"


def test_a_form_may_be_told_with_and_without_its_rung() -> None:
    with_rung = parse_toml(written({"login.ladder": ["revisit", "form"], "login.form": FORM}), "acme.toml")
    without_rung = parse_toml(written({"login.form": FORM}), "acme.toml")

    assert with_rung.login.ladder == (LoginStep.REVISIT, LoginStep.FORM)
    assert without_rung.login.form == with_rung.login.form


def test_a_file_that_is_no_toml_is_told_with_its_line() -> None:
    [problem] = problems_of("schema = 1\nname = acme")

    assert problem.startswith("not readable as TOML: Invalid value (line 2, column 8)")


def test_an_error_names_the_pack_and_every_problem() -> None:
    with pytest.raises(
        PoolError, match=r"^portal pack acme\.toml: site\.probe: .* below base_url \(line 13, column 1\); colour: it is"
    ):
        parse_toml(written({"site.probe": "po", "colour": "red"}), "acme.toml")


def test_a_pack_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "Über uns.toml"
    path.write_text(written({"title": "Größe"}), encoding="utf-8")

    assert load(str(path)).title == "Größe"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(written(), encoding="utf-8-sig")

    assert load(str(path)).name == "acme"


def test_a_name_means_the_pack_that_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_text(written(), encoding="utf-8")

    assert load("demo").name == "demo"
    assert load("./demo").name == "acme"


@pytest.mark.parametrize("name", ["acme", "no/such/file.toml", "", "..", "demo\n"])
def test_a_pack_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    with pytest.raises(PackError) as caught:
        load(name)

    assert caught.value.problems == ("no such pack; shipped are coupa, demo, or give the path of a .toml file",)


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_bytes(written({"title": "Größe"}).encode("latin-1"))

    with pytest.raises(PackError) as caught:
        load(str(path))

    assert caught.value.problems == ("the file is not UTF-8 text",)


def test_a_file_that_cannot_be_read_is_told() -> None:
    with pytest.raises(PackError, match="the file cannot be read: File name too long"):
        load("x" * 5000)


@pytest.mark.parametrize("name", shipped_names())
def test_a_worker_gets_the_pack_as_it_is(name: str) -> None:
    pack = load(name)

    assert parse_json(pack.to_json()) == pack


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 1}', written()])
def test_a_worker_refuses_what_is_no_pack(text: str) -> None:
    with pytest.raises(PackError, match="portal pack sent to the worker: "):
        parse_json(text)


def test_a_pack_does_not_change() -> None:
    pack: Any = load("demo")

    with pytest.raises(ValueError, match="frozen"):
        pack.title = "other"
    assert isinstance(pack, Pack)


def numbers_of(schema: int, **numbers: str) -> tuple[str, str]:
    rules = parse_toml(written({"schema": schema, **{f"numbers.{key}": text for key, text in numbers.items()}}), "x")
    return rules.numbers.case.value, rules.numbers.separators


def test_a_number_is_kept_from_version_2_on_unless_the_pack_says_otherwise() -> None:
    assert numbers_of(1) == ("upper", " -")
    assert numbers_of(2) == ("keep", "")
    assert numbers_of(2, case="lower") == ("lower", "")
    assert numbers_of(2, separators="-") == ("keep", "-")


def test_a_worker_gets_the_rules_of_numbers_as_they_were_read() -> None:
    for schema in (1, 2):
        pack = parse_toml(written({"schema": schema}), "x")
        assert parse_json(pack.to_json()) == pack


@pytest.mark.parametrize("name", ["coupa", "demo"])
def test_shipped_packs_say_what_they_change_in_a_number(name: str) -> None:
    assert {"case", "separators"} <= load(name).numbers.model_fields_set


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"numbers.pattern": "[A-Z0-9]+"}, True),
        ({"numbers.pattern": r"\w+"}, True),
        ({"numbers.pattern": ".+"}, True),
        ({"numbers.pattern": "[A-Z0-9]+", "numbers.case": "upper", "numbers.separators": "-"}, False),
        ({"numbers.pattern": "[A-Z0-9]+", "schema": 2}, False),
        ({"numbers.pattern": r"^(?:\d{3}|\d+\.\d)$"}, False),
    ],
)
def test_a_pack_that_changes_letters_without_a_word_is_pointed_out(changes: dict[str, Any], *, is_told: bool) -> None:
    notices = parse_toml(written(changes), "x").notices

    assert any("numbers.case and separators" in notice for notice in notices) is is_told


def test_a_field_with_several_values_has_each_of_them_once() -> None:
    rule = FieldRule(selector=(".account",), pattern=r"^(\d+)", many=True)

    assert rule.value_of(["100 A", "", "200 B", "100 C", "none"]) == "100; 200; none"
    assert rule.value_of([]) == ""


def test_without_limits_of_its_own_a_portal_is_asked_as_much_as_there_are_tabs() -> None:
    pack = parse_toml(written(), "acme.toml")

    assert pack.limits.courtesy == Courtesy()
    assert (pack.site.other_hosts, pack.site.skip, pack.site.skip_hosts) == (OtherHosts.LOAD, (), ())


def test_a_pack_names_what_its_pages_do_not_need() -> None:
    pack = parse_toml(written({"site.skip": ["image", "font"], "site.skip_hosts": ["*.ads.test"]}), "acme.toml")

    assert (pack.site.skip, pack.site.skip_hosts) == ((Skipped.IMAGE, Skipped.FONT), ("*.ads.test",))
    for wrong in ({"site.skip": ["script"]}, {"site.skip_hosts": ["https://ads.test"]}, {"site.skip_hosts": ["*"]}):
        with pytest.raises(PackError):
            parse_toml(written(wrong), "acme.toml")


def test_a_portal_may_say_how_much_it_is_asked() -> None:
    limits = {"rate": 30, "concurrency": 2, "hours": "Mon-Fri 07:00-19:00", "time_zone": "Europe/Berlin"}
    pack = parse_toml(written({"limits": limits}), "acme.toml")

    hours = WorkingHours.parse("Mon-Fri 07:00-19:00", "Europe/Berlin")
    assert pack.limits.courtesy == Courtesy(rate_per_min=30.0, concurrency=2, hours=hours)
    assert parse_json(pack.to_json()) == pack


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ({"rate": 0}, "limits.rate: "),
        ({"rate": 100_001}, "limits.rate: "),
        ({"concurrency": 0}, "limits.concurrency: "),
        ({"concurrency": 1001}, "limits.concurrency: "),
        ({"hours": "Mon-Fri"}, "limits.hours: 'Mon-Fri' is not of the form day-day hour:minute-hour:minute"),
        (
            {"time_zone": "Berlin"},
            "limits.time_zone: 'Berlin' is no time zone; it must be a name such as Europe/Berlin",
        ),
    ],
)
def test_limits_that_cannot_be_kept_are_told(limits: dict[str, Any], problem: str) -> None:
    (told,) = problems_of(written({"limits": limits}))

    assert told.startswith(problem)


def test_the_smallest_rate_and_the_largest_are_taken() -> None:
    for rate in (0.1, 100_000):
        assert parse_toml(written({"limits": {"rate": rate}}), "acme.toml").limits.rate == rate


def test_what_a_person_wants_beside_the_files_is_added_to_what_the_pack_wants() -> None:
    pack = load("demo")
    opened = pack.with_extras(unpacks_archives=True, unpacks_mails=True, prints_mails=True)
    same = opened.with_extras(unpacks_archives=False, unpacks_mails=False, prints_mails=False)

    assert pack.attachments.archive is ArchivePolicy.KEEP
    assert opened.attachments.archive is ArchivePolicy.BESIDE
    assert opened.attachments.mail is MailPolicy.UNPACK
    assert opened.attachments.mail_pdf
    assert opened.attachments.links == pack.attachments.links
    assert same == opened


def test_an_archive_that_holds_the_attachments_still_gives_place_to_them() -> None:
    pack = load("demo")
    rules = pack.attachments.model_copy(update={"archive": ArchivePolicy.UNPACK})
    holding = pack.model_copy(update={"attachments": rules})

    opened = holding.with_extras(unpacks_archives=True, unpacks_mails=False, prints_mails=False)

    assert opened.attachments.archive is ArchivePolicy.UNPACK
