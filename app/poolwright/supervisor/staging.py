"""Where the files of one attempt wait until they are filed."""

from __future__ import annotations

from hashlib import sha256

from poolwright.domain.tasks import POTask

#: Letters of an id that a person sees in the name: of four bytes each they still leave room below 255.
_SEEN_LENGTH = 40
#: Hexadecimal digits that tell ids apart whose names look alike.
_MARK_LENGTH = 12


def staging_name(task: POTask) -> str:
    """Folder of one attempt below its worker's staging folder; attempts never share one."""
    safe = "".join(letter if letter.isalnum() else "-" for letter in task.task_id[:_SEEN_LENGTH])
    mark = sha256(task.task_id.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{safe}-{mark}.{task.attempt}"
