"""A small web site with pages to print and a form to fill in; it remembers what was sent."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

FORM = """<!doctype html><title>New request</title>
<form action="/search"><input name="q"><button>Search</button></form>
<form method="post" action="/requests">
  <input name="subject" required> <textarea name="text"></textarea>
  <select name="urgency"><option>low</option><option>high</option></select>
  <input type="checkbox" name="copy"> <button>Send</button>
</form>"""
PAGES = {
    "/": "<!doctype html><title>Price list</title><h1>Prices</h1>",
    "/form": FORM,
    "/login": "<!doctype html><title>Log in</title><form><input type=password name=word></form>",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site that runs."""

    url: str
    #: The fields of every form that was sent, in the order in which they came.
    sent: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


@contextmanager
def running_site() -> Generator[Site]:
    """Serve on a port of its own for as long as the block lasts."""
    sent: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path in PAGES:
                self._answer(HTTPStatus.OK, PAGES[path])
            else:
                status = HTTPStatus.SERVICE_UNAVAILABLE if path == "/busy" else HTTPStatus.NOT_FOUND
                self._answer(status, f"<title>{status.phrase}</title>")

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            sent.append({name: values[0] for name, values in parse_qs(text).items()})
            self._answer(HTTPStatus.OK, f"<title>Thanks</title><p>Request {len(sent)}\n was taken.</p>")

        def _answer(self, status: HTTPStatus, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Site(url=f"http://127.0.0.1:{server.server_port}", sent=sent)
        finally:
            server.shutdown()
            thread.join()
