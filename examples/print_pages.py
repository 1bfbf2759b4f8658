"""Print pages to PDF: each address becomes one task, and one folder with ``page.pdf`` in it.

Run it with the Python that Poolwright is installed in, and name as many addresses as you like:

    python examples/print_pages.py https://example.com https://example.org

Everything lands below ``printed``, one folder for each address. Started again it prints nothing twice.

``print_page`` is the processor, the part that workers run. Each of them has a browser of its own and calls it once for
each task, with a fresh tab. It says how a task ended by what it returns, or by what it raises:

- ``GiveUpError``: this address will never work, so no other attempt is made.
- ``RetryLaterError``: it may work in a while, so another attempt is made, up to ``max_attempts``.
- Anything else that is raised counts as a fault of the processor: it is tried again, and the log has the traceback.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Final

import anyio

from poolwright import GiveUpError, POTask, Reason, Report, RetryLaterError, Tab, new_task, open_pool

#: Answers of a server that has too much to do at the moment.
BUSY: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


async def print_page(tab: Tab, task: POTask) -> Report:
    """Open the address that the task brings, and save it as a PDF."""
    match task.payload:
        case {"address": str(address)}:
            pass
        case _:
            raise GiveUpError('The payload must be {"address": "https://..."}.')
    answer = await tab.page.goto(address, wait_until="load")
    if answer is not None and answer.status in BUSY:
        raise RetryLaterError(f"{address} is busy (status {answer.status}).", after_s=10)
    if answer is not None and not answer.ok:
        raise GiveUpError(f"{address} shows no page (status {answer.status}).")
    tab.loaded()
    await tab.save("page.pdf", await tab.page.pdf(format="A4", print_background=True))
    return Report(reason=Reason.ALL_SAVED, fields={"title": await tab.page.title()})


async def main(addresses: list[str]) -> None:
    """Print the addresses, two at a time, and tell how each went."""
    async with open_pool(print_page, out="printed", workers=1) as pool:
        for address in addresses:
            await pool.submit_task(new_task(address, {"address": address}))
        async for handle in pool.as_completed():
            report = await handle
            if report is not None:
                print(handle.task.po_number, report.outcome, report.fields.get("title", report.detail))


if __name__ == "__main__":  # workers import this file too, and must not start a pool of their own
    anyio.run(main, sys.argv[1:])
