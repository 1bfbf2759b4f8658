"""Whether a page that came in the place of a file is the portal's login page, by where it is."""

from __future__ import annotations

from poolwright.portal.pack import Pack
from poolwright.portal.triage import address_matches
from poolwright.sdk.protocol import SessionLostError


def stop_at_login(pack: Pack, base_url: str, url: str) -> None:
    """Look where a page is that is no file. A file may be called as it likes, so no file's address is judged here.

    Raises:
        SessionLostError: It is the portal's page for a login, or for a second factor.
    """
    if not pack.may_fetch(base_url, url):
        return  # the words of an address of storage are those of the file
    triage = pack.triage
    for marks, page in ((triage.session_lost, "login page"), (triage.second_factor, "page for a second factor")):
        if marks is not None and address_matches(marks, url):
            msg = f"the portal sent us to its {page} instead of a file"
            raise SessionLostError(msg)
