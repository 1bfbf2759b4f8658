"""Where the files of one attempt wait until they are filed."""

from __future__ import annotations

from app.domain.task import POTask


def staging_name(task: POTask) -> str:
    """Folder of one attempt below its worker's staging folder; attempts never share one."""
    safe = "".join(letter if letter.isalnum() else "-" for letter in task.task_id)
    return f"{safe[:80]}.{task.attempt}"
