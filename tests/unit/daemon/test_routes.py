"""The routes of the HTTP application: every path with its methods, and the names that generated clients use."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.types import ASGIApp

from poolwright.domain.outcomes import Reason
from poolwright.intake.orders import ReadOptions
from poolwright.service.api.app import API_PREFIX, DOCUMENT_PATH, ApiDeps, make_app
from poolwright.service.api.middleware import RequestLimits
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.schedules.scheduler import Scheduler

TOKEN = "t" * 43
PAGE = Path(__file__).parents[3] / "docs" / "daemon-and-api.md"
SCHEDULE_ROUTES = {
    "GET /api/v1/schedules": "list_schedules_api_v1_schedules_get",
    "POST /api/v1/schedules/{name}/run": "run_schedule_api_v1_schedules__name__run_post",
}
ROUTES = {
    "POST /api/v1/lists": "send_numbers_api_v1_lists_post",
    "GET /api/v1/lists": "lists_api_v1_lists_get",
    "POST /api/v1/lists/upload": "send_file_api_v1_lists_upload_post",
    "GET /api/v1/lists/{list_id}": "one_list_api_v1_lists__list_id__get",
    "GET /api/v1/lists/{list_id}/report": "report_api_v1_lists__list_id__report_get",
    "POST /api/v1/groups/resume": "resume_group_api_v1_groups_resume_post",
    "GET /api/v1/orders": "orders_api_v1_orders_get",
    "POST /api/v1/orders/cancel": "cancel_api_v1_orders_cancel_post",
    "POST /api/v1/orders/retry": "retry_api_v1_orders_retry_post",
    "GET /api/v1/orders/{task_id}": "order_api_v1_orders__task_id__get",
    "GET /api/v1/orders/{task_id}/evidence/{name}": "evidence_api_v1_orders__task_id__evidence__name__get",
    "GET /api/v1/failures": "failures_api_v1_failures_get",
    "GET /api/v1/status": "status_api_v1_status_get",
    "GET /api/v1/workers/{slot}/tabs/{task_id}/thumbnail": (
        "thumbnail_api_v1_workers__slot__tabs__task_id__thumbnail_get"
    ),
    "POST /api/v1/workers/{slot}/restart": "restart_api_v1_workers__slot__restart_post",
    "POST /api/v1/pool/pause": "pause_api_v1_pool_pause_post",
    "POST /api/v1/pool/resume": "resume_api_v1_pool_resume_post",
    "POST /api/v1/pool/drain": "drain_api_v1_pool_drain_post",
    "GET /api/v1/events": "events_api_v1_events_get",
    "GET /metrics": "metrics_metrics_get",
    "GET /healthz": "healthz_healthz_get",
    "GET /readyz": "readyz_readyz_get",
}


def application(*, with_schedules: bool = True, reasons: tuple[str, ...] = ()) -> ASGIApp:
    """Build the application over a daemon that only knows whether it is ready."""
    daemon = SimpleNamespace(not_ready_reasons=lambda: reasons)
    return make_app(
        ApiDeps(
            daemon=cast("Daemon", daemon),
            reading=cast("ReadOptions", SimpleNamespace()),
            token=TOKEN,
            monotonic=lambda: 0.0,
            limits=RequestLimits(),
            scheduler=cast("Scheduler", SimpleNamespace(overview=lambda: ())) if with_schedules else None,
        )
    )


def asking(app: ASGIApp, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8484", headers=headers)


async def document_of(app: ASGIApp) -> dict[str, Any]:
    async with asking(app) as client:
        answer = await client.get(DOCUMENT_PATH)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def routes_of(app: ASGIApp) -> dict[str, str]:
    """Return the operation id of each method and path."""
    document = await document_of(app)
    return {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def test_the_application_has_these_routes_under_these_names() -> None:
    assert await routes_of(application()) == ROUTES | SCHEDULE_ROUTES


async def test_without_schedules_there_are_no_routes_for_them() -> None:
    assert await routes_of(application(with_schedules=False)) == ROUTES


async def test_every_documented_route_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = [line for line in text.splitlines() if line.startswith(f"| `GET {API_PREFIX}") or "| `POST /api" in line]
    named = {route for line in table for route in re.findall(r"`((?:GET|POST) /api/v1/[^`]+)`", line)}

    assert len(named) >= 14
    assert named <= set(await routes_of(application()))


async def test_every_route_below_the_prefix_needs_the_token_and_says_so() -> None:
    document = await document_of(application())
    guarded = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith(API_PREFIX) or path == "/metrics"
    }

    assert len(guarded) == len(ROUTES | SCHEDULE_ROUTES) - 2
    assert all(operation["security"] for operation in guarded.values())
    async with asking(application()) as client:
        for route in guarded:
            method, path = route.split()
            answer = await client.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, route


async def test_requests_reach_their_routes() -> None:
    async with asking(application(reasons=("The daemon is draining.",))) as client:
        alive, ready = await client.get("/healthz"), await client.get("/readyz")
    async with asking(application(), {"Authorization": f"Bearer {TOKEN}"}) as client:
        schedules = await client.get("/api/v1/schedules")
        refused = await client.post("/api/v1/orders/retry", json={})

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (503, {"is_ready": False, "reasons": ["The daemon is draining."]})
    assert (schedules.status_code, schedules.json()) == (200, [])
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/docs", "/redoc"])
async def test_an_unknown_path_is_not_found(path: str) -> None:
    async with asking(application(), {"Authorization": f"Bearer {TOKEN}"}) as client:
        answer = await client.get(path)

    assert answer.status_code == 404


async def test_the_document_names_every_reason_of_an_order() -> None:
    document = await document_of(application())

    assert set(document["components"]["schemas"]["Reason"]["enum"]) == {reason.value for reason in Reason}
