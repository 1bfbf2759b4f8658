"""Settings: who wins, what is refused and in which words, and that a secret is never told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.domain.options import BrowserKind, Sandbox
from poolwright.settings import LogLevel, Settings, allowed_text, default_text, load_settings, variable_name


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


def test_the_first_source_that_has_a_value_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("poolwright.toml").write_text("workers = 1\ntabs_per_worker = 1\nmax_attempts = 1\nprofile = 'toml'\n")
    Path(".env").write_text("POOLWRIGHT_WORKERS=2\nPOOLWRIGHT_TABS_PER_WORKER=2\nPOOLWRIGHT_MAX_ATTEMPTS=2\n")
    monkeypatch.setenv("POOLWRIGHT_WORKERS", "3")
    monkeypatch.setenv("POOLWRIGHT_TABS_PER_WORKER", "3")

    settings = load_settings({"workers": 4})

    assert settings.workers == 4, "command line over environment"
    assert settings.tabs_per_worker == 3, "environment over .env"
    assert settings.max_attempts == 2, ".env over poolwright.toml"
    assert settings.profile == "toml", "poolwright.toml over the default"
    assert settings.sandbox is Sandbox.AUTO, "the default where nothing is said"


def test_what_the_command_line_did_not_give_is_left_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_OUT", "from-environment")

    assert load_settings({"out": None, "headless": None}).out == Path("from-environment")


def test_every_field_has_words_for_a_stranger() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert allowed_text(name), name


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("workers", (1, 8, "8", "auto"), (0, 9, "two", "AUTO!")),
        ("tabs_per_worker", (1, 16), (0, 17)),
        ("task_timeout_s", (0.5, 7200), (0, 7201, float("nan"))),
        ("file_max_mb", (1, 1_000_000), (0, 1.5)),
        ("order_max_mb", (1, 1_000_000), (0, 1_000_001)),
        ("page_evidence", ("off", "screenshot", "pdf"), ("png",)),
        ("max_attempts", (1, 10), (0, 11)),
        ("shutdown_timeout_s", (0.1, 60), (0, 60.5)),
        ("memory_threshold", (0.5, 0.9), (0.49, 0.91, float("nan"))),
        ("recycle_after_tasks", (0, 1), (-1, 1.5)),
        ("recycle_after_minutes", (0, 0.5, 1440), (-1, float("nan"))),
        ("headless", ("true", "no"), ("perhaps",)),
        ("sandbox", ("auto", "on", "off"), ("maybe",)),
        ("log_level", tuple(LogLevel), ("loud",)),
        ("profile", ("coupa",), ("",)),
        ("folder_template", ("{number}",), ("",)),
        ("base_url", ("https://portal.example", ""), ("portal.example", "ftp://portal.example", "https://")),
    ],
)
def test_bounds_are_kept(name: str, good: tuple[object, ...], bad: tuple[object, ...]) -> None:
    for value in good:
        load_settings({name: value})
    for value in bad:
        with pytest.raises(OptionsError, match=name):
            load_settings({name: value})


def test_a_wrong_value_is_told_with_what_is_allowed_and_every_way_to_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_WORKERS", "12")

    with pytest.raises(OptionsError) as caught:
        load_settings()

    assert str(caught.value) == (
        "workers is '12' in the environment; it must be a whole number from 1 to 8, or auto "
        "(--workers, -w, POOLWRIGHT_WORKERS, workers in poolwright.toml)."
    )


@pytest.mark.parametrize("where", ["environment", ".env", "poolwright.toml"])
def test_workers_may_be_left_to_the_program(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match where:
        case "environment":
            monkeypatch.setenv("POOLWRIGHT_WORKERS", "auto")
        case ".env":
            Path(".env").write_text("POOLWRIGHT_WORKERS=auto\n")
        case _:
            Path("poolwright.toml").write_text("workers = 'auto'\n")

    assert load_settings().workers == "auto"


def test_each_wrong_field_gets_a_sentence_of_its_own() -> None:
    Path("poolwright.toml").write_text("workers = 0\nsandbox = 'maybe'\n")

    with pytest.raises(OptionsError) as caught:
        load_settings()

    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["workers", "sandbox"]


def test_a_secret_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("poolwright.toml").write_text("password = 123456\n")
    monkeypatch.setenv("POOLWRIGHT_BASE_URL", "https://robot:hunter2@portal.example")

    with pytest.raises(OptionsError) as caught:
        load_settings()

    assert "123456" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None, "the cause would show the values in a traceback"
    assert "hunter2" not in repr(load_settings({"password": "hunter2", "base_url": "https://portal.example"}))


@pytest.mark.parametrize("where", ["environment", ".env", "poolwright.toml"])
def test_a_name_that_is_no_setting_is_refused_with_the_nearest(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match where:
        case "environment":
            monkeypatch.setenv("POOLWRIGHT_WROKERS", "3")
        case ".env":
            Path(".env").write_text("POOLWRIGHT_WROKERS=3\n")
        case _:
            Path("poolwright.toml").write_text("wrokers = 3\n")

    with pytest.raises(OptionsError, match=r"POOLWRIGHT_WROKERS .* is not a setting.*Did you mean POOLWRIGHT_WORKERS"):
        load_settings()


@pytest.mark.parametrize("name", [".env", "poolwright.toml"])
def test_a_wrong_value_names_the_file_that_it_stands_in(name: str) -> None:
    lines = {".env": "POOLWRIGHT_WORKERS=99\nPOOLWRIGHT_WROKERS=1\n", "poolwright.toml": "workers = 99\nwrokers = 1\n"}
    Path(name).write_text(lines[name])

    with pytest.raises(OptionsError) as caught:
        load_settings({"tabs_per_worker": 77})

    said = sorted(str(caught.value).splitlines(), key=lambda line: "workers tabs_per POOLWRIGHT".find(line[:7]))
    of_workers, of_tabs, stray = said
    assert of_workers.startswith(f"workers is '99' in {name}; it must be")
    assert f"is not a setting of Poolwright; it is set in {name}." in stray
    assert of_tabs.startswith("tabs_per_worker is '77'; it must be")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POOLWRIGHT_PORT", "tcp://10.0.0.1:80"),
        ("POOLWRIGHT_PORT_8484_TCP", "tcp://10.0.0.1:8484"),
        ("POOLWRIGHT_PORT_8484_TCP_PROTO", "tcp"),
        ("POOLWRIGHT_SERVICE_HOST", "10.0.0.1"),
        ("POOLWRIGHT_SERVICE_PORT", "8484"),
        ("POOLWRIGHT_SERVICE_PORT_HTTP", "8484"),
        ("POOLWRIGHT_API_SERVICE_HOST", "10.0.0.1"),
        ("POOLWRIGHT_API_SERVICE_PORT", "80"),
        ("POOLWRIGHT_API_PORT", "udp://10.0.0.1:80"),
        ("POOLWRIGHT_API_PORT_80_UDP_ADDR", "10.0.0.1"),
    ],
)
def test_what_kubernetes_says_of_services_is_no_setting(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    assert load_settings().port == 8484


@pytest.mark.parametrize(("name", "value"), [("POOLWRIGHT_PORTS", "1"), ("POOLWRIGHT_API_PORT", "80")])
def test_what_is_only_like_it_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(OptionsError, match="is not a setting of Poolwright; it is set in the environment"):
        load_settings()


def test_what_others_put_beside_our_settings_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DATABASE_URL=elsewhere\nPOOLWRIGHT_WORKERS=\n")
    monkeypatch.setenv("POOLWRIGHT_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("POOLWRIGHT_SERVICE_PORT_HTTP", "80")
    monkeypatch.setenv("POOLWRIGHT_PORT_8080_TCP_ADDR", "10.0.0.1")
    monkeypatch.setenv("POOLWRIGHT_PORT", "tcp://10.0.0.1:80")

    assert load_settings().workers == 2


@pytest.mark.parametrize(("name", "text"), [("poolwright.toml", b"workers ="), (".env", b"POOLWRIGHT_USER=\xff\xfe")])
def test_an_unreadable_file_is_one_sentence(name: str, text: bytes) -> None:
    Path(name).write_bytes(text)

    with pytest.raises(OptionsError, match=rf"{Path(name).absolute()} is not readable: .+\."):
        load_settings()


def test_playwrights_own_variable_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/srv/browsers")

    assert load_settings().playwright_browsers_path == Path("/srv/browsers")


def test_addresses_and_paths_are_made_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("USERPROFILE", "/home/anna")

    settings = load_settings({"base_url": "https://portal.example/", "out": "~/orders"})

    assert settings.base_url == "https://portal.example"
    assert settings.out == Path("/home/anna/orders")


def test_the_folder_for_runs_is_short_and_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/t")

    runs = load_settings().runs_dir

    assert runs.parent == Path("/t")
    assert len(runs.name) <= 20


def test_defaults_in_words() -> None:
    assert default_text("workers") == "2"
    assert default_text("headless") == "true"
    assert default_text("task_timeout_s") == "300"
    assert (default_text("browser"), default_text("browser_path")) == ("auto", "none")
    assert default_text("user") == default_text("password") == ""


def test_a_machine_without_a_temporary_folder_still_has_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What forbids it is told by whoever makes the folder; here it would be called a fault of a settings file."""

    def refuse() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("tempfile.gettempdir", refuse)

    assert load_settings().runs_dir.parent == Path("/tmp")


