"""The dashboard's page and what it is made of: files of one folder, each at an address of its own, for everybody.

They hold nothing secret: the page asks for the token, and everything it shows it asks the interface for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

INDEX_NAME = "index.html"
#: Files of other kinds are not served.
TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
#: The page runs its own script and asks its own daemon, whatever gets into it. Thumbnails and evidence are ``blob:``.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
#: A page of an older program must not meet a newer one.
_HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}


def find_pages(folder: Traversable | None = None) -> Mapping[str, Response]:
    """The answer for each path; none where there is no page. Blocking.

    Args:
        folder: Where the files are; those of this program where it is not given.
    """
    place = folder or files("poolwright.service").joinpath("dashboard")
    if not place.is_dir():
        return {}
    found = {file.name: file for file in place.iterdir() if _suffix(file.name) in TYPES}
    return {
        "/" if name == INDEX_NAME else f"/{name}": Response(
            file.read_bytes(), media_type=TYPES[_suffix(name)], headers=_HEADERS
        )
        for name, file in sorted(found.items())
    }


def serve_pages(app: FastAPI, pages: Mapping[str, Response]) -> None:
    """Have an application answer with these pages."""

    async def answer(request: Request) -> Response:
        return pages[request.scope["path"]]

    for path in pages:
        app.add_route(path, answer, methods=["GET"], include_in_schema=False)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
