"""Answers that the framework has no class for: a file sent in portions, and a connection that breaks off."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from poolwright.demo.catalogue.order import Naming
from poolwright.demo.pages import error_page, maintenance_page

_PIECE_BYTES = 64 * 1024


class PiecewiseResponse(Response):
    """A body sent piece by piece; without its length when chunked."""

    def __init__(self, content: bytes, *, headers: list[tuple[bytes, bytes]], is_chunked: bool) -> None:
        super().__init__(content)
        if is_chunked:
            del self.headers["content-length"]
        self.raw_headers.extend(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI call
        """Send the file."""
        content = bytes(self.body)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for start in range(0, len(content), _PIECE_BYTES):
            piece = content[start : start + _PIECE_BYTES]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class TruncatedResponse(Response):
    """The headers of another answer and the beginning of its body; then the connection closes."""

    def __init__(self, whole: Response, after_bytes: int) -> None:
        super().__init__(status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self.body = bytes(whole.body)[:after_bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI call
        """Send the beginning. The server closes the connection of an answer that nobody finished."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})


def page_response(html: str, status: int = 200) -> Response:
    """A page that no cache may keep."""
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


def redirect(address: str) -> Response:
    """Send the browser elsewhere."""
    return RedirectResponse(address, 302, headers={"Cache-Control": "no-store"})


def error_response(status: int, retry_after_s: int | None = None) -> Response:
    """The error page of that status."""
    answer = page_response(error_page(status), status)
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(retry_after_s)
    return answer


def maintenance_response() -> Response:
    """Closed for maintenance, nobody knows how long."""
    return page_response(maintenance_page(), 503)


def content_disposition(naming: Naming, name: str) -> bytes | None:
    """The Content-Disposition header that tells a name in that way; nothing where there is none."""
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
