# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests that import a directory, byte for byte as the official connector writes them, and the hash by which it knows them.

Source: bitwarden/directory-connector libs/services/single-request-builder.ts, batch-request-builder.ts and sync.service.ts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_entry import Directory

Body = dict[str, t.Any]
SLICE = 2000  # members, or groups, of one request; a cloud takes no more


def member(email: str, external_id: str, deleted: bool = False) -> Body:
    """Return the entry of a person. The order of the members counts."""
    return {"email": email, "externalId": external_id, "deleted": deleted}


def group(name: str, external_id: str, members: t.Iterable[str]) -> Body:
    """Return the entry of a group with the external ids of its members."""
    return {"name": name, "externalId": external_id, "memberExternalIds": list(members)}


def requests(members: t.Sequence[Body], groups: t.Sequence[Body], *, invite: bool = True) -> list[Body]:
    """Return the bodies of the requests: one, or of many entries slices of the members, then of the groups."""
    if len(members) + len(groups) <= SLICE:
        return [_body(members, groups, False, invite)]
    return [
        *(_body(part, (), True, invite) for part in _slices(members)),
        *(_body((), part, True, invite) for part in _slices(groups)),
    ]


def _slices(entries: t.Sequence[Body]) -> t.Iterator[t.Sequence[Body]]:
    return (entries[start : start + SLICE] for start in range(0, len(entries), SLICE))


def _body(members: t.Sequence[Body], groups: t.Sequence[Body], large: bool, invite: bool) -> Body:
    return {
        "groups": list(groups),
        "members": list(members),
        "overwriteExisting": False,
        "largeImport": large,
        "inviteUsersAfterProvisioning": invite,
    }


def import_requests(directory: Directory, *, remove_disabled: bool, invite: bool = True) -> list[Body]:
    """Return the requests that import a whole directory, as the official connector sends them."""
    members = [member(user.email, user.external_id, remove_disabled and user.disabled) for user in directory.users]
    groups = [group(one.name, one.external_id, one.members) for one in directory.groups]
    return requests(members, groups, invite=invite)


def sync_hash(api_url: str, organization_id: str, bodies: t.Sequence[Body]) -> str:
    """Return what the official connector keeps as C(lastSyncHash) after it has sent these requests."""
    content = bodies[0] if len(bodies) == 1 else list(bodies)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(f"{api_url}{organization_id}{text}".encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest).decode()
