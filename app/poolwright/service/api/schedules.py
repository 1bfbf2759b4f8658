"""Routes of the schedules: what there is, and one run now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, status

from poolwright.service.schedules.firing import Decision
from poolwright.service.schedules.sight import Sight
from poolwright.service.schedules.timetable import RunAnswer, Timetable, UnknownScheduleError

Name = Annotated[str, Path(description="Name of a schedule of the settings.", max_length=40)]


def schedule_routes(timetable: Timetable) -> APIRouter:
    """The routes over this timetable; whoever includes them puts the prefix and the token before them."""
    router = APIRouter(prefix="/schedules", tags=["schedules"])

    @router.get("", summary="All schedules with their next run and their history")
    async def list_schedules() -> tuple[Sight, ...]:
        return timetable.overview()

    @router.post(
        "/{name}/run",
        status_code=status.HTTP_202_ACCEPTED,
        summary="Run a schedule now; its overlap rule applies",
        responses={404: {"description": "No such schedule"}, 409: {"description": "It is already running"}},
    )
    async def run_schedule(name: Name) -> RunAnswer:
        try:
            answer = await timetable.run_now(name)
        except UnknownScheduleError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from error
        if answer.decision is Decision.SKIP:
            raise HTTPException(status.HTTP_409_CONFLICT, answer.detail)
        return answer

    return router
