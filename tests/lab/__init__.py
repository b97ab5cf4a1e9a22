"""A Bitwarden double that tells the truth: cloud US, cloud EU and a self-hosted server on loopback.

Nothing here imports from plugins/. Start with C(Lab), or C(python -m tests.lab up).
"""

from __future__ import annotations

from tests.lab.control import connect
from tests.lab.core import Mail
from tests.lab.lab import Lab
from tests.lab.ledger import Request
from tests.lab.people import Person
from tests.lab.scenarios import FACTS
from tests.lab.stage import Snapshot

__all__ = ["FACTS", "Lab", "Mail", "Person", "Request", "Snapshot", "connect"]
