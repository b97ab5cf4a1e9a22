#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_sync
short_description: Make members and groups of a Bitwarden organization what an LDAP directory says
version_added: 0.1.0
description:
  - Reads people and groups of an LDAP directory or an Active Directory, compares them with the members and groups of an organization, and
    invites, links, removes and groups people by one plan. It needs no other program and no desktop.
  - Entries are understood as the official Directory Connector understands them, so that either can take over from the other.
  - People of the directory become members in the state invited; they accept by mail, and M(bw.selfhost.organization) can confirm them.
  - Check mode is the rehearsal. It makes the same plan, and writes nothing.
  - Nobody is ever removed unless O(removals) says so. Owners, and members who did not come from this directory, are never removed.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  directory:
    description: How to reach the directory.
    type: dict
    required: true
    suboptions:
      hosts:
        description: Its servers, by name or address. They are tried in this order until one can be reached.
        type: list
        elements: str
        required: true
      port:
        description: Port of the servers, by default V(636) for V(ldaps), else V(389).
        type: int
      tls:
        description:
          - How the connection is encrypted.
          - With V(none) the password of O(directory.bind_dn) crosses the network in clear text.
        type: str
        choices: [ldaps, starttls, none]
        default: ldaps
      ca_path:
        description: PEM file with the certificate authorities to trust instead of the system's.
        type: path
      validate_certs:
        description: Whether the certificate must be good, and be for the name in O(directory.hosts).
        type: bool
        default: true
      bind_dn:
        description: Account that may read people and groups, without a limit on the size of answers.
        type: str
      bind_password:
        description: Its password.
        type: str
      anonymous:
        description: Whether to search without an account. It is never done unless it is asked for.
        type: bool
        default: false
      active_directory:
        description: Whether it is an Active Directory. That changes the defaults of other options.
        type: bool
        default: false
      root_dn:
        description:
          - What O(users.base) and O(groups.base) are relative to, by the rules of the official connector. Only what stands from its first
            C(dc=) on counts.
          - Without it, both are whole distinguished names.
        type: str
      timeout:
        description: Seconds to wait for a connection, and for each answer.
        type: int
        default: 30
      page_size:
        description: How many entries one answer holds at most. Active Directory gives no more than V(1000).
        type: int
        default: 500
  users:
    description: Who can be a member.
    type: dict
    required: true
    suboptions:
      base:
        description: Where to search, this entry and all below it. With O(directory.root_dn) and Active Directory the default is V(CN=Users).
        type: str
      object_class:
        description: Class of the entries, by default V(inetOrgPerson), in Active Directory V(person).
        type: str
      filter:
        description: LDAP filter that they have to pass, too, such as V((!(employeeType=guest))).
        type: str
      email_attribute:
        description: Attribute with the e-mail address, by default V(mail). The first of several values counts.
        type: str
      email_fallback:
        description: How an address is made for people who have none.
        type: dict
        suboptions:
          prefix_attribute:
            description: Attribute with what stands before the suffix, by default V(uid), in Active Directory V(sAMAccountName).
            type: str
          suffix:
            description: The rest of the address, such as V(@example.com).
            type: str
            required: true
      external_id_attribute:
        description:
          - Attribute by which a person is known for good, such as V(entryUUID).
          - V(auto) takes C(objectGUID) where there is one, as in Active Directory, else the distinguished name, which changes when an
            entry is moved or renamed (see O(relink)).
        type: str
        default: auto
  groups:
    description:
      - Which groups of the directory become groups of the organization. Without it, groups are left alone.
      - People who are in a group inside of a group are members of both.
    type: dict
    suboptions:
      base:
        description: Where to search, this entry and all below it. With O(directory.root_dn) and Active Directory the default is V(CN=Users).
        type: str
      object_class:
        description: Class of the entries, by default V(groupOfNames), in Active Directory V(group).
        type: str
      filter:
        description: LDAP filter that they have to pass, too.
        type: str
      name_attribute:
        description: Attribute with the name, by default V(cn), in Active Directory V(name).
        type: str
      member_attribute:
        description:
          - Attribute with the members, by default V(member). Its values are distinguished names, spelled exactly as the entries are, or
            values of C(uid), as in V(memberUid).
        type: str
      external_id_attribute:
        description: The same as O(users.external_id_attribute), for groups.
        type: str
        default: auto
      absent:
        description:
          - What becomes of groups that came from this directory and are not in it any more. V(report) names them in RV(pending).
        type: str
        choices: [keep, report, delete]
        default: keep
  removals:
    description:
      - Who is removed from the organization.
      - V(disabled) removes people whose account is disabled in an Active Directory (C(userAccountControl)).
      - V(absent) does that, too, and removes members who came from this directory and are not in it any more. Where several directories
        share an organization, theirs are told apart by what their external ids are and, if these are distinguished names, by
        O(users.base). Do not use it where two sources with GUIDs share one, such as two Active Directories.
    type: str
    choices: [none, disabled, absent]
    default: none
  relink:
    description:
      - Whether a member whose entry was moved or renamed gets its new distinguished name as external id. People are recognized by their
        e-mail address. Without it such members are named in RV(pending), and keep their groups all the same.
    type: bool
    default: false
  restore:
    description: Whether revoked members who are in the directory get their access back. Needs a server of 2026.2.0 or later.
    type: bool
    default: false
  invite:
    description:
      - Whether invitations are mailed at once. With V(false) servers of 2026.7.0 and later can put people on a waiting list instead, where
        this has been turned on; all others invite.
    type: bool
    default: true
  max_removals:
    description:
      - How many members may be removed, or lose groups because they are missing in the directory, in one run; and how many groups may be
        deleted or lose all their members.
      - If the plan has more, nothing is changed at all.
    type: int
    default: 5
  max_removals_percent:
    description:
      - How many percent of the members, and of the groups, that came from this directory that may be. Both limits hold.
      - If more than half of these members are missing in the directory, nothing is changed unless this allows it.
    type: int
    default: 10
  min_directory_users:
    description: How many people who can be members the directory must have. If there are fewer, nothing is changed.
    type: int
    default: 1
  seats:
    description:
      - How many seats the organization has, so that a plan that needs more is refused as a whole. Clouds tell it themselves, servers do not.
    type: int
