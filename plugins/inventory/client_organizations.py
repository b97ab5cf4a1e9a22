# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client organizations of a provider as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: client_organizations
short_description: The client organizations of a provider as hosts
version_added: 0.1.0
description:
  - Each client organization of a provider is a host, named like the client; two of one name have their id behind it.
  - The hosts are in the group C(client_organizations), in C(plan_enterprise) or C(plan_teams), and by the state of their owner in
    C(owner_confirmed), C(owner_accepted), C(owner_invited) or C(owner_none) (none with O(details=false)).
  - A host has the variables C(organization_id), C(organization_name) and C(provider_organization_id), and what
    M(bw.selfhost.client_organization_info) returns of the client with C(client_) before each name, such as C(client_remaining_seats);
    the owner's are C(client_owner_email) and C(client_owner_status).
  - These hosts are no machines, so their connection is V(local).
  - The file of this inventory ends in V(client_organizations.yml).
author:
  - The bw.selfhost maintainers (@bw-selfhost)
extends_documentation_fragment:
  - bw.selfhost.api
  - bw.selfhost.provider
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [bw.selfhost.client_organizations]
  server_url:
    env:
      - name: BW_SERVER
  client_id:
    env:
      - name: BW_CLIENTID
  client_secret:
    env:
      - name: BW_CLIENTSECRET
  master_password:
    env:
      - name: BW_PASSWORD
  names:
    description: Names of the clients to show. An empty list means all.
    type: list
    elements: str
    default: []
  details:
    description: Whether to look up each client's owner, which costs one more request for each.
    type: bool
    default: true
"""

EXAMPLES = r"""
# clients.client_organizations.yml; the API key comes from BW_CLIENTID and BW_CLIENTSECRET
plugin: bw.selfhost.client_organizations
region: eu
provider_name: Example Provider
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/bitwarden
groups:
  full: client_remaining_seats < 1
"""

import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._module import API_ARGUMENTS, PROVIDER_ARGUMENTS
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_info

Values = dict[str, t.Any]
ALL = "client_organizations"
OPTIONS = (*API_ARGUMENTS, *PROVIDER_ARGUMENTS, "names", "details")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """Asks the cloud, or the cache, and tells Ansible."""

    NAME = "bw.selfhost.client_organizations"

    def verify_file(self, path: str) -> bool:
        """Say whether a file is one of ours."""
        return super().verify_file(path) and path.endswith(("client_organizations.yml", "client_organizations.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        key = self.get_cache_key(path)
        caching = self.get_option("cache")
        clients = self._cache.get(key) if caching and cache else None
        if clients is None:
            clients = self._ask()
            if caching:
                self._cache[key] = clients
        self._fill(clients)

    def _ask(self) -> list[Values]:
        given = {name: self.get_option(name) for name in OPTIONS}
        options = {name: self.templar.template(value) if isinstance(value, str) else value for name, value in given.items()}
        try:
            clients: list[Values] = client_info.listed(options, self.display.vvv)["clients"]
        except SelfhostError as error:
            raise AnsibleParserError(str(error)) from None
        return clients

    def _fill(self, clients: list[Values]) -> None:
        names = [client["name"] for client in clients]
        self.inventory.add_group(ALL)
        for client in clients:
            name = client["name"]
            host = self.inventory.add_host(f"{name} ({client['organization_id']})" if names.count(name) > 1 else name, ALL)
            variables = _variables(client)
            for key, value in variables.items():
                self.inventory.set_variable(host, key, value)
            for group in _groups(client, self.get_option("details")):
                self.inventory.add_host(host, self.inventory.add_group(group))
            self._construct(host, variables)

    def _construct(self, host: str, variables: Values) -> None:
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def _variables(client: Values) -> Values:
    about = {
        name: value
        for name, value in client.items()
        if name not in ("name", "organization_id", "provider_organization_id", "owner")
    }
    owner = client["owner"] or {}
    return {
        "ansible_connection": "local",
        "organization_id": client["organization_id"],
        "organization_name": client["name"],
        "provider_organization_id": client["provider_organization_id"],
        "client_owner_email": owner.get("email"),
        "client_owner_status": owner.get("status"),
        **{f"client_{name}": value for name, value in about.items()},
    }


def _groups(client: Values, details: bool) -> list[str]:
    owner = client["owner"] or {"status": "none"}
    return [f"plan_{client['plan'] or 'other'}", *([f"owner_{owner['status']}"] if details else [])]