@pytest.mark.parametrize("text", ["pool.example.com, pool", "pool.example.com,pool,"])
def test_names_of_hosts_are_given_with_commas_between(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_HOST_NAMES", text)

    assert load_settings().host_names == ("pool.example.com", "pool")


def test_names_of_hosts_may_be_a_list_in_the_file_too() -> None:
    Path("poolwright.toml").write_text('host_names = ["a.example", "b.example"]\npath_prefix = "/pool/"\n')

    assert load_settings().host_names == ("a.example", "b.example")
    assert load_settings().path_prefix == "/pool"


@pytest.mark.parametrize(
    ("name", "value"),
    [("host_names", "http://x"), ("host_names", "a b"), ("path_prefix", "pool"), ("path_prefix", "/a?b")],
)
def test_what_is_no_name_or_path_is_refused(name: str, value: str) -> None:
    with pytest.raises(OptionsError, match=f"{name} is .* it must be"):
        load_settings({name: value})


@pytest.mark.parametrize("name", [".env", "poolwright.toml"])
def test_the_mark_that_editors_put_in_front_of_a_file_hides_no_setting(name: str) -> None:
    text = {".env": "POOLWRIGHT_WORKERS=5\n", "poolwright.toml": "workers = 5\n"}[name]
    Path(name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())

    assert load_settings().workers == 5


def test_a_secret_in_a_file_stands_there_as_it_is_and_a_path_may_name_a_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHARE", "/srv")
    Path(".env").write_text("POOLWRIGHT_PASSWORD='a${SHARE}b${c}'\nPOOLWRIGHT_OUT=${SHARE}/orders\n")

    settings = load_settings()

    assert settings.password.get_secret_value() == "a${SHARE}b${c}"
    assert settings.out == Path("/srv/orders")


@pytest.mark.parametrize(
    "line",
    ['POOLWRIGHT_PASSWORD="hunter2', "POOLWRIGHT_PASSWORD hunter2", "poolwright_headless", "export POOLWRIGHT_USER"],
)
def test_a_line_that_is_none_is_told_with_its_number_and_without_its_value(line: str) -> None:
    Path(".env").write_text(f"POOLWRIGHT_WORKERS=3\n{line}\nPOOLWRIGHT_TABS_PER_WORKER=1\n")

    with pytest.raises(OptionsError, match=r"\.env, line 2, '.*is not NAME=value") as caught:
        load_settings()

    assert "hunter2" not in str(caught.value)


def test_a_broken_line_of_others_is_theirs() -> None:
    Path(".env").write_text("DATABASE 'elsewhere\nPOOLWRIGHT_WORKERS=3\n")

    assert load_settings().workers == 3


def test_a_folder_in_the_place_of_the_file_is_told_and_one_for_environments_is_not() -> None:
    Path(".env").mkdir()
    assert load_settings().workers == 2

    Path("poolwright.toml").mkdir()
    with pytest.raises(OptionsError, match=r"poolwright\.toml is a folder, not a file"):
        load_settings()


@pytest.mark.parametrize("name", ["user", "profile", "password", "workers", "out", "host", "base_url", "browser_path"])
def test_letters_that_nobody_sees_are_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable_name(name), "https://a.example\r" if name == "base_url" else "hunter2\r")

    with pytest.raises(
        OptionsError, match=rf"^{name} .*in the environment; it contains an invisible character"
    ) as caught:
        load_settings()

    assert name != "password" or "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["out", "profiles_dir", "runs_dir", "browser_path", "log_file", "inbox_dir"])
