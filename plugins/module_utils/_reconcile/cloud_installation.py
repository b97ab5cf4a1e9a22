# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Installations of the cloud: looked up, proved, requested."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client import licensing
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan

Values = dict[str, t.Any]


def ensure(params: t.Mapping[str, t.Any], check_mode: bool) -> tuple[Plan, Values]:
    """Look an installation up, or request a new one."""
    server = connect(params, anonymous=True)
    if params["id"]:
        found = look_up(server, params["id"])
        key_valid = None if params["key"] is None else prove(server, params["id"], params["key"])
        return Plan(), {"id": params["id"], "enabled": found["enabled"], "key_valid": key_valid}
    plan = Plan((Change("create", "installation", params["email"], after={"email": params["email"]}),))
    if check_mode:
        return plan, {"id": None, "key": None, "enabled": True}
    # Not repeated when its answer is lost: each request makes another installation, and an unused one does no harm.
    made = licensing.register_installation(server, params["email"])
    return plan, {"id": made["id"], "key": made["key"], "enabled": made["enabled"]}


def look_up(cloud: Server, installation_id: str, field: str = "id") -> Values:
    """Return the installation, or raise with what it means that this region does not know it, or no longer accepts it."""
    found = licensing.installation(cloud, installation_id)
    if found is None:
        raise SelfhostError(
            f"The installation {installation_id} is not known in this region of the cloud.",
            field=field,
            remedy="Choose the region in which the installation id was requested, or correct the id.",
        )
    if not found["enabled"]:
        raise SelfhostError(
            f"The cloud has disabled the installation {installation_id}.", field=field, remedy="Request another installation id."
        )
    return found


def prove(cloud: Server, installation_id: str, key: str, field: str = "key") -> bool:
    """Return true when id and key belong together, else raise."""
    try:
        licensing.installation_token(cloud, installation_id, key)
    except ApiError as error:
        if error.status != 400:
            raise
        raise SelfhostError(
            "The installation key does not belong to the installation id.",
            field=field,
            remedy="Copy both again from where they were requested; each region of the cloud has its own.",
        ) from None
    return True
