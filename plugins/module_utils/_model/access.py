# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What somebody may do in a collection: one word for the three flags of an access object.

Source: bitwarden/server src/Api/Models/Request/SelectionReadOnlyRequestModel.cs; the words are those of the web vault.
"""

from __future__ import annotations

import typing as t

# The word -> readOnly, hidePasswords, manage. The server refuses manage together with one of the others.
PERMISSIONS: dict[str, tuple[bool, bool, bool]] = {
    "view_no_passwords": (True, True, False),
    "view": (True, False, False),
    "edit_no_passwords": (False, True, False),
    "edit": (False, False, False),
    "manage": (False, False, True),
}
MANAGE = "manage"
_WORDS = {flags: word for word, flags in PERMISSIONS.items()}


def permission_of(access: t.Mapping[str, t.Any]) -> str:
    """Return the word for an access object."""
    if access.get("manage"):
        return MANAGE
    return _WORDS[bool(access.get("readOnly")), bool(access.get("hidePasswords")), False]


def access_object(id: str, permission: str) -> dict[str, t.Any]:
    """Return the access object of a group, a member (its organization user id) or, seen from these, a collection."""
    read_only, hide_passwords, manage = PERMISSIONS[permission]
    return {"id": id, "readOnly": read_only, "hidePasswords": hide_passwords, "manage": manage}
