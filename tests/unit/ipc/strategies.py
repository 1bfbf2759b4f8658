"""Any message of the protocol, as both sides can make them: odd text, nested reports, large ones."""

from __future__ import annotations

from datetime import UTC
from typing import get_args

from hypothesis import strategies as st
from pydantic import BaseModel

from poolwright.domain.events import Level, SessionView
from poolwright.domain.ids import SiteCookies
from poolwright.domain.options import BrowserOptions, PortalOptions, Sandbox, Secret, WorkerOptions
from poolwright.domain.outcomes import LoginCheck, Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.ipc import messages as wire

#: All that UTF-8 can hold.
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
LONG_TEXT = st.builds(lambda text, times: text * times, TEXT, st.integers(0, 500))
TIMES = st.datetimes(timezones=st.just(UTC))
NUMBERS = st.integers(0, 2**53)
SECONDS = st.floats(0, 1e9)
TASK_IDS = TEXT

TRANSITIONS = st.builds(
    Transition, machine=TEXT, entity=TEXT, origin=TEXT, event=TEXT, target=TEXT, at=TIMES, cause=TEXT
)
PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TASKS = st.builds(
    POTask,
    task_id=TASK_IDS,
    po_number=TEXT,
    portal_number=TEXT,
    attempt=NUMBERS,
    death_count=NUMBERS,
    payload=PAYLOADS,
    timeout_s=st.none() | st.floats(0, 1e9, exclude_min=True),
)
FILES = st.builds(FetchedFile, name=TEXT, label=TEXT, size_bytes=NUMBERS, sha256=TEXT, media_type=TEXT, source_url=TEXT)
MISSED = st.builds(MissedFile, label=TEXT, source_url=TEXT, problem=TEXT, is_retryable=st.booleans())
REPORTS = st.builds(
    Report,
    reason=st.sampled_from(Reason),
    detail=LONG_TEXT,
    fields=st.dictionaries(TEXT, TEXT, max_size=4),
    files=st.lists(FILES, max_size=4).map(tuple),
    missed=st.lists(MISSED, max_size=3).map(tuple),
    evidence=st.lists(TEXT, max_size=2).map(tuple),
    page_url=TEXT,
    retry_after_s=st.none() | SECONDS,
    duration_s=SECONDS,
)
SESSIONS = st.builds(
    SessionView,
    status=TEXT,
    main_window_handle=TEXT,
    active_tabs=st.dictionaries(TASK_IDS, TEXT, max_size=4),
    startup_time=st.none() | TIMES,
    last_activity=st.none() | TIMES,
)
OPTIONS = st.builds(
    WorkerOptions,
    browser=st.builds(
        BrowserOptions, executable_path=TEXT, headless_mode=st.booleans(), sandbox=st.sampled_from(Sandbox)
    ),
    portal=st.none()
    | st.builds(PortalOptions, pack_json=LONG_TEXT, base_url=TEXT, user=TEXT, password=st.builds(Secret, text=TEXT)),
    tabs_per_worker=st.integers(1, 16),
    task_timeout_s=st.floats(0, 1e9, exclude_min=True),
    processor=TEXT,
    import_path=st.lists(TEXT, max_size=2).map(tuple),
)

SITES = st.builds(SiteCookies, site=TEXT, lasting_count=NUMBERS, session_count=NUMBERS)
_SEAT = st.builds(
    wire.WorkerPaths, profile_path=TEXT, staging_path=TEXT, expected_cookies=st.lists(SITES, max_size=4).map(tuple)
)
_PLANS = st.builds(
    wire.ExaminationPlan,
    pages=st.lists(
        st.builds(wire.PageToExamine, number=TEXT, portal_number=TEXT, folder=TEXT, saved_path=TEXT), max_size=3
    ).map(tuple),
    stays_open=st.booleans(),
)
_FROM = {"slot": st.integers(1, 8), "generation": st.integers(1, 1000)}

Strategies = dict[type[BaseModel], st.SearchStrategy[BaseModel]]

TO_WORKER: Strategies = {
    wire.Configure: st.builds(
        wire.Configure,
        protocol=NUMBERS,
        mode=st.sampled_from(wire.WorkerMode),
        options=OPTIONS,
        paths=_SEAT,
        one_time_code=TEXT,
        examination=st.none() | _PLANS,
    ),
    wire.Assign: st.builds(wire.Assign, task=TASKS, staging=TEXT),
    wire.CheckLogin: st.builds(wire.CheckLogin, task_ids=st.frozensets(TASK_IDS, max_size=3)),
    wire.GetThumbnail: st.builds(wire.GetThumbnail, task_id=TASK_IDS),
    wire.Refresh: st.builds(wire.Refresh, one_time_code=TEXT, is_early=st.booleans()),
    wire.ImportCookies: st.builds(wire.ImportCookies, cookies_path=TEXT),
    wire.Drain: st.builds(wire.Drain),
}
TO_SUPERVISOR: Strategies = {
    wire.Hello: st.builds(wire.Hello, **_FROM, protocol=NUMBERS, pid=NUMBERS),
    wire.StartupFailed: st.builds(wire.StartupFailed, **_FROM, kind=st.sampled_from(wire.StartupFailure), detail=TEXT),
    wire.Ready: st.builds(wire.Ready, **_FROM, session=SESSIONS),
    wire.StateChanged: st.builds(wire.StateChanged, **_FROM, transition=TRANSITIONS),
    wire.Finished: st.builds(wire.Finished, **_FROM, task_id=TASK_IDS, report=REPORTS),
    wire.Returned: st.builds(wire.Returned, **_FROM, task_id=TASK_IDS, why=st.sampled_from(ReturnReason), detail=TEXT),
    wire.LoginChecked: st.builds(wire.LoginChecked, **_FROM, result=st.sampled_from(LoginCheck)),
    wire.Thumbnail: st.builds(wire.Thumbnail, **_FROM, task_id=TASK_IDS, jpeg=TEXT),
    wire.LoginRefreshed: st.builds(wire.LoginRefreshed, **_FROM),
    wire.LoginRequired: st.builds(wire.LoginRequired, **_FROM, detail=TEXT),
    wire.LoginResult: st.builds(wire.LoginResult, **_FROM, is_logged_in=st.booleans(), detail=TEXT),
    wire.Heartbeat: st.builds(wire.Heartbeat, **_FROM, session=SESSIONS),
    wire.LogNotice: st.builds(wire.LogNotice, **_FROM, level=st.sampled_from(Level), text=TEXT),
    wire.Examined: st.builds(wire.Examined, **_FROM, number=TEXT, problem=TEXT),
    wire.Exiting: st.builds(wire.Exiting, **_FROM),
}


def members(union: object) -> tuple[type[BaseModel], ...]:
    """The message types of one of the two unions."""
    return get_args(get_args(union)[0])
