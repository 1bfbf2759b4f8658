"""A processor that runs a script on a page and tells what came of it, for tests of what a session keeps."""

from __future__ import annotations

import json
from typing import Any

from poolwright.service.library import POTask, Reason, Report


async def run(tab: Any, task: POTask) -> Report:  # noqa: ANN401 - the worker's Tab, which only workers import
    """Open ``url``, evaluate ``script``; tells its result, and the names and values of all cookies."""
    assert isinstance(task.payload, dict)
    await tab.page.goto(task.payload["url"])
    result = await tab.page.evaluate(task.payload["script"])
    cookies = {cookie["name"]: cookie["value"] for cookie in await tab.page.context.cookies()}
    return Report(reason=Reason.ALL_SAVED, fields={"result": json.dumps(result), "cookies": json.dumps(cookies)})
