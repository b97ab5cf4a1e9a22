"""The state behind the lab: put back, kept, looked at and changed by tests."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.lab import access, crypto, jobs, keychain, license_files, scenarios
from tests.lab.core import Core, Mail, iso
from tests.lab.dispatch import Dispatcher
from tests.lab.hands import Hands
from tests.lab.people import PEOPLE, Person, guid, key64
from tests.lab.provider_billing import suspend
from tests.lab.scenario_rows import LABELS
from tests.lab.selfhost import SelfHost, default_settings
from tests.lab.sponsorships import accept
from tests.lab.state import Row, State

if t.TYPE_CHECKING:
    from tests.lab.stack import Stack


@dataclass(frozen=True)
class Snapshot:
    """A handle of a kept state; the lab holds the state itself."""

    number: int


class Stage:
    """Three worlds, their people and their state. C(Lab) adds the way to reach them."""

    def __init__(self, directory: Path, versions: tuple[str, str], scenario: str, stack: Stack | None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._stack = stack
        self._core = Core(State(), *versions)
        self._core.selfhost = SelfHost(self._core, stack)
        self._dispatcher = Dispatcher(self._core)
        self._worlds = self._dispatcher.worlds
        self._snapshots: list[tuple[t.Any, ...]] = []
        self._facts: Row = {}
        self._scenario = scenario
        self.reset()

    @property
    def facts(self) -> Row:
        """Ids and addresses of the scenario."""
        return dict(self._facts)

    @property
    def people(self) -> dict[str, Person]:
        """Scripted people by name."""
        return dict(PEOPLE)

    def reset(self, scenario: str | None = None, version: str | None = None, cloud_version: str | None = None) -> None:
        """Put everything back to the beginning of a scenario."""
        with self._dispatcher.lock:
            core, found = self._core, scenarios.FACTS
            self._scenario = scenario = scenario or self._scenario
            core.selfhost_version = version or core.selfhost_version
            core.cloud_version = cloud_version or core.cloud_version
            self._dispatcher.calm()
            core.selfhost.calm(default_settings(found["region"], found["installation_id"], found["installation_key"]))
            core.mails.clear()
            core.clock_offset = timedelta()
            core.state.load({})
            self._facts = scenarios.build(scenario, self._worlds, core.selfhost.domain())

    def snapshot(self) -> Snapshot:
        """Keep the state of all worlds."""
        with self._dispatcher.lock:
            core = self._core
            clock = (core.clock_offset, list(core.mails))
            self._snapshots.append((core.state.dump(), dict(core.selfhost.settings), core.selfhost.license_files(), *clock))
            return Snapshot(len(self._snapshots) - 1)

    def restore(self, snapshot: Snapshot) -> None:
        """Bring a kept state back."""
        with self._dispatcher.lock:
            core = self._core
            rows, settings, files, core.clock_offset, mails = self._snapshots[snapshot.number]
            core.state.load(rows)
            core.mails[:] = mails
            core.selfhost.calm(settings)
            core.selfhost.restore_license_files(files)

    # Looking.

    def mailbox(self, address: str | None = None) -> list[Mail]:
        """Return the mails that were sent, oldest first."""
        return [mail for mail in self._core.mails if address in (None, mail.to)]

    def server_log(self) -> list[str]:
        """Return what the self-hosted api container logged: the causes that no answer tells."""
        return list(self._core.selfhost.log)

    def rows(self, server: str, kind: str, **match: t.Any) -> list[Row]:
        """Return a server's rows of a kind: C(user), C(organization), C(member), C(connection), C(sponsorship) ..."""
        with self._dispatcher.lock:
            return self._worlds[server].find(kind, **match)

    def stored_license(self, organization_id: str | None = None) -> Row | None:
        """Return the license file of a local organization, as it is stored."""
        return self._core.selfhost.read_license(organization_id or self._facts["organization_id"])

    def organization_key(self, organization_id: str, server: str = scenarios.REGION) -> bytes:
        """Return an organization's key, as somebody who holds it opens it."""
        with self._dispatcher.lock:
            return keychain.organization_key(self._worlds[server], organization_id)

    def held_key(self, member_id: str, server: str = scenarios.REGION) -> bytes:
        """Return the key that a member was given, opened with his own. Raises ValueError when it is not for him."""
        with self._dispatcher.lock:
            world = self._worlds[server]
            return keychain.opened(world, world.get("member", member_id) or {})

    def decrypt(self, organization_id: str, text: str, server: str = scenarios.REGION) -> str:
        """Read a text that is encrypted with an organization's key."""
        return crypto.decrypt(text, self.organization_key(organization_id, server)).decode()

    def now(self) -> str:
        """The lab's time."""
        return iso(self._core.now())

    # Changing.

    def set_organization(self, server: str, organization_id: str, **fields: t.Any) -> Row:
        """Change an organization; fields are named as the API names them."""
        return self._change(server, "organization", {"id": organization_id}, fields)

    def set_user(self, server: str, email: str, **fields: t.Any) -> Row:
        """Change an account: C(twoStepCode), C(twoFactorEnabled), C(newDeviceCode), C(usesKeyConnector), C(ssoRequired) ..."""
        return self._change(server, "user", {"email": email}, fields)

    def set_member(self, email: str, server: str = "selfhost", organization_id: str | None = None, **fields: t.Any) -> Row:
        """Change a membership (C(type), C(status), C(permissions)), or invite that address when there is none."""
        organization = organization_id or self._facts["organization_id"]
        match = {"organizationId": organization, "email": email}
        if not self.rows(server, "member", **match):
            user = next(iter(self.rows(server, "user", email=email)), {})
            new = {**match, "id": guid(f"member {organization} {email}"), "userId": user.get("id"), "type": 2, "status": 0}
            self.put_row(server, "member", **new, permissions=None, key=None)
        return self._change(server, "member", match, fields)

    def put_row(self, server: str, kind: str, **row: t.Any) -> Row:
        """Store any row, such as a policy: C(put_row("selfhost", "policy", id=…, organizationId=…, type=8, enabled=True))."""
        with self._dispatcher.lock:
            return self._worlds[server].put(kind, row)

    def delete_row(self, server: str, kind: str, row_id: str) -> None:
        """Remove any row."""
        with self._dispatcher.lock:
            self._worlds[server].delete(kind, row_id)

    def encrypt_collection(self, organization_id: str, name: str, server: str = "selfhost") -> Row:
        """Create a collection of the scenario's organization, its name encrypted with its key; owners manage it."""
        row: Row = {"id": guid(f"collection {organization_id} {name}"), "organizationId": organization_id, "externalId": None}
        encrypted = crypto.encrypt(name.encode(), key64(LABELS[organization_id]))
        for owner in self.rows(server, "member", organizationId=organization_id, type=0, status=2):
            self.give_access(server, row["id"], owner["id"], manage=True)
        return self.put_row(server, "collection", **row, type=0, name=encrypted)

    def give_access(self, server: str, collection_id: str, member_id: str, **flags: bool) -> None:
        """Give a member direct access to a collection: C(readOnly), C(hidePasswords), C(manage)."""
        with self._dispatcher.lock:
            selection = {"id": member_id, **dict.fromkeys(access.FLAGS, False), **flags}
            access.grant(self._worlds[server], collection_id, "memberId", selection)

    def _change(self, server: str, kind: str, match: Row, fields: Row) -> Row:
        with self._dispatcher.lock:
            row = self._worlds[server].one(kind, **match)
            if row is None:
                raise LookupError(f"no {kind} {match} on {server}")
            return self._worlds[server].put(kind, {**row, **fields})

    @property
    def settings(self) -> dict[str, str]:
        """The self-hosted server's environment, when there is no stack; tests may change it."""
        return self._core.selfhost.settings

    def change_settings(self, changes: t.Mapping[str, str | None]) -> None:
        """Change that environment from afar; None removes a variable."""
        for name, value in changes.items():
            if value is None:
                self.settings.pop(name, None)
            else:
                self.settings[name] = value

    def cloud_license(
        self,
        *,
        kind: str = "organization",
        token: bool = True,
        claims: t.Mapping[str, t.Any] | None = None,
        issued_days_ago: float = 0,
        server: str = scenarios.REGION,
        **properties: t.Any,
    ) -> Row:
        """Return the license that the cloud would issue, with properties of our own (C(seats=2)), validly signed.

        Args:
            kind: C(organization) or C(user), a premium license.
            token: whether it has one; without it the file's own signature counts.
            claims: put over the token's claims only.
            issued_days_ago: 366 makes the token expired.
            server: the cloud that issues it.
            properties: by their wire names, such as C(installationId), C(selfHost), C(enabled), C(expires), C(version).
        """
        world = self._worlds[server]
        with self._dispatcher.lock:
            if kind == "user":
                return license_files.user_license(world, world.one("user", email=PEOPLE["cloud_owner"].email) or {})
            organization = world.get("organization", self._facts["cloud_organization_id"]) or {}
            issued = world.now() - timedelta(days=issued_days_ago)
            found = license_files.properties(world, organization, self._facts["installation_id"], issued)
            return license_files.sealed(found | properties, world, claims, token=token)

    # What happens by itself, or by somebody's hand.

    def run_sponsorship_sync(self, organization_id: str | None = None) -> str:
        """Do what the daily job and the portal's Manually Sync do; return what the portal shows (empty: no connection)."""
        with self._dispatcher.lock:
            self._core.selfhost.observe()
            return jobs.sync_sponsorships(self._worlds["selfhost"], organization_id or self._facts["organization_id"])

    def run_license_validation(self) -> None:
        """Do what the job of 00:30 and 12:30 does: disable organizations whose license no longer holds."""
        with self._dispatcher.lock:
            self._core.selfhost.observe()
            jobs.validate_licenses(self._worlds["selfhost"])

    def redeem_sponsorship(self, email: str, server: str = scenarios.REGION) -> None:
        """Let the person that a sponsorship was offered to redeem it, as if by the link of the mail."""
        with self._dispatcher.lock:
            world = self._worlds[server]
            offer = world.one("sponsorship", offeredToEmail=email)
            target = world.get("organization", self._facts["families_organization_id"])
            if not offer or not target:
                raise LookupError(f"nothing was offered to {email}")
            accept(world, offer, target)

    def accept_invitation(self, email: str, server: str = scenarios.REGION) -> Person:
        """Let somebody follow the link of his newest invitation, to an organization or a provider.

        Without an account he makes one first, with keys and a master password of his own. He is confirmed by nobody yet.
        """
        with self._dispatcher.lock:
            return Hands(self._dispatcher, self._worlds[server], email).accept(self._core.mails)

    def suspend_provider(self, suspended: bool = True, server: str = scenarios.REGION) -> None:
        """Let the provider's bills go unpaid, or be paid again; its clients are switched with it."""
        with self._dispatcher.lock:
            world = self._worlds[server]
            suspend(world, world.get("provider", self._facts["provider_id"]) or {}, suspended)

    def restart_api(self) -> None:
        """Let the api process forget what it keeps in memory (a stack's containers do that by themselves)."""
        self._core.selfhost.restart()

    def advance(self, seconds: float) -> None:
        """Move the lab's clock."""
        self._core.clock_offset += timedelta(seconds=seconds)
