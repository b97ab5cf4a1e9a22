#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_connector
short_description: Official Directory Connector, installed, configured and run without its desktop program
version_added: 0.1.0
description:
  - Installs C(bwdc), the command-line program of the official Bitwarden Directory Connector, from an archive on the managed host, gives it
    its options, looks at the directory with it, and syncs.
  - Use it for Entra ID, Google Workspace, Okta and OneLogin, or where the official program is required. For LDAP and Active Directory
    M(bw.selfhost.directory_sync) needs no program, knows what the server has, and also takes leavers out.
  - Only what the options name is set in the program's data file; whatever else it holds stays. The file is replaced in one step, never
    while the program runs, and only its owner can read it.
  - After a change of options the program's sync cache is cleared, once. Otherwise it would go on as if nothing had changed.
  - Before every sync the whole directory is read. The sync is refused when that finds too few people, or would remove too many.
  - In check mode the same is done with a temporary copy of the data, except that nothing is synced. This is what the desktop program
    calls I(Test Now). Nothing is run when the program is not installed yet.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.attributes.linux
  - bw.selfhost.attributes
options:
  state:
    description:
      - V(absent) removes O(data_dir) with all secrets in it, and O(program_dir). Members and groups of the organization stay.
    type: str
    choices: [present, absent]
    default: present
  data_dir:
    description:
      - Directory of the program's data, of one organization and one directory. Its parent must exist.
      - It is made private to O(user). Nothing else may be in it.
    type: path
    required: true
  program_dir:
    description:
      - Directory of the program. Without it, O(data_dir) with C(-program) after it. Nothing else may be in it.
    type: path
  user:
    description:
      - Account that the program runs as and that owns its data. It must exist, and needs neither a shell nor any rights.
      - Without it, the owner of O(data_dir), or of its parent directory.
    type: str
  archive:
    description:
      - Path of the release's archive on the managed host, such as C(bwdc-linux-2026.6.1.zip). Needed only as long as the program in
        O(program_dir) came from another one.
      - Without it the program must be in O(program_dir) from an earlier run.
    type: path
  sha256:
    description:
      - Checksum of O(archive), 64 hexadecimal digits in lower case. There is no published one; take it when you examine the release.
    type: str
  version:
    description:
      - Version that the program must say that it is, such as V(2026.6.1).
    type: str
  server_url:
    description: Public URL of the self-hosted server, such as V(https://vault.example.com).
    type: str
  region:
    description: Region of the Bitwarden cloud, instead of O(server_url).
    type: str
    choices: [us, eu]
  ca_path:
    description:
      - PEM file with the certificate authority of the Bitwarden server, where the program does not know it. For the directory's own see
        O(directory.ldap.ca_path).
    type: path
  client_id:
    description: The organization's API key, such as V(organization.0f0e0d0c-0b0a-4908-8706-050403020100).
    type: str
  client_secret:
    description:
      - Secret of the organization's API key. The program keeps it in O(data_dir).
    type: str
  directory:
    description: The directory to read, exactly one.
    type: dict
    suboptions:
      ldap:
        description: An LDAP server or an Active Directory.
        type: dict
        suboptions:
          hostname:
            description: Name of the server.
            type: str
            required: true
          port:
            description: Port. Without it, the usual one for O(directory.ldap.tls).
            type: int
          tls:
            description: V(ldaps) encrypts from the beginning, V(starttls) on the plain port, V(none) not at all.
            type: str
            choices: [ldaps, starttls, none]
            default: ldaps
          ca_path:
            description: PEM file with the certificate authority of the server.
            type: path
          validate_certs:
            description: Whether to verify the server's certificate.
            type: bool
            default: true
          client_cert_path:
            description: PEM file with a certificate to show to the server; only with V(ldaps).
            type: path
          client_key_path:
            description: PEM file with the key of O(directory.ldap.client_cert_path).
            type: path
          root_path:
            description:
              - Distinguished name of the directory's root, such as V(dc=example,dc=com). Units below it belong into O(sync.user_path) and
                O(sync.group_path), because the program drops them here.
            type: str
            required: true
          username:
            description: Distinguished name of the account that reads; in an Active Directory also C(DOMAIN\name).
            type: str
            required: true
          password:
            description: Password of that account.
            type: str
            required: true
          active_directory:
            description: Whether it is an Active Directory, for which the program sets object classes and attributes itself.
            type: bool
            default: false
      entra:
        description: Entra ID, once Azure AD.
        type: dict
        suboptions:
          tenant:
            description: Name of the tenant, such as V(example.onmicrosoft.com).
            type: str
            required: true
          application_id:
            description: Id of the application that was registered for the connector.
            type: str
            required: true
          key:
            description: Secret of that application.
            type: str
            required: true
          identity_authority:
            description: Where to log in; V(login.microsoftonline.us) is for the government cloud.
            type: str
            choices: [login.microsoftonline.com, login.microsoftonline.us]
            default: login.microsoftonline.com
      google:
        description: Google Workspace.
        type: dict
        suboptions:
          client_email:
            description: Address of the service account.
            type: str
            required: true
          private_key:
            description: Private key of the service account, as in its JSON file.
            type: str
            required: true
          domain:
            description: The domain.
            type: str
            required: true
          admin_user:
            description: Address of an administrator in whose name is read.
            type: str
            required: true
          customer:
            description: Customer id, where the domain is one of many.
            type: str
      okta:
        description: Okta.
        type: dict
        suboptions:
          org_url:
            description: URL of the organization, such as V(https://example.okta.com).
            type: str
            required: true
          token:
            description: API token.
            type: str
            required: true
      onelogin:
        description: OneLogin.
        type: dict
        suboptions:
          client_id:
            description: Id of the API credential.
            type: str
            required: true
          client_secret:
            description: Secret of the API credential.
            type: str
            required: true
          region:
            description: Region of the account.
            type: str
            choices: [us, eu]
            default: us
  sync:
    description: The program's sync options, by their official names.
    type: dict
    suboptions:
      users:
        description: Whether users are synced.
        type: bool
        default: true
      groups:
        description: Whether groups are synced.
        type: bool
        default: true
      user_filter:
        description:
          - Which users. For LDAP a filter such as V((memberOf=cn=staff,ou=groups,dc=example,dc=com)).
          - For the others V(include:) or V(exclude:) with addresses, and for Entra ID also V(includeGroup:) and V(excludeGroup:) with ids;
            after a C(|) a query in the directory's own language may follow.
        type: str
      group_filter:
        description: Which groups, written alike; the values are names.
        type: str
      remove_disabled:
        description: Whether users are removed whom the directory has disabled.
        type: bool
        default: false
      overwrite_existing:
        description:
          - Whether everybody with an external id is removed who is not in the directory. Refused unless O(confirm_overwrite) is V(true) and
            O(min_directory_users) says what an intact directory has.
        type: bool
        default: false
      large_import:
        description: Whether more than 2000 users or groups are expected. Excludes O(sync.overwrite_existing).
        type: bool
        default: false
      invite_users_after_provisioning:
        description: Whether new members are invited at once. V(false) needs a release later than 2026.6.1 and a server that stages members.
        type: bool
        default: true
      user_path:
        description: Where users are, relative to the root. Only LDAP, like all the following up to O(sync.revision_date_attribute).
        type: str
      user_object_class:
        description: Object class of users, C(inetOrgPerson) unless given.
        type: str
      user_email_attribute:
        description: Attribute with the address, C(mail) unless given.
        type: str
      group_path:
        description: Where groups are, relative to the root.
        type: str
      group_object_class:
        description: Object class of groups, C(groupOfNames) unless given.
        type: str
      group_name_attribute:
        description: Attribute with the name, C(cn) unless given.
        type: str
      member_attribute:
        description: Attribute with the members, C(member) unless given.
        type: str
      use_email_prefix_suffix:
        description: Whether an address is made of the two following options where there is none.
        type: bool
        default: false
      email_prefix_attribute:
        description: Attribute with the first part of such an address.
        type: str
      email_suffix:
        description: Second part of such an address, such as V(@example.com). Also for OneLogin.
        type: str
      revision_date_attribute:
        description:
          - Attribute with the time of the last change, such as V(modifyTimestamp). With it, a sync reads only what has changed since the
            last one.
        type: str
  confirm_overwrite:
    description: Confirms that O(sync.overwrite_existing) is meant.
    type: bool
    default: false
  min_directory_users:
    description:
      - A sync is refused when the directory has fewer users. At least one must be there in any case.
    type: int
  max_removals:
    description:
      - A sync is refused when it would remove more people than this of those whom earlier syncs have made members.
    type: int
    default: 5
  max_removals_percent:
    description: The same as a share of them, in percent.
    type: int
    default: 10
  run:
    description:
      - V(none) only installs and configures. V(test) also shows what is in the directory. V(sync) syncs.
    type: str
    choices: [none, test, sync]
    default: none
  timeout:
    description: Seconds that one command of the program may take.
    type: int
    default: 900
  lock_timeout:
    description: Seconds to wait for another run on the same data.
    type: int
    default: 60
notes:
  - The program itself never removes a user who has just disappeared from an LDAP directory, unless O(sync.overwrite_existing) is set.
  - The program compares the directory with its own last request, not with the server. A change made in Bitwarden is not undone before the
    directory changes.
  - With releases from 2026.6.0 on, proxy variables of the environment have no effect.
  - The program keeps its secrets in its data file, and no keyring is needed. It asks the server for a session also in check mode with
    O(run=test) or O(run=sync), and with releases up to 2026.4.0 whenever it is configured for the first time.
  - What is remembered between syncs are digests of external ids, no names.
seealso:
  - module: bw.selfhost.directory_sync
  - name: Directory Connector CLI
    description: The vendor's documentation of the program.
    link: https://bitwarden.com/help/directory-sync-cli/
"""

EXAMPLES = r"""
- name: Connector for the company's LDAP directory is installed and has its options
  bw.selfhost.directory_connector: &connector
    archive: /opt/bitwarden/bwdc-linux-2026.6.1.zip
    sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    version: 2026.6.1
    data_dir: /opt/bitwarden/bwdc
    server_url: https://vault.example.com
    ca_path: /etc/ssl/certs/corp-ca.pem
    client_id: "{{ organization_client_id }}"
    client_secret: "{{ organization_client_secret }}"
    directory:
      ldap:
        hostname: ldap.example.com
        root_path: dc=example,dc=com
        username: cn=reader,dc=example,dc=com
        password: "{{ directory_password }}"
    sync:
      user_path: ou=people
      user_filter: (!(employeeType=external))
      group_path: ou=groups

- name: Show whom a sync would be about
  bw.selfhost.directory_connector:
    <<: *connector
    run: test

- name: Members and groups are those of the directory
  bw.selfhost.directory_connector:
    <<: *connector
    run: sync
    min_directory_users: 3

- name: Connector is gone, with everything it knew
  bw.selfhost.directory_connector:
    state: absent
    data_dir: /opt/bitwarden/bwdc
"""

RETURN = r"""
version:
  description: The program's version.
  returned: when O(state=present)
  type: str
  sample: 2026.6.1
generation:
  description: Which of the layouts of the data file this version has, 1 up to 2026.4.0, 2 up to 2026.6.1, 3 since then.
  returned: when O(state=present)
  type: int
  sample: 2
directory:
  description: What the directory has, as the program reads it with these options.
  returned: when the program was run
  type: dict
  contains:
    users:
      description: Number of users who are neither disabled nor deleted.
      type: int
      sample: 148
    groups:
      description: Number of groups.
      type: int
      sample: 12
    disabled:
      description: Number of disabled users.
      type: int
      sample: 3
    deleted:
      description: Number of users whom the directory tells to be deleted.
      type: int
      sample: 0
listing:
  description: The same by name, exactly as the program shows it.
  returned: when O(run=test)
  type: dict
synced:
  description: What was sent to the server. Nothing is sent when nothing has changed in the directory.
  returned: when O(run=sync), and not in check mode
  type: dict
  contains:
    users:
      description: Number of users.
      type: int
      sample: 148
    groups:
      description: Number of groups.
      type: int
      sample: 12
last_sync:
  description: When the directory was read for the last sync that succeeded.
  returned: when the program is installed
  type: dict
  contains:
    users:
      description: For users, or none.
      type: str
      sample: "2026-11-22T21:07:48.717Z"
    groups:
      description: For groups, or none.
      type: str
      sample: "2026-11-22T21:07:48.717Z"
changes:
  description: What was changed, or would be in check mode. Secrets are masked.
  returned: success
  type: list
  elements: dict
  sample:
    - action: update
      kind: connector option
      name: sync
      before:
        removeDisabled: false
      after:
        removeDisabled: true
      reason: ""
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import Outcome, Spec, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.directory_connector import ensure

TEXT = {"type": "str"}
NEEDED = {"type": "str", "required": True}
SECRET = {"type": "str", "required": True, "no_log": True}
PATH = {"type": "path"}
YES = {"type": "bool", "default": True}
NO = {"type": "bool", "default": False}

LDAP: Spec = {
    "hostname": NEEDED,
    "port": {"type": "int"},
    "tls": {"type": "str", "choices": ["ldaps", "starttls", "none"], "default": "ldaps"},
    "ca_path": PATH,
    "validate_certs": YES,
    "client_cert_path": PATH,
    "client_key_path": {**PATH, "no_log": False},
    "root_path": NEEDED,
    "username": NEEDED,
    "password": SECRET,
    "active_directory": NO,
}
ENTRA: Spec = {
    "tenant": NEEDED,
    "application_id": NEEDED,
    "key": SECRET,
    "identity_authority": {
        "type": "str",
        "choices": ["login.microsoftonline.com", "login.microsoftonline.us"],
        "default": "login.microsoftonline.com",
    },
}
GOOGLE: Spec = {"client_email": NEEDED, "private_key": SECRET, "domain": NEEDED, "admin_user": NEEDED, "customer": TEXT}
OKTA: Spec = {"org_url": NEEDED, "token": SECRET}
ONELOGIN: Spec = {
    "client_id": NEEDED,
    "client_secret": SECRET,
    "region": {"type": "str", "choices": ["us", "eu"], "default": "us"},
}
DIRECTORIES = {"ldap": LDAP, "entra": ENTRA, "google": GOOGLE, "okta": OKTA, "onelogin": ONELOGIN}
SYNC: Spec = {
    "users": YES,
    "groups": YES,
    "user_filter": TEXT,
    "group_filter": TEXT,
    "remove_disabled": NO,
    "overwrite_existing": NO,
    "large_import": NO,
    "invite_users_after_provisioning": YES,
    "user_path": TEXT,
    "user_object_class": TEXT,
    "user_email_attribute": TEXT,
    "group_path": TEXT,
    "group_object_class": TEXT,
    "group_name_attribute": TEXT,
    "member_attribute": TEXT,
    "use_email_prefix_suffix": NO,
    "email_prefix_attribute": TEXT,
    "email_suffix": TEXT,
    "revision_date_attribute": TEXT,
}
ARGUMENTS: Spec = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "data_dir": {"type": "path", "required": True},
    "program_dir": PATH,
    "user": TEXT,
    "archive": PATH,
    "sha256": TEXT,
    "version": TEXT,
    "server_url": TEXT,
    "region": {"type": "str", "choices": ["us", "eu"]},
    "ca_path": PATH,
    "client_id": TEXT,
    "client_secret": {"type": "str", "no_log": True},
    "directory": {
        "type": "dict",
        "options": {name: {"type": "dict", "options": options} for name, options in DIRECTORIES.items()},
        "mutually_exclusive": [list(DIRECTORIES)],
        "required_one_of": [list(DIRECTORIES)],
    },
    "sync": {"type": "dict", "apply_defaults": True, "options": SYNC},
    "confirm_overwrite": NO,
    "min_directory_users": {"type": "int"},
    "max_removals": {"type": "int", "default": 5},
    "max_removals_percent": {"type": "int", "default": 10},
    "run": {"type": "str", "choices": ["none", "test", "sync"], "default": "none"},
    "timeout": {"type": "int", "default": 900},
    "lock_timeout": {"type": "int", "default": 60},
}
RULES = {
    "mutually_exclusive": [["server_url", "region"]],
    "required_by": {"archive": ["sha256", "version"]},
    "required_if": [
        ["state", "present", ["client_id", "client_secret", "directory"]],
        ["state", "present", ["server_url", "region"], True],
    ],
}


def work(task: Task) -> Outcome:
    report = ensure(task.params, task.check_mode)
    return Outcome(report.plan, report.values, report.warnings)


def main() -> None:
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
