"""Defines the tables of a portal pack for its login: the login steps, the form, and what is sent with requests.

Secrets are named in a pack and never written there: ``{user}``, ``{password}``, ``{code}`` and ``{token}`` are replaced
when they are used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, model_validator

from poolwright.portal.pack_schema import Host, Mark, PackTable, Selector, SitePath

_NAME_IN_BRACES = re.compile(r"\{(\w*)\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: Headers that the browser sets, or that would change how a request is read.
_RESERVED_HEADERS = frozenset(
    {"connection", "content-length", "content-type", "cookie", "host", "origin", "referer", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent", "accept-encoding", "range"}
)
_AUTHORIZATION = "authorization"


class SecretName(StrEnum):
    """The secrets that a pack can name in braces."""

    USER = "user"
    PASSWORD = "password"  # noqa: S105 - a name
    #: A one-time code; it is valid once.
    CODE = "code"
    TOKEN = "token"  # noqa: S105 - a name


#: Those that a field of a page may get. A token is sent in a header only.
_FIELD_SECRETS = frozenset({SecretName.USER, SecretName.PASSWORD, SecretName.CODE})


def secret_names(text: str) -> frozenset[SecretName]:
    """Return the secrets that a text of a pack names; other words in braces are ignored."""
    known = {secret.value for secret in SecretName}
    return frozenset(SecretName(name) for name in _NAME_IN_BRACES.findall(text) if name in known)


def replace_secrets(text: str, secrets: Mapping[SecretName, str]) -> str:
    """Return a text of a pack with the secrets that it names."""
    return _NAME_IN_BRACES.sub(lambda match: secrets[SecretName(match[1])], text)


def _filled(ladder: tuple[LoginStep, ...]) -> tuple[LoginStep, ...]:
    if not ladder:
        msg = "it must hold at least one"
        raise ValueError(msg)
    return ladder


def _check_names(text: str, allowed: Collection[SecretName]) -> None:
    words = {secret.value for secret in allowed}
    unknown = next((name for name in _NAME_IN_BRACES.findall(text) if name not in words), None)
    if unknown is not None:
        known = ", ".join(f"{{{word}}}" for word in sorted(words))
        msg = f"{{{unknown}}} is not known here; it may contain {known}"
        raise ValueError(msg)


class LoginForm(PackTable):
    """The fields of a login form on one page."""

    user: Selector
    password: Selector
    submit: Selector


class SecondFactorForm(PackTable):
    """The form for a one-time code, on a separate page after the login form."""

    code: Selector
    submit: Selector


class LoginStep(StrEnum):
    """One login step. A pack names its steps in their order (``ladder``)."""

    #: Visit the start page: single sign-on may log in.
    REVISIT = "revisit"
    #: Start single sign-on by its button or address.
    SIGN_ON = "sign_on"
    #: Fill in the login form, or do the actions of ``steps``.
    FORM = "form"
    #: Load the cookies of the last login to the profile.
    COOKIES = "cookies"
    #: Wait until a person has logged in; for browsers with windows.
    HUMAN = "human"


class LoginAction(PackTable):
    """One action on a login page: exactly one of ``fill``, ``click``, ``press`` and ``wait_for``; see ``PageStep``."""

    fill: Selector | None = None
    click: Selector | None = None
    #: The key that is pressed in the element of ``on``, such as ``Enter``.
    press: Mark | None = None
    wait_for: Selector | None = None
    #: What ``fill`` writes; it may name secrets, such as ``{user}``.
    value: str = ""
    #: Of ``press``.
    on: Selector | None = None
    #: The frame in which the element is; ``None`` for the page itself.
    frame: Selector | None = None
    #: Whether the action is left out if its element does not come, as with "Stay signed in?".
    if_present: bool = False

    @model_validator(mode="after")
    def _is_one_action(self) -> LoginAction:
        named = [name for name in ("fill", "click", "press", "wait_for") if getattr(self, name) is not None]
        if len(named) != 1:
            msg = "it must have exactly one of fill, click, press and wait_for"
            raise ValueError(msg)
        if (self.fill is not None) != bool(self.value):
            msg = "fill and value belong together: value is what is written into the element of fill"
            raise ValueError(msg)
        if (self.press is not None) != (self.on is not None):
            msg = "press and on belong together: the key, and the element in which it is pressed"
            raise ValueError(msg)
        _check_names(self.value, _FIELD_SECRETS)
        return self

    @property
    def selector(self) -> str:
        """The element of the action."""
        return self.fill or self.click or self.on or self.wait_for or ""

    @property
    def kind(self) -> str:
        """The word of the action in the pack."""
        return next(name for name in ("fill", "click", "press", "wait_for") if getattr(self, name) is not None)

    @property
    def sends(self) -> bool:
        """Whether it may send the form."""
        return self.click is not None or self.press is not None


class SignOn(PackTable):
    """The start of single sign-on: a button on the start page, or an address of the portal."""

    button: Selector | None = None
    address: SitePath | None = None

    @model_validator(mode="after")
    def _is_one_start(self) -> SignOn:
        if (self.button is None) == (self.address is None):
            msg = "it must have either button or address"
            raise ValueError(msg)
        return self


class HttpScheme(StrEnum):
    """The kinds of HTTP authentication."""

    BASIC = "basic"
    #: These two are answered by the browser alone, so it downloads the files too.
    DIGEST = "digest"
    NTLM = "ntlm"


class HttpAuthentication(PackTable):
    """HTTP authentication, with user and password of the settings."""

    scheme: HttpScheme


class TokenHeader(PackTable):
    """A header that every request to the portal gets, with a token of the settings."""

    name: str
    value: str

    @model_validator(mode="after")
    def _is_valid(self) -> TokenHeader:
        if not _HEADER_NAME.fullmatch(self.name) or self.name.lower() in _RESERVED_HEADERS:
            msg = f"{self.name!r} is not the name of a header that can be added"
            raise ValueError(msg)
        _check_names(self.value, {SecretName.TOKEN})
        if SecretName.TOKEN not in secret_names(self.value):
            msg = "value must contain {token}"
            raise ValueError(msg)
        if not (self.value.isascii() and self.value.isprintable()):
            msg = "value must be printable ASCII text"
            raise ValueError(msg)
        return self


class LoginRules(PackTable):
    """The login of a session."""

    ladder: Annotated[tuple[LoginStep, ...], AfterValidator(_filled)]
    #: Page on which the login begins.
    start: SitePath = "/"
    form: LoginForm | None = None
    #: The actions of a login that is more than one form on one page.
    steps: tuple[LoginAction, ...] = ()
    second_factor: SecondFactorForm | None = None
    sign_on: SignOn | None = None
    http: HttpAuthentication | None = None
    header: TokenHeader | None = None
    #: Hosts of single sign-on: an order's page may redirect to them, and ``steps`` may write secrets into their pages.
    hosts: tuple[Host, ...] = ()
    #: A page that logs out. With it, a login may be renewed before it ends; without it, only after it was lost.
    logout: SitePath | None = None

    @model_validator(mode="after")
    def _ladder_is_defined(self) -> LoginRules:
        if self.form is not None and self.steps:
            msg = "it has form and steps; name the form's fields in steps, or leave steps out"
            raise ValueError(msg)
        if LoginStep.FORM in self.ladder and not self.actions:
            msg = "the ladder contains 'form', so [login.form] or [[login.steps]] must name its fields"
            raise ValueError(msg)
        if LoginStep.SIGN_ON in self.ladder and self.sign_on is None:
            msg = "the ladder contains 'sign_on', so [login.sign_on] must name its button or address"
            raise ValueError(msg)
        if self.http is not None and self.header is not None and self.header.name.lower() == _AUTHORIZATION:
            msg = "http and header both set the header Authorization; leave one of them out"
            raise ValueError(msg)
        return self

    @property
    def actions(self) -> tuple[LoginAction, ...]:
        """The actions of the form: ``steps``, or those that ``form`` stands for."""
        if self.form is None:
            return self.steps
        return (
            LoginAction(fill=self.form.user, value="{user}"),
            LoginAction(fill=self.form.password, value="{password}"),
            LoginAction(click=self.form.submit),
        )

    @property
    def is_bound_to_hosts(self) -> bool:
        """Whether secrets are written only into pages of the portal and of ``hosts``; a ``form`` is older than that."""
        return self.form is None

    @property
    def secrets(self) -> frozenset[SecretName]:
        """The secrets that a login without a person uses."""
        named = {name for action in self.actions for name in secret_names(action.value)}
        if self.http is not None:
            named |= {SecretName.USER, SecretName.PASSWORD}
        if self.header is not None:
            named |= {SecretName.TOKEN}
        return frozenset(named | ({SecretName.CODE} if self.second_factor is not None else set()))

    def is_possible(self, given: Collection[SecretName]) -> bool:
        """Return whether a login without a person has all that it needs; a code is asked for only now and then."""
        return self.is_automatic and self.secrets - {SecretName.CODE} <= frozenset(given)

    @property
    def is_automatic(self) -> bool:
        """Whether the pack describes a login that needs no person."""
        return bool(self.actions) or any(part is not None for part in (self.sign_on, self.http, self.header))