@pytest.mark.parametrize("value", ["", "~nobody-of-this-name/x"])
def test_a_path_that_leads_nowhere_is_refused(name: str, value: str) -> None:
    with pytest.raises(OptionsError, match=rf"^{name} is '{value}'; it must be a path"):
        load_settings({name: value})


@pytest.mark.parametrize("address", ["https://portal.example:port", "https://portal.example:99999", "https://[::1"])
def test_an_address_whose_port_is_none_is_refused(address: str) -> None:
    with pytest.raises(OptionsError, match=r"base_url is .* it must be an address"):
        load_settings({"base_url": address})


def test_a_value_that_is_no_json_names_its_setting_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_SCHEDULES", "every day")

    with pytest.raises(OptionsError, match="schedules") as caught:
        load_settings()

    assert "not readable" not in str(caught.value)


def test_a_variable_in_the_file_is_told_by_its_name_there() -> None:
    Path("poolwright.toml").write_text("POOLWRIGHT_WORKERS = 3\n")

    with pytest.raises(OptionsError, match=r"^POOLWRIGHT_WORKERS is called workers in poolwright\.toml\.$"):
        load_settings()


@pytest.mark.parametrize(("name", "value"), [("out", '"/srv/orders"'), ("user", "'anna'"), ("profile", '""')])
def test_quote_marks_that_nobody_took_off_are_told(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable_name(name), value)

    with pytest.raises(
        OptionsError, match=rf"^{name} is .* in the environment; its quotation marks are part of the value: remove them"
    ):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("host", " 127.0.0.1 ", "127.0.0.1"),
        ("host", "[::1]", "::1"),
        ("base_url", "https://portal.example/ ", "https://portal.example"),
        ("user", "\xa0anna ", "anna"),
        ("path_prefix", " /pool ", "/pool"),
    ],
)
@pytest.mark.parametrize("is_given", [True, False], ids=["command line", "environment"])
def test_a_name_or_address_has_no_blanks_around_it(
    name: str, value: str, meant: str, monkeypatch: pytest.MonkeyPatch, *, is_given: bool
) -> None:
    monkeypatch.setenv(variable_name(name), value)

    assert getattr(load_settings({name: value} if is_given else {}), name) == meant


