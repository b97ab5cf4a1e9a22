"""Real directories to test against: OpenLDAP's server on loopback, with trees of people and groups.

Nothing here imports from plugins/.
"""

from __future__ import annotations

from tests.directory.broken import Broken
from tests.directory.slapd import ACCOUNT, LIMITED, PASSWORD, Slapd
from tests.directory.trees import ACTIVE_DIRECTORY, OPENLDAP, Person, Team, Tree

__all__ = ["ACCOUNT", "ACTIVE_DIRECTORY", "LIMITED", "OPENLDAP", "PASSWORD", "Broken", "Person", "Slapd", "Team", "Tree"]
