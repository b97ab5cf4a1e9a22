# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A license for an organization of a self-hosted server: the candidate, and what the server has."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._client import licensing, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import MAX_BYTES, License, parse
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import (
    Directory,
    Entry,
    is_owner,
    not_a_member,
    not_owner,
)

Values = dict[str, t.Any]
Params = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Current:
    """What the server has.

    Attributes:
        id: the organization there.
        subscription: its subscription; None when the server cannot read the license in force.
        entry: the user's membership; None when the id was given, which spares asking.
        stored: the license file in force, where it can be read.
    """

    id: str
    subscription: Values | None
    entry: Entry | None = None
    stored: License | None = None


@dataclass(frozen=True)
class Case:
    """One candidate for one server. C(files) are the server's own license files, where they can be read."""

    params: Params
    directory: Directory
    candidate: License
    files: t.Mapping[str, License | None]

    @property
    def server(self) -> Server:
        """The self-hosted server."""
        return self.directory.server

    @property
    def applies_claims(self) -> bool:
        """Whether an update takes everything from the license's token."""
        return self.server.supports("license update from token")


def candidate_of(params: Params) -> License:
    """Return the license that was given, read from a file, or downloaded."""
    if params["cloud"]:
        cloud = connect(params["cloud"], field_prefix="cloud.")
        return parse(_download(cloud, params["cloud_organization_id"], params["installation_id"]))
    if params["license"] is not None:
        return parse(params["license"])
    try:
        with open(params["license_path"], "rb") as file:
            return parse(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise SelfhostError(
            f"The file cannot be read: {error.strerror}.", field="license_path", remedy="It is read where the module runs."
        ) from None


def now_of(candidate: License, fresh: bool) -> datetime:
    """Return the present. What the cloud has just issued is not of the future, whatever this machine's clock says."""
    now = datetime.now(timezone.utc)
    return max(now, candidate.issued) if fresh and candidate.issued else now


def _download(cloud: Server, organization_id: str, installation_id: str) -> bytes:
    try:
        return licensing.download(cloud, organization_id, installation_id)
    except ApiError as error:
        if error.status == 404:
            raise SelfhostError(
                f"The user has no organization {organization_id} in this region of the cloud, or is not its owner.",
                field="cloud_organization_id",
                remedy="Use the id from the address bar of the cloud's admin console, and the API key of an owner.",
            ) from None
        if error.status == 400 and "installation" in error.message.lower():
            raise SelfhostError(
                f"This region of the cloud does not know the installation {installation_id}.",
                field="installation_id",
                remedy="Choose the region in which the installation id was requested (cloud.region), or correct the id.",
            ) from None
        raise


def current_of(case: Case) -> Current | None:
    """Return what the server has, or None when it does not have the organization."""
    local, entry = case.params["organization_id"], None
    if not local:
        entry = _find(case)
        if entry is None:
            return None
        if not is_owner(entry):
            raise not_owner(entry["name"])
        local = str(entry["id"])
    return Current(local, subscription_of(case.server, local), entry, case.files.get(local.lower()))


def _find(case: Case) -> Entry | None:
    """Find the organization by its own license file, by its connection, or by its name."""
    wanted = {**case.params, "cloud_organization_id": case.candidate.id}
    local = holders(case.files, case.candidate)
    if len(local) == 1 and not case.params["organization_name"]:
        wanted["organization_id"] = local.pop()
    return case.directory.find(wanted, case.candidate.name)


def holders(files: t.Mapping[str, License | None], candidate: License) -> set[str]:
    """Return the local ids of the organizations whose license file is of the same subscription."""
    return {local for local, stored in files.items() if stored is not None and stored.license_key == candidate.license_key}


def subscription_of(server: Server, organization_id: str) -> Values | None:
    """Return the subscription, None when the license in force is over (400), missing or damaged (500)."""
    try:
        return organizations.subscription(server, organization_id)
    except ApiError as error:
        if error.status == 404:
            raise not_a_member(organization_id) from None
        if error.status in (400, 500):
            return None
        raise
