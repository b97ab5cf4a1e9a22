"""Whole Linux hosts with real firewalls and containers, and a Bitwarden cloud for them to reach, in namespaces of their own.

Nothing here imports from plugins/, and nothing touches the machine's own network. Needs root and the trees of tools/trees.py.
"""

from __future__ import annotations

from tests.hosts.bare import Bare
from tests.hosts.booted import Booted
from tests.hosts.host import Host
from tests.hosts.management import Management
from tests.hosts.trees import tree, unavailable
from tests.hosts.world import World

__all__ = ["Bare", "Booted", "Host", "Management", "World", "tree", "unavailable"]
