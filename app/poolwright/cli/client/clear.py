"""How a daemon is spoken to: in the clear, at the address that it wrote down itself."""

from __future__ import annotations

import ssl

#: Trusts nobody and so loads no certificates, which would take longer than the question and its answer.
IN_THE_CLEAR = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