requirements:
  - python-ldap or ldap3 (on the machine where the module runs)
notes:
  - O(client_id) must be the organization's API key (C(organization.…)), which owners see in the web vault. O(email) and O(master_password)
    are of no use here.
  - A directory that answers with nothing, or with a part only, is refused. No import with C(overwriteExisting) is ever sent.
seealso:
  - module: bw.selfhost.organization
  - module: bw.selfhost.event_info
"""

EXAMPLES = r"""
- name: Members and groups are what the directory says
  bw.selfhost.directory_sync:
    server_url: https://vault.example.com
    client_id: "{{ organization_client_id }}"
    client_secret: "{{ organization_client_secret }}"
    directory:
      hosts: [ldap.example.com]
      port: 636
      ca_path: /etc/ssl/certs/corp-ca.pem
      bind_dn: cn=sync,ou=Services,dc=example,dc=com
      bind_password: "{{ directory_password }}"
    users:
      base: ou=People,dc=example,dc=com
      external_id_attribute: entryUUID
    groups:
      base: ou=Groups,dc=example,dc=com
      external_id_attribute: entryUUID
    removals: absent
    max_removals: 10
  delegate_to: localhost

- name: What a sync of an Active Directory would change is known
  bw.selfhost.directory_sync:
    server_url: https://vault.example.com
    client_id: "{{ organization_client_id }}"
    client_secret: "{{ organization_client_secret }}"
    directory:
      hosts: [dc1.ad.example.com, dc2.ad.example.com]
      port: 636
      ca_path: /etc/ssl/certs/corp-ca.pem
      bind_dn: cn=sync,ou=Services,dc=ad,dc=example,dc=com
      bind_password: "{{ directory_password }}"
      active_directory: true
    users:
      base: ou=People,dc=ad,dc=example,dc=com
      filter: (!(sAMAccountName=svc-*))
    removals: disabled
  check_mode: true
  delegate_to: localhost
  register: rehearsal
"""

RETURN = r"""
directory:
  description: What the directory has.
  returned: success
  type: dict
  contains:
    users:
      description: How many people can be members.
      type: int
    groups:
      description: How many groups there are.
      type: int
    disabled:
      description: How many of the people have a disabled account.
      type: int
    skipped:
      description: Entries that cannot be members or groups, and members of groups that do not count.
      type: list
      elements: dict
      contains:
        name:
          description: Distinguished name of the entry.
          type: str
        reason:
          description: Why.
          type: str
    sync_hash:
      description:
        - What the official connector keeps as C(lastSyncHash) after a sync of the same entries. If both are equal, both see the same.
      type: str
plan:
  description: How many things of each kind were, or in check mode would be, changed.
  returned: success
  type: dict
  contains:
    invite:
      description: People who are invited.
      type: int
    link:
      description: Members made by hand, who from now on are those of the directory.
      type: int
    relink:
      description: Members who get another external id, because their entry was moved or renamed.
      type: int
    remove:
      description: Members who are removed.
      type: int
    restore:
      description: Revoked members who get their access back.
      type: int
    group_create:
      description: Groups that are created.
      type: int
    group_rename:
      description: Groups that get another name.
      type: int
    group_membership:
      description: Groups that get other members.
      type: int
    group_delete:
      description: Groups that are deleted.
      type: int
pending:
  description: What a sync does not do by itself.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(member) or V(group).
      type: str
    name:
      description: E-mail address or name.
      type: str
    reason:
      description: What it waits for.
      type: str
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._directory_arguments import DIRECTORY_ARGUMENTS
from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import directory_sync

ARGUMENTS = {**API_ARGUMENTS, **DIRECTORY_ARGUMENTS}


def work(task: Task) -> Outcome:
    """Invite, link, remove and group people."""
    return Outcome(*directory_sync.ensure(task.params, task.check_mode, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS)


if __name__ == "__main__":
    main()
