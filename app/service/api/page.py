"""The dashboard's files. They hold nothing of the pool's, so they need no token; the page asks for that itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from fastapi.responses import Response

from app.service.dashboard import PARTS, content

router = APIRouter(include_in_schema=False)

#: Only our own script and style, only our own interface, pictures that the script made; in no frame of anybody's.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def _giving(name: str) -> Callable[[], Awaitable[Response]]:
    async def give() -> Response:
        return Response(content(name), media_type=PARTS[name], headers=HEADERS)

    return give


router.add_api_route("/", _giving("index.html"))
for _name in PARTS:
    router.add_api_route(f"/{_name}", _giving(_name))
