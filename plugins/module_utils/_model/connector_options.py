# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From options to what the connector's data file must say, and the options that it would take without doing what they say."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_directories import (
    ACTIVE_DIRECTORY,
    ACTIVE_DIRECTORY_PATHS,
    KINDS,
    ONLY_LDAP,
    OTHER_LDAP,
    Kind,
    Options,
    camel,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_generations import Generation
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_filter import flaw
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, self_hosted

_CLIENT_ID = re.compile(r"organization\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_INVITES = "inviteUsersAfterProvisioning"
# Option -> the least and the most that it can be.
_RANGES = {
    "min_directory_users": (0, 1000000),
    "max_removals": (0, 1000000),
    "max_removals_percent": (0, 100),
    "timeout": (1, 86400),
    "lock_timeout": (0, 86400),
}


@dataclass(frozen=True)
class Section:
    """Properties of one object of the data file that are ours to set.

    Attributes:
        name: what people call it.
        path: the keys that lead to the object.
        fields: the properties' values.
        secret: names of the properties that are never shown.
        cached: whether what the program remembers of its last sync is wrong after a change.
    """

    name: str
    path: tuple[str, ...]
    fields: t.Mapping[str, t.Any]
    secret: frozenset[str] = frozenset()
    cached: bool = False


@dataclass(frozen=True)
class Wish:
    """What an operator has declared, checked."""

    organization_id: str
    base_url: str | None
    kind: Kind
    directory: t.Mapping[str, t.Any]
    sync: t.Mapping[str, t.Any]

    def sections(self, generation: Generation) -> tuple[Section, ...]:
        """Return what a data file of a generation must say."""
        top: tuple[str, ...] = (self.organization_id,) if generation.nested else ()
        settings: tuple[str, ...] = (*top, "directorySettings") if generation.nested else ()
        urls = ("global", "environmentUrls") if generation.nested else ("environmentUrls",)
        directory = (*top, "directoryConfigurations", self.kind.nested) if generation.nested else (self.kind.flat,)
        sync = {name: value for name, value in self.sync.items() if generation.staged or name != _INVITES}
        ids = {"organizationId": self.organization_id, **({} if generation.nested else {"entityId": self.organization_id})}
        return (
            Section("server", urls, {"base": self.base_url, "api": None, "identity": None, "webVault": None}),
            Section("organization", settings, ids),
            Section("directory type", settings, {"directoryType": self.kind.number}, cached=True),
            Section(self.kind.label, directory, self.directory, frozenset({self.kind.secret}), cached=True),
            Section("sync", (*settings, "sync"), sync, cached=True),
        )


def wish_of(params: Options) -> Wish:
    """Turn the module's options, which C(refusals) has let pass, into what is wanted."""
    (name, options), *_others = given_directories(params)
    kind = KINDS[name]
    return Wish(
        organization_id(params["client_id"]) or "",
        base_url(params),
        kind,
        kind.properties(options),
        sync_properties(name, options, params["sync"]),
    )


def given_directories(params: Options) -> list[tuple[str, Options]]:
    """Return the directories that are described; the module's options allow exactly one."""
    return [(name, options) for name, options in params["directory"].items() if options is not None]


def organization_id(client_id: str) -> str | None:
    """Return the organization that an organization's API key belongs to."""
    found = _CLIENT_ID.fullmatch(client_id)
    return found[1].lower() if found else None


def base_url(params: Options) -> str | None:
    """Return the server as the program has it; C(None) is the cloud at bitwarden.com."""
    url = (params.get("server_url") or f"https://vault.{REGIONS[params['region']].domain}").rstrip("/")
    regions = {region.endpoints: region for region in REGIONS.values()}
    region = regions.get(self_hosted(url))
    if region is None:
        return url
    return None if region.name == "us" else f"https://vault.{region.domain}"


def sync_properties(name: str, directory: Options, sync: Options) -> dict[str, t.Any]:
    """Return the whole C(sync) object: a switch that is missing would be missing in the request, which the server refuses."""
    given = {camel(option): value for option, value in sync.items()}
    given["creationDateAttribute"] = None
    if name != "ldap":
        return given
    if directory["active_directory"]:
        paths = {key: given[key] or value for key, value in ACTIVE_DIRECTORY_PATHS.items()}
        return {**given, **paths, **ACTIVE_DIRECTORY}
    return {**given, **{key: given[key] or value for key, value in OTHER_LDAP.items()}}


# --- what is refused ---


def refusals(params: Options, generation: Generation | None) -> list[SelfhostError]:
    """Return everything that is wrong with the options; C(generation) is C(None) while it is not known."""
    (name, directory), *_others = given_directories(params)
    sync = params["sync"]
    found = [
        *_server(params),
        *_numbers(params),
        *_empty(name, directory),
        *_filters(name, sync),
        *_switches(params),
        *_foreign(name, directory, sync),
    ]
    if name == "ldap":
        found += [*_base(directory, sync), *_addresses(directory, sync)]
    if generation is not None and not generation.staged and not sync["invite_users_after_provisioning"]:
        cause = "This release of the connector always lets the server send invitations."
        found.append(_problem("invite_users_after_provisioning", cause, "Install one later than 2026.6.1, or set it to true."))
    return found


def _problem(option: str, cause: str, remedy: str) -> SelfhostError:
    return SelfhostError(cause, field=f"sync.{option}", remedy=remedy)


def _server(params: Options) -> t.Iterator[SelfhostError]:
    client_id = params["client_id"]
    if organization_id(client_id) is None:
        personal = client_id.startswith("user.")
        cause = "This is a user's personal API key." if personal else "This is not the client id of an organization's API key."
        remedy = "Use the organization's own: Settings, Organization info, View API key; it looks like organization.<guid>."
        yield SelfhostError(cause, field="client_id", remedy=remedy)
    if params.get("server_url"):
        try:
            self_hosted(params["server_url"])
        except SelfhostError as problem:
            yield problem


def _switches(params: Options) -> t.Iterator[SelfhostError]:
    sync = params["sync"]
    if not sync["users"] and not sync["groups"]:
        yield _problem("users", "Neither users nor groups are to be synced.", "Switch one of them on.")
    if not sync["overwrite_existing"]:
        return
    if sync["large_import"]:
        cause = "overwrite_existing and large_import exclude each other: the connector refuses them for more than 2000 entries."
        yield _problem("large_import", cause, "Switch one of them off.")
    if not params["confirm_overwrite"]:
        cause = "It removes every member with an external id whom the directory does not list, all of them if it lists nobody."
        yield _problem("overwrite_existing", cause, "Confirm that with confirm_overwrite: true, or leave it out.")
    if params["min_directory_users"] is None:
        cause = "With overwrite_existing it must be said how many users the directory has at least."
        yield SelfhostError(cause, field="min_directory_users", remedy="Set it a little below what run=test counts.")


def _foreign(name: str, directory: Options, sync: Options) -> t.Iterator[SelfhostError]:
    """What would be ignored, or overwritten by the program itself."""
    if name != "ldap":
        label = KINDS[name].label
        yield from (_problem(one, f"It means nothing with {label}.", "Leave it out.") for one in ONLY_LDAP if sync[one])
    elif directory["active_directory"]:
        for one in ONLY_LDAP:
            forced = ACTIVE_DIRECTORY.get(camel(one))
            if sync[one] and forced and sync[one] != forced:
                yield _problem(one, f"For an Active Directory the connector always sets {forced}.", "Leave it out.")


def _numbers(params: Options) -> t.Iterator[SelfhostError]:
    port = (params["directory"]["ldap"] or {}).get("port")
    given = [*((name, params[name], *limits) for name, limits in _RANGES.items()), ("directory.ldap.port", port, 1, 65535)]
    for name, value, least, most in given:
        if value is not None and not least <= value <= most:
            yield SelfhostError(f"{value} is out of range.", field=name, remedy=f"Give a number from {least} to {most}.")


def _empty(name: str, directory: Options) -> t.Iterator[SelfhostError]:
    for option, value in directory.items():
        if value == "":
            yield SelfhostError("It is empty.", field=f"directory.{name}.{option}", remedy="Give it, or leave it out if you may.")


def _base(directory: Options, sync: Options) -> t.Iterator[SelfhostError]:
    """The program begins with the first C(dc=) of the root, and forgets what stands before it."""
    before, dc, _after = directory["root_path"].lower().partition("dc=")
    field = "directory.ldap.root_path"
    if dc and before:
        cause = f"The connector ignores {directory['root_path'][: len(before)]!r} and would read everything below the domain."
        yield SelfhostError(cause, field=field, remedy="Put it into sync.user_path and sync.group_path.")
    paths = [f"{one}_path" for one in ("user", "group") if sync[f"{one}s"]]
    if not dc and not all(sync[path] for path in paths):
        cause = "The connector only uses the part from the first dc= on, and there is none."
        yield SelfhostError(cause, field=field, remedy=f"Give the full names in sync: {', '.join(paths)}.")


def _addresses(directory: Options, sync: Options) -> t.Iterator[SelfhostError]:
    """Addresses are made up only when there are both parts."""
    needed = ["email_suffix"] + ([] if directory["active_directory"] else ["email_prefix_attribute"])
    for option in needed if sync["use_email_prefix_suffix"] else ():
        if not sync[option]:
            yield _problem(option, "Without it no address is made up.", "Give it, or switch use_email_prefix_suffix off.")


def _filters(name: str, sync: Options) -> t.Iterator[SelfhostError]:
    kind = KINDS[name]
    for option, keywords in (("user_filter", kind.users), ("group_filter", kind.groups)):
        text = sync[option]
        problem = (flaw(text) if name == "ldap" else _no_effect(text, keywords)) if text else ""
        if problem:
            remedy = (
                "Correct the filter."
                if name == "ldap"
                else f"Write KEYWORD:VALUE,VALUE with one of {', '.join(sorted(keywords))}."
            )
            yield _problem(option, problem, remedy)


def _no_effect(text: str, keywords: frozenset[str]) -> str:
    """Say why the program would silently read everybody in spite of a filter C(KEYWORD:VALUES | QUERY)."""
    first, _bar, query = text.partition("|")
    if not first.strip():
        return "" if query.strip() else "It is empty."
    keyword, colon, values = first.partition(":")
    if keyword.strip().lower() not in keywords or not colon or ":" in values or not values.strip():
        return f"{first.strip()!r} is not understood, and the connector would read everybody in spite of it."
    return ""
