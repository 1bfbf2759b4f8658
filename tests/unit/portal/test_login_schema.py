"""What a pack may say about the login, and what it is told about mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.portal.login_schema import SecretName, replace_secrets
from poolwright.portal.pack import Pack, PackError, parse_json, parse_toml
from tests.unit.portal.authoring import FORM, written

FILL = {"fill": "#user", "value": "{user}"}
BASIC = {"scheme": "basic"}
TOKEN = {"name": "X-Key", "value": "Bearer {token}"}


def pack_with(changes: dict[str, Any]) -> Pack:
    return parse_toml(written(changes), "acme.toml")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"steps": [{}]}, "login.steps.0: it must have exactly one of fill, click, press and wait_for"),
        ({"steps": [FILL, {"click": "#a", "press": "#b"}]}, "login.steps.1: it must have exactly one of fill,"),
        ({"steps": [{"fill": "#user"}]}, "login.steps.0: fill and value belong together"),
        ({"steps": [{"click": "#go", "value": "{user}"}]}, "login.steps.0: fill and value belong together"),
        ({"steps": [{"click": "#go", "on": "#a"}]}, "login.steps.0: press and on belong together"),
        ({"steps": [{"press": "Tab"}]}, "login.steps.0: press and on belong together"),
        ({"steps": [{"click": " "}]}, "login.steps.0.click: an empty selector matches nothing"),
        (
            {"steps": [{"fill": "#user", "value": "{usr}"}]},
            "login.steps.0: {usr} is not known here; it may contain {code}, {password}, {user}",
        ),
        ({"steps": [{"fill": "#user", "value": "{token}"}]}, "login.steps.0: {token} is not known here"),
        ({"steps": [{"fill": "#user", "value": "{}"}]}, "login.steps.0: {} is not known here"),
        ({"steps": [FILL], "form": FORM}, "login: it has form and steps"),
        (
            {"ladder": ["form"]},
            "login: the ladder contains 'form', so [login.form] or [[login.steps]] must name its fields",
        ),
        ({"ladder": ["sign_on"]}, "login: the ladder contains 'sign_on', so [login.sign_on] must name its button"),
        ({"sign_on": {}}, "login.sign_on: it must have either button or address"),
        ({"sign_on": {"button": "#a", "address": "/sso"}}, "login.sign_on: it must have either button or address"),
        ({"sign_on": {"address": "https://sso.test"}}, "login.sign_on.address: 'https://sso.test' must start with a s"),
        ({"http": {"scheme": "kerberos"}}, "login.http.scheme: it must be 'basic'"),
        ({"header": {**TOKEN, "name": "Cookie"}}, "login.header: 'Cookie' is not the name of a header that can be"),
        ({"header": {**TOKEN, "name": "X Key"}}, "login.header: 'X Key' is not the name of a header that can be"),
        ({"header": {**TOKEN, "value": "Bearer abc"}}, "login.header: value must contain {token}"),
        ({"header": {**TOKEN, "value": "{password}"}}, "login.header: {password} is not known here"),
        ({"header": {**TOKEN, "value": "{token}\r\nX: y"}}, "login.header: value must be printable ASCII text"),
        (
            {"http": BASIC, "header": {"name": "Authorization", "value": "{token}"}},
            "login: http and header both set the header Authorization",
        ),
    ],
)
def test_a_mistake_is_one_problem_with_its_place(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(PackError) as caught:
        pack_with({f"login.{key}": value for key, value in changes.items()})

    [told] = caught.value.problems
    assert told.startswith(problem)


def test_a_form_is_the_same_as_two_fills_and_a_click() -> None:
    steps = [{**FILL}, {"fill": "#password", "value": "{password}"}, {"click": "#submit"}]

    by_form, by_steps = pack_with({"login.form": FORM}), pack_with({"login.steps": steps})

    assert by_form.login.actions == by_steps.login.actions
    assert by_form.login.secrets == by_steps.login.secrets == {SecretName.USER, SecretName.PASSWORD}


def test_a_login_survives_its_way_to_a_worker() -> None:
    steps = [FILL, {"press": "Tab", "on": "#user", "frame": "#f"}, {"click": "#stay", "if_present": True}]
    pack = pack_with({"login.steps": steps, "login.header": TOKEN, "login.sign_on": {"button": "#sso"}})

    assert parse_json(pack.to_json()) == pack


@pytest.mark.parametrize(
    ("changes", "secrets"),
    [
        ({}, set()),
        ({"form": FORM, "second_factor": {"code": "#code", "submit": "#go"}}, {"user", "password", "code"}),
        ({"steps": [{"fill": "#pin", "value": "{code}"}]}, {"code"}),
        ({"http": BASIC}, {"user", "password"}),
        ({"header": TOKEN}, {"token"}),
        ({"sign_on": {"button": "#sso"}}, set()),
    ],
)
def test_a_login_needs_the_secrets_that_it_names(changes: dict[str, Any], secrets: set[str]) -> None:
    rules = pack_with({f"login.{key}": value for key, value in changes.items()}).login

    assert {secret.value for secret in rules.secrets} == secrets
    assert rules.is_automatic is bool(changes)


def test_a_secret_may_look_like_the_name_of_another() -> None:
    assert replace_secrets("{user}-{password}", {SecretName.USER: "{password}", SecretName.PASSWORD: "x"}) == (
        "{password}-x"
    )


@pytest.mark.parametrize(
    ("base_url", "url", "may_receive"),
    [
        ("https://portal.test", "https://portal.test/login", True),
        ("https://portal.test", "http://portal.test/login", False),
        ("https://portal.test", "https://portal.test:8443/login", False),
        ("https://portal.test", "https://idp.test/login", True),
        ("https://portal.test", "https://IDP.test:8443/login", True),
        ("https://portal.test", "http://idp.test/login", False),
        ("http://portal.test", "http://idp.test/login", True),
        ("https://portal.test", "https://notidp.test/login", False),
        ("https://portal.test", "https://user@idp.test/login", False),
        ("https://portal.test", "https://files.test/login", False),
        ("https://portal.test", "about:blank", False),
    ],
)
def test_secrets_are_for_the_portal_and_the_hosts_of_its_login(base_url: str, url: str, *, may_receive: bool) -> None:
    pack = pack_with({"login.steps": [FILL], "login.hosts": ["idp.test"], "site.hosts": ["files.test"]})

    assert pack.may_receive_login(base_url, url) is may_receive


def test_an_older_form_is_filled_in_wherever_the_portal_leads() -> None:
    assert pack_with({"login.form": FORM}).may_receive_login("https://portal.test", "https://idp.test/login")
