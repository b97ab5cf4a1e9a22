# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles, states and permissions of an organization's members.

Source: bitwarden/server src/Core/AdminConsole/Enums/OrganizationUser{Type,StatusType}.cs and Models/Data/Permissions.cs.
"""

from __future__ import annotations

ROLES = {"owner": 0, "admin": 1, "user": 2, "custom": 4}
STATUSES = {-1: "revoked", 0: "invited", 1: "accepted", 2: "confirmed", 3: "staged"}
SEATED = ("invited", "accepted", "confirmed")  # a seat is occupied in these states only

# What a member with the role custom may be allowed to do -> the wire's name.
CUSTOM_PERMISSIONS = {
    "access_event_logs": "accessEventLogs",
    "access_import_export": "accessImportExport",
    "access_reports": "accessReports",
    "create_new_collections": "createNewCollections",
    "edit_any_collection": "editAnyCollection",
    "delete_any_collection": "deleteAnyCollection",
    "manage_groups": "manageGroups",
    "manage_policies": "managePolicies",
    "manage_sso": "manageSso",
    "manage_users": "manageUsers",
    "manage_reset_password": "manageResetPassword",
    "manage_scim": "manageScim",
    "manage_access_rules": "manageAccessRules",
}
ROLE_NAMES = {number: role for role, number in ROLES.items()}
