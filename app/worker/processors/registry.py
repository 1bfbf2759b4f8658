"""Which processors there are, by the name in the options."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.worker.processors import po_attachments
from app.worker.processors.protocol import Processor

PROCESSORS: Mapping[str, Processor] = MappingProxyType({"po_attachments": po_attachments.process})
