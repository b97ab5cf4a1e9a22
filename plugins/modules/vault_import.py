#!/usr/bin/python
# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_import
short_description: Import items into the vault of an organization
version_added: 0.1.0
description:
  - Imports the items of a Bitwarden export, JSON or CSV, into an organization. Items that the organization has already are left alone, so that
    the import can be repeated.
  - Items are encrypted on the machine where the module runs; the server sees no name and no password.
  - The file is read as Bitwarden's own importer reads it. An individual vault's folders become collections.
  - Two items are the same when their type, their name, and what identifies the type are the same. For logins that is the username and the URIs,
    for cards the number, for identities the names and the e-mail address, for SSH keys the public key and its fingerprint, for bank accounts
    the account number and the IBAN, for driver's licenses and passports their number.
  - Items are counted. Two of them that look the same in the file are two items in the organization.
  - What is in the organization's trash does not count. An item that was changed in the organization is never overwritten.
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.organization
  - bw.selfhost.attributes
  - bw.selfhost.attributes.actiongroup_api
options:
  src:
    description:
      - Path of the export file, on the machine where the module runs. It must not be encrypted.
      - It holds all secrets in clear text. O(content) allows to keep it in Ansible Vault.
    type: path
  content:
    description: Content of the export file, instead of O(src).
    type: str
  format:
    description: Format of the file.
    type: str
    choices: [auto, bitwarden_json, bitwarden_csv]
    default: auto
  target_collection:
    description:
      - Full name of a collection. Items without a collection go into it, and collections of the file are put under it, such as V(Old/Web) for V(Web).
    type: str
  match:
    description: What makes an item of the file and one of the organization the same, either what the description says, or a custom field.
    type: str
    choices: [fingerprint, field]
    default: fingerprint
  match_field:
    description:
      - Name of the custom field with O(match=field). Each item of the file needs it, with a value of its own. Names, usernames and URIs may then
        change in the organization.
    type: str
  missing_collections:
    description:
      - What happens when the organization does not have a collection that an item to import belongs to. With V(create), it is created together
        with the collections above it, and the user who imports manages it.
      - A collection of the file that no item needs is never created.
    type: str
    choices: [fail, create]
    default: fail
notes:
  - O(master_password) is needed, because the items are encrypted with the organization's key.
  - An encrypted or password-protected export cannot be read. Favorites, the archive and attachments are personal or not part of an export, and are
    left out. Of former passwords the newest five are kept, as everywhere in Bitwarden.
seealso:
  - module: bw.selfhost.organization
"""

EXAMPLES = r"""
- name: Items of the old password manager are in the organization
  bw.selfhost.vault_import:
    session: "{{ server_login.session }}"
    master_password: "{{ owner_master_password }}"
    organization_name: Example Org
    content: "{{ lookup('ansible.builtin.unvault', 'files/example-org.json') }}"
    missing_collections: create
  delegate_to: localhost

- name: A spreadsheet's logins are in one collection, recognised by their number in the inventory
  bw.selfhost.vault_import:
    session: "{{ server_login.session }}"
    master_password: "{{ owner_master_password }}"
    organization_name: Example Org
    src: files/logins.csv
    format: bitwarden_csv
    target_collection: Inventory
    match: field
    match_field: inventory number
    missing_collections: create
  delegate_to: localhost
"""

RETURN = r"""
organization_id:
  description: Id of the organization.
  returned: success
  type: str
imported:
  description: The items that were, or in check mode would be, imported.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the item.
      type: str
    collections:
      description: Full names of its collections in the file.
      type: list
      elements: str
    id:
      description: Id of the item. V(null) in check mode.
      type: str
existing:
  description: The items of the file that the organization has already; they are left alone.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the item.
      type: str
    collections:
      description: Full names of its collections in the file.
      type: list
      elements: str
    id:
      description: Id of the item in the organization.
      type: str
    differs_in:
      description:
        - In what the organization's item is not the file's, as names without values, such as V(login.password), V(notes), or V(collections).
        - Empty for one that is exactly the same.
      type: list
      elements: str
changes:
  description: What was, or in check mode would be, changed.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, ORGANIZATION_ARGUMENTS, Outcome, Task, run
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import vault_import

ARGUMENTS = {
    **API_ARGUMENTS,
    **ORGANIZATION_ARGUMENTS,
    "src": {"type": "path"},
    "content": {"type": "str", "no_log": True},
    "format": {"type": "str", "choices": ["auto", "bitwarden_json", "bitwarden_csv"], "default": "auto"},
    "target_collection": {"type": "str"},
    "match": {"type": "str", "choices": ["fingerprint", "field"], "default": "fingerprint"},
    "match_field": {"type": "str"},
    "missing_collections": {"type": "str", "choices": ["fail", "create"], "default": "fail"},
}
RULES = {
    "mutually_exclusive": [("src", "content")],
    "required_one_of": [("src", "content")],
    "required_if": [("match", "field", ["match_field"])],
}


def work(task: Task) -> Outcome:
    """Import what is missing."""
    return Outcome(*vault_import.ensure(task.params, task.check_mode, task.progress))


def main() -> None:
    """Run the module."""
    run(work, ARGUMENTS, **RULES)


if __name__ == "__main__":
    main()
