"""The ways in which portals let people in. A gate answers for whoever is not logged in, and lets all others pass."""

from __future__ import annotations

import base64
from dataclasses import replace

from tests.support.portals.portal_make import FORM_LOGIN, PASSWORD, USER, Asked, PortalMake, html
from tests.support.sites import Answer

#: How many cookies stay valid where each answer brings another one: those of requests that are under way.
ROTATION_SLACK = 12
_COOKIE = "portal_session"
TWO_PAGE_LOGIN = """
[login]
ladder = ["form"]
start = "/login"
[[login.steps]]
fill = "#user"
value = "{user}"
[[login.steps]]
click = "#next"
[[login.steps]]
fill = "#password"
value = "{password}"
[[login.steps]]
click = "#submit"
"""
HTTP_LOGIN = """
[login]
ladder = ["revisit"]
[login.http]
scheme = "basic"
"""


class FormGate:
    """A login form with user and password on one page."""

    def __init__(self) -> None:
        """Nobody is logged in."""
        self.sessions: list[str] = []

    def __call__(self, asked: Asked) -> Answer | None:
        """Answer for whoever is not logged in."""
        if asked.path == "/login" and asked.method == "POST":
            return self.submit(asked)
        if asked.path != "/login" and asked.cookies.get(_COOKIE) in self.sessions:
            return None
        return self.form(asked) if asked.path == "/login" else Answer(status=302, location="/login")

    def form(self, asked: Asked) -> Answer:
        """The page of the form."""
        del asked  # it is the same for everybody
        return html(
            "<form method=post action=/login><input id=user name=user><input id=password name=password type=password>"
            "<button id=submit>Sign in</button></form>"
        )

    def submit(self, asked: Asked) -> Answer:
        """The answer to the form."""
        if (asked.form.get("user"), asked.form.get("password")) != (USER, PASSWORD):
            return self.form(asked)
        return Answer(status=302, location="/home", headers=(self.new_cookie(),))

    def new_cookie(self) -> str:
        """The header with a new session."""
        self.sessions.append(f"session-{len(self.sessions):08d}-4f1c9a")
        return f"Set-Cookie: {_COOKIE}={self.sessions[-1]}; Path=/"


class TwoPageGate(FormGate):
    """A login form that asks for the user first, and for the password on the next page."""

    def form(self, asked: Asked) -> Answer:
        """The page for the user, or that for the password."""
        user = asked.form.get("user", "")
        if not user:
            return html("<form method=post action=/login><input id=user name=user><button id=next>Next</button></form>")
        return html(
            f"<form method=post action=/login><input type=hidden name=user value='{user}'>"
            "<input id=password name=password type=password><button id=submit>Sign in</button></form>"
        )


class RotatingGate(FormGate):
    """A form, and a new cookie with every answer; an old one is worth nothing."""

    def __call__(self, asked: Asked) -> Answer | None:
        """Answer for whoever is not logged in; the cookie of an answer is added by ``rotating``."""
        del self.sessions[:-ROTATION_SLACK]
        return super().__call__(asked)


class BasicGate:
    """HTTP authentication."""

    def __call__(self, asked: Asked) -> Answer | None:
        """Answer for whoever sends no or a wrong user."""
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if asked.headers.get("authorization") == f"Basic {expected}":
            return None
        return html("<h1>Unauthorized</h1>", status=401, headers=('WWW-Authenticate: Basic realm="portal"',))


def with_form(make: PortalMake) -> PortalMake:
    """A portal with a login form."""
    return replace(make, login=FORM_LOGIN, gate=FormGate(), calls=[])


def with_two_pages(make: PortalMake) -> PortalMake:
    """A portal that asks for user and password on two pages."""
    return replace(make, login=TWO_PAGE_LOGIN, gate=TwoPageGate(), calls=[])


def rotating(make: PortalMake) -> PortalMake:
    """A portal with a login form whose cookie changes with every answer."""
    gate = RotatingGate()

    def respond(asked: Asked) -> Answer | None:
        answer = make.respond(asked)
        return replace(answer, headers=(*answer.headers, gate.new_cookie())) if answer else None

    return replace(make, login=FORM_LOGIN, gate=gate, respond=respond, calls=[])


def with_http_login(make: PortalMake) -> PortalMake:
    """A portal with HTTP authentication."""
    return replace(make, login=HTTP_LOGIN, gate=BasicGate(), calls=[])
