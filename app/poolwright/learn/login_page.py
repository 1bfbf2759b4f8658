"""Decides what a login page is: its form, and the marks of a session that was lost. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ShownKind
from poolwright.learn.page_marks import LearnedMarks, address_mark, text_marks, unique_selector
from poolwright.learn.page_tree import is_shown, text_of
from poolwright.portal.addresses import origin_of

_PASSWORD = "input[type='password']"  # noqa: S105 - a selector
_USER_TYPES = frozenset({"text", "email", "tel", ""})

#: Words of buttons beside the one that sends a login form.
_OTHERWISE = re.compile(
    r"\b(?:forg[eo]t|reset|recover|cancel|back|register|sign up|help|show|vergessen|zur\u00fcck|abbrechen|registrieren|"
    r"oubli|annuler|olvid|cancelar|dimenticat|annulla)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedLogin:
    """The login of a portal."""

    #: Selectors of the form; empty if a person must log in.
    user: str = ""
    password: str = ""
    submit: str = ""
    #: The actions of a login with user and password on two pages; each is a table of the pack.
    steps: tuple[Mapping[str, str | bool], ...] = ()
    #: Whether it is HTTP authentication.
    is_http: bool = False
    #: Path of the form, if the portal does not lead there by itself; else empty.
    start: str = ""
    #: Hosts of single sign-on.
    hosts: tuple[str, ...] = ()
    lost: LearnedMarks
    doubts: tuple[str, ...] = ()

    @property
    def is_automatic(self) -> bool:
        """Return whether user and password are filled in by the pack."""
        return bool(self.user or self.steps)


def learned_login(logins: Sequence[SeenPage], others: Sequence[SeenPage], base_url: str) -> LearnedLogin:
    """Return form and marks of the login pages.

    Args:
        logins: The login pages.
        others: All other pages, which must not have the marks.
        base_url: The address of the portal.
    """
    own = [seen for seen in logins if origin_of(seen.tree.address) == origin_of(base_url)]
    foreign = [seen for seen in logins if seen not in own]
    doubts: list[str] = []
    placed = [seen for seen in own if _has_own_place(seen, others)]
    addresses = tuple(dict.fromkeys(filter(None, (address_mark(seen, others) for seen in placed))))
    selectors, unmarked = _form_marks(own, others)
    texts, unmarked = text_marks(unmarked, others) if unmarked else (LearnedMarks(), [])
    bare = [
        seen
        for seen in unmarked
        if seen.page.status != HTTPStatus.UNAUTHORIZED and not (seen in placed and address_mark(seen, others))
    ]
    doubts += [f"{seen.page.file}: nothing tells this login page from the other pages." for seen in bare]
    found = {seen.page.file: form for seen in own if (form := _form(seen)) is not None}
    forms = list(found.values())
    steps = () if forms else _steps(own)
    is_http = any(seen.page.challenge == "basic" for seen in own) and not forms and not steps
    doubts += _unlearned(forms or steps, is_http=is_http)
    user, password, submit = forms[0] if forms else ("", "", "")
    return LearnedLogin(
        user=user,
        password=password,
        submit=submit,
        steps=steps,
        is_http=is_http,
        # A page that only says that nobody is logged in has no form, so that the form must be opened.
        start=next((_path_of(seen) for seen in own if seen.page.file in found), "") if len(found) < len(own) else "",
        hosts=tuple(dict.fromkeys(urlsplit(seen.tree.address).hostname or "" for seen in foreign)),
        lost=LearnedMarks(
            address=addresses,
            status=(HTTPStatus.UNAUTHORIZED.value,),
            selector=selectors,
            text=texts.text,
            within=texts.within,
        ),
        doubts=tuple(doubts),
    )


def _unlearned(fields: Sequence[object], *, is_http: bool) -> list[str]:
    """Return what a pack cannot do about a login whose fields were not shown."""
    if is_http:
        return [
            (
                "The portal asks for user and password by the browser itself (HTTP), and no profile keeps them: set "
                "POOLWRIGHT_USER and POOLWRIGHT_PASSWORD, or POOLWRIGHT_HTTP_USER and POOLWRIGHT_HTTP_PASSWORD."
            )
        ]
    if not fields:
        return ["No login form of the portal with user and password was shown, so a person logs in by hand."]
    return []


def _path_of(seen: SeenPage) -> str:
    parts = urlsplit(seen.tree.address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _has_own_place(seen: SeenPage, others: Sequence[SeenPage]) -> bool:
    """Return whether the address of a login page is its own.

    A page of status 401 stands at any address, and one beside the orders is that of an order that asks for a login.
    """
    folders = {_folder_of(other) for other in others if other.page.kind is ShownKind.ORDER} - {""}
    return seen.page.status != HTTPStatus.UNAUTHORIZED and _folder_of(seen) not in folders


def _folder_of(seen: SeenPage) -> str:
    return urlsplit(seen.tree.address).path.rpartition("/")[0]


def _form_marks(own: Sequence[SeenPage], others: Sequence[SeenPage]) -> tuple[tuple[str, ...], list[SeenPage]]:
    """Return the selectors of fields that only login pages show, and the login pages without any."""
    selectors: dict[str, None] = {}
    unmarked: list[SeenPage] = []
    for seen in own:
        fields = [item for item in seen.tree.select(_PASSWORD) if is_shown(item)] or _user_fields(seen)
        found = next(filter(None, (unique_selector(seen, item, others) for item in fields)), "")
        if found:
            selectors[found] = None
        else:
            unmarked.append(seen)
    return tuple(selectors), unmarked


def _user_fields(seen: SeenPage) -> list[HtmlElement]:
    return [item for item in seen.tree.select("input") if _is_user_field(item)]


def _is_user_field(element: HtmlElement) -> bool:
    is_fixed = element.get("readonly") is not None or element.get("disabled") is not None
    return not is_fixed and is_shown(element) and (element.get("type") or "").lower() in _USER_TYPES


def _steps(own: Sequence[SeenPage]) -> tuple[Mapping[str, str | bool], ...]:
    """Return the actions of a login with user and password on two pages; empty if one of them was not shown."""
    users = [found for seen in own if _password(seen) is None and (found := _one_field(seen, _user_fields(seen), own))]
    passwords = [
        found for seen in own if (field := _password(seen)) is not None and (found := _one_field(seen, [field], own))
    ]
    if not users or not passwords:
        return ()
    # When a session has ended, the portal may still know the user and ask for the password alone.
    user = ({"fill": users[0][0], "value": "{user}"}, users[0][1])
    return (
        *({**action, "if_present": True} for action in user),
        {"fill": passwords[0][0], "value": "{password}"},
        passwords[0][1],
    )


def _password(seen: SeenPage) -> HtmlElement | None:
    return next((item for item in seen.tree.select(_PASSWORD) if is_shown(item)), None)


def _one_field(
    seen: SeenPage, fields: Sequence[HtmlElement], own: Sequence[SeenPage]
) -> tuple[str, Mapping[str, str]] | None:
    """Return the selector of the only field of a page and how it is sent; ``None`` if one of them is not known.

    A button that the other page of the login has too could be pressed there too early, and of several that
    do not say that they send the form nobody knows which one it is: then Enter sends the field.
    """
    if len(fields) != 1:
        return None
    buttons = [item for item in _scope_of(seen, fields[0]) if _is_button(item)]
    field = unique_selector(seen, fields[0], [])
    if not buttons or not field:
        return None
    others = [other for other in own if other is not seen]
    sending = _sending(buttons)
    is_known = len(sending) == 1 or any((item.get("type") or "submit").lower() == "submit" for item in sending)
    button = unique_selector(seen, _submit(buttons), others) if is_known else ""
    return field, {"click": button} if button else {"press": "Enter", "on": field}


def _scope_of(seen: SeenPage, field: HtmlElement) -> list[HtmlElement]:
    """Return the elements of the form around a field, or those of the page if there is none."""
    form = next((item for item in field.iterancestors() if item.tag == "form"), seen.tree.roots[0])
    return [item for item in form.iter() if isinstance(item.tag, str)]


def _form(seen: SeenPage) -> tuple[str, str, str] | None:
    """Return the selectors of user, password and button of a login form; ``None`` if one of them is not there."""
    password = _password(seen)
    if password is None:
        return None
    items = _scope_of(seen, password)
    before = [item for item in items[: items.index(password)] if item.tag == "input" and _is_user_field(item)]
    buttons = [item for item in items if _is_button(item)]
    after = [item for item in buttons if items.index(item) > items.index(password)]
    if not before or not (after or buttons):
        return None
    selectors = [unique_selector(seen, item, []) for item in (before[-1], password, _submit(after or buttons))]
    return (selectors[0], selectors[1], selectors[2]) if all(selectors) else None


def _is_button(element: HtmlElement) -> bool:
    if not is_shown(element):
        return False
    kind = (element.get("type") or "").lower()
    return (element.tag == "button" and kind in {"", "submit", "button"}) or (
        element.tag == "input" and kind in {"submit", "image", "button"}
    )


def _sending(buttons: Sequence[HtmlElement]) -> list[HtmlElement]:
    """Return the buttons without those that do something else than to send the form."""
    sending = [item for item in buttons if not _OTHERWISE.search(text_of(item) or item.get("value") or "")]
    return sending or list(buttons)


def _submit(buttons: Sequence[HtmlElement]) -> HtmlElement:
    """Return the button that sends the form: one of that type with a text, else the first."""
    buttons = _sending(buttons)
    typed = [item for item in buttons if (item.get("type") or "submit").lower() in {"submit", "image"}]
    named = [item for item in typed if text_of(item) or item.get("value")]
    return (named or typed or list(buttons))[0]
