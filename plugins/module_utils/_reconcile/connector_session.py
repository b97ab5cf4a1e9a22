# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done with a Directory Connector that has its options: log in, look at the directory, sync within limits."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.connector import Connector, Terms
from ansible_collections.bw.selfhost.plugins.module_utils._host.connector_data import DataDirectory
from ansible_collections.bw.selfhost.plugins.module_utils._host.connector_program import Program
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_answer import Answer
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_document import Notes, notes, rules_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_failures import explain
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_guard import Limits, Listing, listing_of, refusals
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_options import organization_id
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan


@dataclass
class Report:
    """What came of it: the plan, and the modules' return values."""

    plan: Plan = field(default_factory=Plan)
    values: dict[str, t.Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Session:
    """One connector and the organization's API key."""

    def __init__(self, connector: Connector, client_id: str, client_secret: str) -> None:
        self._connector = connector
        self._key = client_id.lower(), client_secret

    @property
    def notes(self) -> Notes:
        """What the program has noted about itself."""
        return notes(self._connector.data.document() or {})

    def login(self) -> None:
        """See to it that there is a session of this very key: the program keeps an old one, and loses each that is refused.

        Raises:
            SelfhostError: the server does not let us in.
        """
        noted = self.notes
        if noted.token and (noted.client_id, noted.client_secret) != self._key:
            self._connector.run("logout")
        answer = self._connector.login(*self._key)
        if not answer.success and answer.already_logged_in != organization_id(self._key[0]):
            raise explain("login", answer)

    def test(self) -> Listing:
        """Read the whole directory; the server is only asked for a session."""
        self.login()
        return listing_of(self._connector.run("test").data)

    def look(self, limits: Limits) -> Report:
        """Show what is in the directory, and warn of what a sync would refuse."""
        listing = self.test()
        data = self._connector.data
        problems = refusals(listing, rules_of(data.document() or {}), data.memory(), limits)
        return Report(values={"directory": listing.counts, "listing": dict(listing.content)}, warnings=list(map(str, problems)))

    def preview(self, limits: Limits) -> Report:
        """Tell what a sync would be about, and refuse what it would refuse."""
        listing = self._judged(limits)
        data = self._connector.data
        known = data.memory()
        ahead = listing.memory(rules_of(data.document() or {}), known) != known or not self.notes.hash
        counts = listing.counts
        plan = Plan((self._sent(counts),)) if ahead and any(counts.values()) else Plan()
        return Report(plan, {"directory": counts})

    def sync(self, limits: Limits) -> Report:
        """Sync, unless that would remove people whom nobody meant to remove; say whether anything was sent."""
        listing = self._judged(limits)
        data = self._connector.data
        before = self.notes.hash
        synced = self._synced().synced
        sent = any(synced.values()) or self.notes.hash != before  # an empty import says that it has synced nothing
        data.remember(listing.memory(rules_of(data.document() or {}), data.memory()))
        plan = Plan((self._sent(synced),)) if sent else Plan()
        return Report(plan, {"directory": listing.counts, "synced": synced})

    def _judged(self, limits: Limits) -> Listing:
        listing = self.test()
        data = self._connector.data
        refuse_all(refusals(listing, rules_of(data.document() or {}), data.memory(), limits))
        return listing

    def _synced(self) -> Answer:
        """Sync; once more with a new session when the server refused this one, after which the program has none."""
        answer = self._connector.call("sync")
        if not answer.success and not self.notes.token:
            self.login()
            answer = self._connector.call("sync")
        if not answer.success:
            raise explain("sync", answer)
        return answer

    def _sent(self, counts: t.Mapping[str, int]) -> Change:
        return Change(
            "run", "sync", str(self.notes.organization_id), reason=f"{counts['groups']} groups and {counts['users']} users"
        )


def limits_of(options: t.Mapping[str, t.Any]) -> Limits:
    """Return the limits that options name."""
    return Limits(options["min_directory_users"], options["max_removals"], options["max_removals_percent"])


def synchronize(options: t.Mapping[str, t.Any]) -> Report:
    """Sync a connector as it is, without its other options: what a timer does.

    Args:
        options: data_dir, program_dir, ca_path, client_id, client_secret, min_directory_users, max_removals,
            max_removals_percent, timeout and lock_timeout of the module.

    Raises:
        lock.Held: another run is at it.
        SelfhostError: refused, or failed.
    """
    path, program = Path(options["data_dir"]), Program(Path(options["program_dir"]))
    if not path.is_dir() or program.sha256 is None:
        remedy = "Run bw.selfhost.directory_connector first."
        raise SelfhostError("There is no connector that has been set up.", field=str(path), remedy=remedy)
    account = Account.running_for(path)
    data = DataDirectory(path, account)
    with data.lock(options["lock_timeout"]) as lock:
        terms = Terms(account, options["ca_path"], options["timeout"], (lock,))
        session = Session(Connector(program.executable, data, terms), options["client_id"], options["client_secret"])
        return session.sync(limits_of(options))
