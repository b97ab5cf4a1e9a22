# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Directory Connector's texts, turned into cause, option and remedy: it has one exit code for everything.

Source: bitwarden/directory-connector libs/services, src-cli; bitwarden/server ImportOrganizationUsersAndGroupsCommand.cs.
"""

from __future__ import annotations

import re

from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_answer import Answer
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_LONGEST = 500  # characters of a text that are told

# text -> cause, option, remedy. The first match counts; {} is what the first group of the pattern holds.
_Row = tuple[str, str, str, str]
_EXPLANATIONS: tuple[_Row, ...] = (
    (
        r"^timeout$",
        "It did not end in time and was stopped.",
        "timeout",
        "Look whether directory and server answer, or set timeout higher.",
    ),
    (
        r"invalid_client",
        "The server does not accept the API key.",
        "client_id, client_secret",
        "Is the key the organization's current one, and is the organization enabled, with the API in its plan?",
    ),
    (
        r"invalid_scope",
        "The API key is limited to some scopes.",
        "client_id",
        "The connector needs the organization's own key.",
    ),
    (
        r'"statusCode":(5\d\d)',
        "The server is not well (HTTP {}).",
        "server_url",
        "Run this again when it is well; nothing is lost.",
    ),
    (
        r'"statusCode":404',
        "The server knows no directory import at this address.",
        "server_url",
        "Write the public URL, such as https://vault.example.com.",
    ),
    (
        r"Rate limit exceeded",
        "The server asks to be left alone for a while.",
        "server_url",
        "Run this again in a few minutes.",
    ),
    (
        r"fetch failed|^request to \S+ failed",
        "The Bitwarden server cannot be reached, or its certificate is not trusted.",
        "server_url",
        "Check URL, network and proxy of this machine, and give ca_path for a certificate authority of your own.",
    ),
    (
        r"reading '(?:message|directorySettings)'|You are not logged in",
        "The server refused the session (401 or 403), again after a new login.",
        "client_id",
        "Is the organization enabled, and does the key belong to it?",
    ),
    (
        r"JWT must have 3 parts",
        "What answers at the server's address is not Bitwarden.",
        "server_url",
        "Write the public URL of the server.",
    ),
    (
        r"Organization not set",
        "The data file does not say which organization.",
        "data.json",
        "Remove the data directory with state=absent and run this again.",
    ),
    (
        r"Organization cannot use directory syncing",
        "The organization's plan has no directory sync.",
        "client_id",
        "Teams and Enterprise have it; renew the license file of a self-hosted organization after a change of plan.",
    ),
    (
        r"Organization cannot use groups",
        "The organization's plan has no groups; its members were already taken in.",
        "sync.groups",
        "Set sync.groups to false, or change the plan.",
    ),
    (
        r"Cannot autoscale on self-hosted",
        "More people than the license has seats. Removals of this sync were made, nobody was added.",
        "client_id",
        "Buy seats in the cloud organization and update the license.",
    ),
    (
        r"Seat limit has been reached|additional seats",
        "More people than the plan has seats. Removals of this sync were made, nobody was added.",
        "client_id",
        "Buy seats, or narrow the filters; Teams Starter ends at ten members.",
    ),
    (
        r"do not have an active subscription",
        "The organization's subscription is not active.",
        "client_id",
        "Reinstate it.",
    ),
    (
        r"at least one confirmed owner",
        "The organization has no confirmed owner.",
        "client_id",
        "Let the owner accept and confirm the invitation first.",
    ),
    (
        r"Sync failed\. To proceed, disable",
        "Somebody who would be removed has no master password; nobody was.",
        "sync.overwrite_existing",
        "Remove those members by hand, or leave overwrite_existing out.",
    ),
    (
        r"cannot import this much data",
        "The cloud takes at most 2000 users or groups at once.",
        "sync.large_import",
        "Set sync.large_import to true.",
    ),
    (
        r"model state is invalid",
        (
            "The server found an entry that it cannot take, and says not which: an address that is none, a name over 100 "
            "or an external id over 300 characters."
        ),
        "directory",
        "Look for it with run=test.",
    ),
    (
        r"unhandled server error",
        "The server broke on this import; mostly because an external id is there twice.",
        "directory",
        "Look for it with run=test, and into the server's log.",
    ),
    (
        r"Emails must be unique\.[\s\S]*?emails:\s*([\s\S]+)",
        "Several entries share an address: {}.",
        "directory",
        "Correct them in the directory, or filter them out.",
    ),
    (
        r"'Remove and re-add organization users",
        "overwrite_existing is not possible with large imports.",
        "sync.large_import",
        "Switch one of them off.",
    ),
    (
        r"No directory configured|Directory configuration incomplete",
        "The data file describes no complete directory.",
        "directory",
        "Give all options of the directory.",
    ),
    (
        r"Username/password are not configured",
        "The connector reads no directory without an account.",
        "directory.ldap.username",
        "Give username and password of a reading account.",
    ),
    (
        r"reading 'toLowerCase'",
        "The directory's root is missing.",
        "directory.ldap.root_path",
        "Give it, such as dc=example,dc=com.",
    ),
    (
        r"ECONNREFUSED (\S+)",
        "Nothing listens at {}.",
        "directory.ldap.hostname",
        "Check host name, port and firewall.",
    ),
    (
        r"ENOTFOUND|EAI_AGAIN",
        "The directory's name is unknown.",
        "directory.ldap.hostname",
        "Check the name and this machine's resolver.",
    ),
    (
        r"ETIMEDOUT|Connection timeout",
        "The directory does not answer.",
        "directory.ldap.hostname",
        "Check host name, port and firewall.",
    ),
    (
        r"Code: 0x31\b",
        "The directory does not accept name and password.",
        "directory.ldap.username",
        "Give the full name of the account (in an Active Directory also DOMAIN\\user) and its password.",
    ),
    (
        r"Code: 0x20\b",
        "The directory has no such base.",
        "directory.ldap.root_path",
        "Check root_path, and user_path and group_path of sync.",
    ),
    (
        r"Code: 0x4\b",
        "The directory ended the search early (size limit).",
        "directory.ldap.username",
        "Raise the limit of that account; OpenLDAP counts all pages together.",
    ),
    (
        r"Code: 0x(?:8|d)\b",
        "The directory wants an encrypted connection.",
        "directory.ldap.tls",
        "Set tls to ldaps or starttls.",
    ),
    (
        r"self-signed certificate|unable to (?:verify|get)|certificate has expired|altnames",
        "The directory's certificate is not trusted.",
        "directory.ldap.ca_path",
        "Give the certificate authority in ca_path, and the name that the certificate is for in hostname.",
    ),
    (
        r"Lock file is already being held",
        "Another connector works on the same data.",
        "data_dir",
        "End the desktop program or the other job.",
    ),
    (
        r"data is too old to migrate",
        "The data file is too old for this release.",
        "data.json",
        "Remove the data directory with state=absent and run this again.",
    ),
    (
        r"libsecret",
        "The connector needs the library libsecret even without a keyring.",
        "archive",
        "Install the package libsecret-1-0.",
    ),
    (
        r"dc_native|keytar\.node",
        "The connector does not find its native part beside itself.",
        "archive",
        "Use the archive as it was published.",
    ),
)


def explain(command: str, answer: Answer) -> SelfhostError:
    """Return why a command failed; what nobody has foreseen is told in the program's own words."""
    for pattern, cause, field, remedy in _EXPLANATIONS:
        found = re.search(pattern, answer.text)
        if found:
            detail = ", ".join(found[1].split("\n")) if found.lastindex else ""
            return SelfhostError(cause.format(detail), field=field, remedy=remedy)
    text = " ".join(answer.text.split())[:_LONGEST]
    return SelfhostError(f"bwdc {command} failed: {text}", field=f"bwdc {command}", remedy="Run it by hand to see more.")
