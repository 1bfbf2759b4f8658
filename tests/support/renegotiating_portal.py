"""A portal on loopback that asks for a certificate on its pages below ``/secure`` alone, by a second handshake.

Python's ``ssl`` cannot begin a second handshake, so the Node program of the browser's driver serves it.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from tests.support.certificates import Pair

_SERVER = """
const own = require("fs").readFileSync(process.argv[1]);
const ca = require("fs").readFileSync(process.argv[2]);
const options = { key: own, cert: own, ca, rejectUnauthorized: false, maxVersion: "TLSv1.2" };
const server = require("https").createServer(options, (request, response) => {
  const answer = () => {
    const visitor = request.socket.getPeerCertificate().subject;
    response.writeHead(request.url === "/" || visitor ? 200 : 403, { "content-type": "text/html" });
    response.end(`hello ${visitor ? visitor.CN : "nobody"}`);
  };
  if (request.url === "/") return answer();
  request.socket.renegotiate({ requestCert: true, rejectUnauthorized: false }, answer);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


@contextlib.contextmanager
def renegotiating_portal(own: Pair, authority: Pair, folder: Path) -> Generator[str]:
    """The portal; its address.

    Args:
        own: Its certificate.
        authority: The authority that must know its visitors.
        folder: For the files that Node wants of both.
    """
    paths = folder / "own.pem", folder / "authority.pem"
    paths[0].write_text(own.key_pem() + own.pem)
    paths[1].write_text(authority.pem)
    node = compute_driver_executable()[0]
    with subprocess.Popen([node, "-e", _SERVER, *paths], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"https://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()