def test_quote_marks_within_blanks_are_told_too() -> None:
    with pytest.raises(OptionsError, match=r"user is .* quotation marks are part of the value: remove them"):
        load_settings({"user": " 'anna' "})


def test_a_password_and_a_folder_may_have_blanks_around_them() -> None:
    settings = load_settings({"password": " hunter2 ", "out": "/srv/orders "})

    assert (settings.password.get_secret_value(), settings.out) == (" hunter2 ", Path("/srv/orders "))


def test_a_password_may_have_any_letter_that_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", '"hunter2"')

    assert load_settings({"user": "o'brien's"}).password.get_secret_value() == '"hunter2"'


@pytest.mark.timeout(30)
def test_the_file_may_be_a_pipe_of_a_password_manager() -> None:
    os.mkfifo(".env")
    writer = threading.Thread(target=lambda: Path(".env").write_text("POOLWRIGHT_PASSWORD=hunter2\n"))
    writer.start()

    assert load_settings().password.get_secret_value() == "hunter2"
    writer.join()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("auto", BrowserKind.AUTO),
        ("Headless-Shell", BrowserKind.HEADLESS_SHELL),
        ("chromium", BrowserKind.CHROMIUM),
        ("/srv/chrome", Path("/srv/chrome")),
        ("bin/chrome", Path("bin/chrome")),
    ],
)
def test_a_browser_is_a_kind_or_a_path(text: str, value: object) -> None:
    assert Settings(browser=text).browser == value  # pyright: ignore[reportArgumentType] - as a person writes it


@pytest.mark.parametrize("text", ["firefox", "chromium-headless-shell", ""])
def test_a_name_that_is_no_kind_is_refused(text: str) -> None:
    with pytest.raises(OptionsError, match=r"browser is .* must be auto, headless-shell, chromium, chrome, msedge, or"):
        load_settings({"browser": text})
