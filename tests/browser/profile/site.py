"""A portal small enough to read: one login form, one page behind it, one PDF."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
COOKIES = (
    "remember=yes; Max-Age=86400; Path=/",
    "token=secret; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax",
    "session=now; Path=/; HttpOnly",
    "chip=own; Max-Age=86400; Path=/; Secure; SameSite=None; Partitioned",
    "chip-session=own; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
)
COOKIE_NAMES = {"remember", "token", "session", "chip", "chip-session"}

#: A service worker that answers one address itself.
WORKER = b"""self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('fetch', (event) => {
  if (event.request.url.endsWith('/from-worker')) { event.respondWith(new Response('worker')); }
});"""
FORM = b"<form method=post action=/login><input name=user><button>Log in</button></form>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where it is."""

    url: str


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/order.pdf":
            self._answer(PDF, "application/pdf")
        elif self.path == "/worker.js":
            self._answer(WORKER, "text/javascript")
        else:
            self._answer(FORM if self.path == "/login" else b"<h1>Orders</h1>", "text/html")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(303)
        for cookie in COOKIES:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the standard library's
        """Say nothing: tests read standard error."""

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Generator[Site]:
    """The portal, until the end of the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Site(url=f"http://localhost:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
