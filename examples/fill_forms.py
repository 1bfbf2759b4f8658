"""Fill in a form, once for each row of a table: the fields of a row are the payload of its task.

Run it with the Python that Poolwright is installed in, and with a CSV file:

    python examples/fill_forms.py requests.csv

The column ``id`` tells the rows apart, ``address`` is the page with the form, and every other column is called like a
field of that form (its ``name``). Below ``filled`` each row gets a folder with ``answer.txt``, what the page said then;
pictures of the filled-in form and of the answer are kept as evidence in ``filled/.poolwright/evidence``.

A form that was sent cannot be called back. So each row is tried once here (``max_attempts=1``): a task whose worker
died right after it sent its form would send it again. Another start takes up rows that failed; look at them before.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import anyio
from playwright.async_api import Locator

from poolwright import GiveUpError, JsonValue, POTask, Reason, Report, SessionLostError, Tab, new_task, open_pool

#: Columns that are no fields of the form.
NO_FIELDS: Final = {"id", "address"}


async def fill_form(tab: Tab, task: POTask) -> Report:
    """Open the form that the task names, fill in its fields, send it, and save what the page says then."""
    address, fields = _order(task.payload)
    await tab.page.goto(address)
    if await tab.page.locator("input[type=password]").count():
        raise SessionLostError(f"{address} asks for a password.")  # a pool with a portal brings the login back then
    tab.loaded()
    first, *_ = fields
    form = tab.page.locator("form").filter(has=tab.page.locator(_named(first))).first
    for name, text in fields.items():
        await _fill(form.locator(_named(name)), name, text)
    await tab.evidence("filled in")
    async with tab.page.expect_navigation():
        await form.evaluate("form => form.requestSubmit()")
    await tab.evidence("answer")
    said = await tab.page.locator("body").inner_text()
    await tab.save("answer.txt", said.encode())
    return Report(reason=Reason.ALL_SAVED, fields={"answer": " ".join(said.split())[:200]})


def _order(payload: JsonValue) -> tuple[str, dict[str, str]]:
    """The address and the fields that a payload brings."""
    match payload:
        case {"address": str(address), **others} if others.keys() - NO_FIELDS:
            return address, {name: str(text) for name, text in others.items() if name not in NO_FIELDS}
        case _:
            raise GiveUpError('The payload must be {"address": "https://...", "name of a field": "text", ...}.')


def _named(name: str) -> str:
    return f"[name={json.dumps(name)}]"


async def _fill(field: Locator, name: str, text: str) -> None:
    """Fill in one field, whatever kind it is of."""
    if not await field.count():
        raise GiveUpError(f"The form has no field {name!r}.")
    kind = await field.evaluate("field => field.type")
    if kind == "checkbox":
        await field.set_checked(text.casefold() in {"yes", "true", "1", "x"})
    elif kind.startswith("select"):
        await field.select_option(text)
    else:
        await field.fill(text)


async def main(rows: Sequence[Mapping[str, str]]) -> None:
    """Send one form for each row, and tell what the page said to each."""
    async with open_pool(fill_form, out="filled", workers=1, max_attempts=1) as pool:
        handles = [await pool.submit_task(new_task(row["id"], {**row})) for row in rows]
        for handle in handles:
            report = await handle
            if report is not None:
                print(handle.task.po_number, report.outcome, report.fields.get("answer", report.detail))


if __name__ == "__main__":  # workers import this file too, and must not start a pool of their own
    with Path(sys.argv[1]).open(encoding="utf-8-sig", newline="") as table:
        anyio.run(main, list(csv.DictReader(table)))
