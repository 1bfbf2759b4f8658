"""Responses of the demo portal: pages, redirects, errors, files in pieces, and truncated responses."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from poolwright.demo.catalogue.order import Naming
from poolwright.demo.pages import error_page, maintenance_page

_CHUNK_BYTES = 64 * 1024


class PiecewiseResponse(Response):
    """A response whose body is sent in pieces; if chunked, without Content-Length."""

    def __init__(self, content: bytes, *, headers: list[tuple[bytes, bytes]], is_chunked: bool) -> None:
        super().__init__(content)
        if is_chunked:
            del self.headers["content-length"]
        self.raw_headers.extend(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI call
        """Send the body in pieces."""
        content = bytes(self.body)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(content), _CHUNK_BYTES):
            chunk = content[start : start + _CHUNK_BYTES]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class TruncatedResponse(Response):
    """A response that ends after the first bytes of another response's body, by closing the connection."""

    def __init__(self, whole: Response, after_bytes: int) -> None:
        super().__init__(status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self.body = bytes(whole.body)[:after_bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI call
        """Send the first bytes; the server then closes the connection, since the response is incomplete."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})


def page_response(html: str, status: int = 200) -> Response:
    """Return a page that is not cached."""
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


def redirect(address: str) -> Response:
    """Return a redirect that is not cached."""
    return RedirectResponse(address, 302, headers={"Cache-Control": "no-store"})


def error_response(status: int, retry_after_s: int | None = None) -> Response:
    """Return the error page for an HTTP status."""
    response = page_response(error_page(status), status)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def maintenance_response() -> Response:
    """Return the maintenance page, with status 503 and without Retry-After."""
    return page_response(maintenance_page(), 503)


def content_disposition(naming: Naming, name: str) -> bytes | None:
    """Return the Content-Disposition header for a name; ``None`` for no header."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    match naming:
        case Naming.QUOTED:
            return f'attachment; filename="{_escaped(name)}"'.encode()
        case Naming.EXTENDED:
            return f"attachment; filename=\"{_escaped(plain)}\"; filename*=UTF-8''{quote(name, safe='')}".encode()
        case Naming.RAW_UTF8:
            return f'attachment; filename="{_escaped(name)}"'.encode()
        case Naming.NAMELESS:
            return b"attachment"
        case Naming.INLINE:
            return f"inline; filename*=UTF-8''{quote(name, safe='')}".encode()
        case Naming.BARE:
            return None


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
