"""Accounts in the journal: whose orders its ids mean, for each portal.

The first that asks is written down. In a journal of a time when nobody asked, the pages tell where its orders are from.
"""

from __future__ import annotations

from sqlite3 import Connection

from poolwright.domain.account import Account, origin_of

_KNOWN = "SELECT address, profile FROM accounts WHERE portal = ?"
_KEEP = """
INSERT INTO accounts (portal, address, profile) VALUES (?, ?, ?)
ON CONFLICT (portal) DO UPDATE SET address = excluded.address, profile = excluded.profile
"""
#: The ids of one portal are neighbours. A host has few pages that are long over; each is read once.
_PAGES = """
SELECT page_url FROM reports WHERE task_id >= ? AND task_id < ? AND page_url <> '' AND outcome IN (
    'COMPLETED', 'PARTIAL', 'NO_ATTACHMENTS', 'NOT_FOUND', 'FORBIDDEN'
)
"""


def other_than(connection: Connection, account: Account) -> str:
    """Whose the orders of this portal are, in words, where they are not this account's; empty where they may be."""
    known = connection.execute(_KNOWN, (account.portal,)).fetchone()
    if known is not None:
        address, profile = known
        found = Account(portal=account.portal, address=address, profile=profile)
        return "" if found == account else str(found)
    return _told_by_pages(connection, account)


def keep(connection: Connection, account: Account) -> None:
    """Write down that the orders of this portal are this account's."""
    connection.execute(_KEEP, (account.portal, account.address, account.profile))


def _told_by_pages(connection: Connection, account: Account) -> str:
    origin = ""
    after_last = f"{account.prefix[:-1]};"  # the character that follows a colon
    for (page_url,) in connection.execute(_PAGES, (account.prefix, after_last)):
        if account.may_show(page_url):
            return ""
        origin = origin or origin_of(page_url)
    return origin
