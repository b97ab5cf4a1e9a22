# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connector's data file as a document: parsed strictly, compared and merged by what is ours; all else stays as it is."""

from __future__ import annotations

import copy
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_directories import KINDS
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_generations import Generation, layout_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_guard import Rules
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_options import Section
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan, compare

Document = dict[str, t.Any]
Path = tuple[str, ...]
_SECRETS = frozenset(
    (
        "password",
        "key",
        "privateKey",
        "token",
        "clientSecret",
        "apiKeyClientSecret",
        "accessToken",
        "refreshToken",
        "twoFactorToken",
    )
)
# What the program notes about itself, by layout; in G1 below the organization's id.
_NOTES_NESTED = ("directorySettings",)
_FLAT: dict[str, Path] = {
    "token": ("accessToken",),
    "client_id": ("apiKeyClientId",),
    "client_secret": ("apiKeyClientSecret",),
    "hash": ("lastSyncHash",),
    "users": ("lastUserSync",),
    "groups": ("lastGroupSync",),
    "user_delta": ("userDeltaToken",),
    "group_delta": ("groupDeltaToken",),
}
_NESTED: dict[str, Path] = {
    "token": ("tokens", "accessToken"),
    "client_id": ("profile", "apiKeyClientId"),
    "client_secret": ("keys", "apiKeyClientSecret"),
    "hash": (*_NOTES_NESTED, "lastSyncHash"),
    "users": (*_NOTES_NESTED, "lastUserSync"),
    "groups": (*_NOTES_NESTED, "lastGroupSync"),
    "user_delta": (*_NOTES_NESTED, "userDelta"),
    "group_delta": (*_NOTES_NESTED, "groupDelta"),
}


@dataclass(frozen=True)
class Notes:
    """What the program has noted: its session, and what it remembers of its last sync."""

    organization_id: str | None = None
    token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    hash: str | None = None
    users: str | None = None
    groups: str | None = None
    user_delta: str | None = None
    group_delta: str | None = None

    @property
    def remembers(self) -> bool:
        """Say whether there is a sync cache to clear."""
        return any((self.hash, self.users, self.groups, self.user_delta, self.group_delta))


def parse(data: bytes) -> Document:
    """Read a data file.

    Raises:
        SelfhostError: it is no JSON object. The program would put an empty one in its place without a word.
    """
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SelfhostError(
            "It is not a JSON object, and the connector would silently begin with an empty one.",
            field="data.json",
            remedy="Restore it from a backup, or remove it and let this run write a new one.",
        )
    return document


def _no_constant(text: str) -> t.NoReturn:
    raise ValueError(text)


def render(document: Document) -> bytes:
    """Return a document as the bytes of a data file, as the program writes them."""
    return json.dumps(document, indent=2).encode()


def value_at(document: t.Any, path: Path) -> t.Any:
    """Return what stands at the end of a path; C(None) when it does not get there."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def has_account(document: Document, organization_id: str) -> bool:
    """Say whether a nested file has what a login makes: the object that everything of the organization goes into."""
    return isinstance(document.get(organization_id), dict)


def new(generation: Generation) -> Document:
    """Return a data file that says nothing yet but which generation it is of."""
    version = {"stateVersion": generation.state_version}
    return {"global": version} if generation.nested else t.cast(Document, version)


def merged(document: Document, sections: t.Iterable[Section]) -> Document:
    """Return a document that says what the sections say, and everything else that it said before."""
    result = copy.deepcopy(document)
    for section in sections:
        found = result
        for key in section.path:
            if not isinstance(found.get(key), dict):
                found[key] = {}
            found = found[key]
        found.update(section.fields)
    return result


def differences(document: Document, sections: t.Iterable[Section]) -> Plan:
    """Return how a document differs from what the sections say; a switch that is missing differs, a missing text is C(null)."""
    plan = Plan()
    for section in sections:
        found = value_at(document, section.path)
        current = found if isinstance(found, dict) else {}
        if not section.fields.keys() & current.keys():
            given = {name: value for name, value in section.fields.items() if value is not None}
            plan += compare("connector option", section.name, None, given or None, section.secret)
        else:
            plan += compare("connector option", section.name, current, section.fields, section.secret)
    return plan


def outdated_cache(document: Document, sections: t.Iterable[Section]) -> bool:
    """Say whether what the program remembers of its last sync does not hold for what the sections say."""
    return notes(document).remembers and differences(document, [section for section in sections if section.cached]).changed


def notes(document: Document) -> Notes:
    """Return what the program has noted in a document, whatever its layout."""
    layout = layout_of(document)
    if layout is None or not layout.nested:
        owner, account, paths = document.get("organizationId"), t.cast(t.Any, document), _FLAT
    else:
        owner = document.get("activeUserId")
        account, paths = document.get(str(owner)), _NESTED
    return Notes(owner, **{name: value_at(account, path) for name, path in paths.items()})


def rules_of(document: Document) -> Rules:
    """Return what a sync with this data file takes in and removes."""
    layout = layout_of(document)
    top = (str(document.get("activeUserId")), "directorySettings") if layout and layout.nested else ()
    sync = value_at(document, (*top, "sync")) or {}
    # An Active Directory lists whom it has deleted only for a test, or for a sync that reads everything.
    deleted = value_at(document, (*top, "directoryType")) != KINDS["ldap"].number
    users, groups, disabled, overwrite = (
        bool(sync.get(name)) for name in ("users", "groups", "removeDisabled", "overwriteExisting")
    )
    return Rules(users, groups, disabled, deleted, overwrite)


def check_owner(document: Document, organization_id: str) -> None:
    """Refuse a data file that belongs to another organization: what it remembers would be taken for this one's."""
    owner = notes(document).organization_id
    if owner and owner.lower() != organization_id:
        raise SelfhostError(
            f"It belongs to the organization {owner}, and client_id to {organization_id}.",
            field="data.json",
            remedy="Give each organization a data_dir of its own, or remove this one with state=absent first.",
        )


def secrets(document: t.Any) -> set[str]:
    """Return every secret that a data file holds."""
    if isinstance(document, list):
        return set().union(*map(secrets, document))
    if not isinstance(document, dict):
        return set()
    mine = {value for name, value in document.items() if name in _SECRETS and isinstance(value, str) and value}
    return mine.union(*map(secrets, document.values()))
