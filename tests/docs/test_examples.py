"""Every module's EXAMPLES, run as an operator would after pasting them into a play."""

from __future__ import annotations

import json
import typing as t
import uuid
from pathlib import Path

import pytest
import yaml

from tests.bwdc import G2, Bwdc, people
from tests.bwdc.handle import READER
from tests.demo import LOCAL, Demo, demo
from tests.demo.clients import SERVICE, invitation_link, provider
from tests.directory import ACTIVE_DIRECTORY, OPENLDAP, PASSWORD, Slapd
from tests.docs.conftest import MODULES, Document
from tests.hosts import World
from tests.hosts.world import addresses
from tests.integration.directory_world import Organization, small
from tests.integration.export_files import all_kinds, organization_json

# What examples take as given, and how an operator gets it.
GIVEN: dict[str, dict[str, t.Any]] = {
    "server_login": {
        "bw.selfhost.login": {
            "server_url": "https://vault.example.com",
            "client_id": "{{ owner_client_id }}",
            "client_secret": "{{ owner_client_secret }}",
        }
    },
    "cloud_login": {
        "bw.selfhost.login": {"region": "eu", "client_id": "{{ cloud_client_id }}", "client_secret": "{{ cloud_client_secret }}"}
    },
    "billing_sync_token": {
        "bw.selfhost.billing_sync_token": {
            "session": "{{ cloud_login.session }}",
            "master_password": "{{ cloud_master_password }}",
            "cloud_organization_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        }
    },
}


TALKS_TO_EU = """
globalSettings__enableCloudCommunication=true
globalSettings__baseServiceUri__cloudRegion=EU
globalSettings__installation__identityUri=https://identity.bitwarden.eu
globalSettings__installation__apiUri=https://api.bitwarden.eu
globalSettings__pushRelayBaseUri=https://push.bitwarden.eu
"""
HOST_SIDE = ("override_env", "server_config", "stack", "stack_info")
WITH_A_DIRECTORY = ("directory_sync",)
WITH_A_CONNECTOR = ("directory_connector",)
IN_THE_PORTAL = ("account", "client_organization", "client_organization_info", "event_info", "provider_user")


def real_values(page: Demo) -> dict[str, str]:
    """Values as they stand in examples -> what they are in the lab."""
    ids = {
        "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee": page.lab.facts["cloud_organization_id"],
        "11111111-2222-4333-8444-555555555555": page.lab.facts["installation_id"],
    }
    paths = {"/opt/bitwarden": str(page.stack.directory), "files/": f"{page.directory}/files/"}
    return {example: real for example, real in {**ids, **paths}.items() if real}


def variables(page: Demo) -> dict[str, str]:
    """The variables that examples use without saying where they come from."""
    owner, petra = page.lab.people["owner"], page.lab.people["provider_user"]
    cloud_owner = petra if page.lab.facts["provider_id"] else page.lab.people["cloud_owner"]
    return {
        "owner_client_id": owner.client_id,
        "owner_client_secret": owner.client_secret,
        "owner_master_password": owner.master_password,
        "cloud_client_id": cloud_owner.client_id,
        "cloud_client_secret": cloud_owner.client_secret,
        "cloud_master_password": cloud_owner.master_password,
        "installation_key": page.lab.facts["installation_key"],
        "sso_client_secret": "the identity provider knows it",
        "provider_master_password": petra.master_password,
        "service_master_password": "correct horse battery staple",
        "invitation_link": invitation_link(page.lab, SERVICE) if page.lab.mailbox(SERVICE) else "",
    }


def play(page: Demo, examples: str) -> Path:
    """Write a play of the examples, after the tasks that they take as given."""
    text = examples
    for name, task in reversed(GIVEN.items()):
        if f"{name}." in text:
            text = yaml.safe_dump([{"name": f"Given is {name}", **task, "register": name}]) + text
    for example, real in real_values(page).items():
        text = text.replace(example, real)
    content = {
        "hosts": "bitwarden",
        "gather_facts": False,
        "vars": variables(page),
        "module_defaults": {f"bw.selfhost.{name}": {"bwdata": str(page.stack.bwdata)} for name in HOST_SIDE},
        "tasks": yaml.safe_load(text),
    }
    file = page.directory / "examples.yml"
    file.write_text(yaml.safe_dump([content], sort_keys=False))
    return file


@pytest.fixture
def page() -> t.Iterator[Demo]:
    """The world of the examples: a server that talks to its cloud, a license file and exports of items beside the playbook."""
    with demo() as page:
        with (page.stack.bwdata / "env/global.override.env").open("a") as file:
            file.write(TALKS_TO_EU)
        page.stack.run("restart")
        license_file = page.directory / "files/bitwarden_organization_license.json"
        license_file.parent.mkdir()
        license_file.write_text(json.dumps(page.lab.cloud_license()))
        license_file.with_name("example-org.json").write_text(organization_json(all_kinds()))
        login = "login,db,inventory number: 7,https://db.example.com,root,secret"
        license_file.with_name("logins.csv").write_text(f"type,name,fields,login_uri,login_username,login_password\n{login}\n")
        yield page


@pytest.fixture
def portal() -> t.Iterator[Demo]:
    """The world of the examples about providers, with an invitation for the service account."""
    with demo(scenario="msp") as page:
        clients = [{"name": "Invites", "plan": "enterprise", "seats": 1, "owner_email": SERVICE}]
        variables = {**provider(page.lab), "provider_clients": clients}
        page.write_inventory({"all": {"hosts": {"localhost": dict(LOCAL)}, "vars": variables}})
        invited = page.playbook(playbook="playbooks/provider.yml")
        assert invited.code == 0, invited.output
        page.declare()
        yield page


def run_examples(page: Demo, examples: str) -> None:
    done = page.playbook(playbook=str(play(page, examples)))
    assert done.code == 0, done.output


ELSEWHERE = (*WITH_A_DIRECTORY, *WITH_A_CONNECTOR, *IN_THE_PORTAL, "directory_schedule")


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("egress") and name not in ELSEWHERE])
def test_examples_run(name: str, documents: dict[str, Document], page: Demo) -> None:
    run_examples(page, documents[name]["examples"])


@pytest.mark.parametrize("name", IN_THE_PORTAL)
def test_examples_about_providers_run(name: str, documents: dict[str, Document], portal: Demo) -> None:
    run_examples(portal, documents[name]["examples"])


@pytest.mark.parametrize("name", WITH_A_DIRECTORY)
def test_examples_about_directories_run(name: str, documents: dict[str, Document], tmp_path: Path) -> None:
    with demo(scenario="page_a") as page, Slapd(tmp_path / "slapd", small(), small(ACTIVE_DIRECTORY)) as slapd:
        key = Organization(page.lab).options
        real = {
            "{{ organization_client_id }}": key["client_id"],
            "{{ organization_client_secret }}": key["client_secret"],
            "{{ directory_password }}": PASSWORD,
            "dc=ad,dc=example,dc=com": ACTIVE_DIRECTORY,
            "dc=example,dc=com": OPENLDAP,
            "ldap.example.com": "127.0.0.1",
            "dc1.ad.example.com": "127.0.0.1",
            "port: 636": f"port: {slapd.tls_port}",
            "/etc/ssl/certs/corp-ca.pem": str(slapd.ca_path),
        }
        examples = documents[name]["examples"]
        for example, found in real.items():
            examples = examples.replace(example, found)
        run_examples(page, examples)
        assert len(Organization(page.lab).members) == len(small().people)


@pytest.mark.parametrize("name", WITH_A_CONNECTOR)
def test_examples_about_the_official_connector_run(name: str, documents: dict[str, Document], tmp_path: Path) -> None:
    with demo(scenario="page_a") as page:
        world, key = Bwdc(tmp_path / "world", page.lab.proxy_url), Organization(page.lab).options
        world.server(filters={"(!(employeeType=external))": [row["dn"] for row in people(3)]})
        archive = world.archive(G2)
        real = {
            "{{ organization_client_id }}": key["client_id"],
            "{{ organization_client_secret }}": key["client_secret"],
            "{{ directory_password }}": READER["password"],
            "/opt/bitwarden/bwdc-linux-2026.6.1.zip": str(archive.path),
            "0123456789abcdef" * 4: archive.sha256,
            "/etc/ssl/certs/corp-ca.pem": page.lab.ca_path,
        }
        examples = documents[name]["examples"]
        for example, found in real.items():
            examples = examples.replace(example, found)
        run_examples(page, examples)
        assert len(Organization(page.lab).members) == 3


@pytest.mark.network_namespace
def test_examples_about_outbound_traffic_run(documents: dict[str, Document], tmp_path: Path) -> None:
    """These need root on a real host with containers."""
    with World(tmp_path) as world:
        for name in ("login.example.com", "mail.internal.example.com", "func.bitwarden.com", "selfhost.bitwarden.com"):
            world.resolve(name, addresses(30))
        host = world.boot("debian12")
        host.stack.up("api", "identity")
        host.write("/etc/ssl/inspection-ca.pem", world.ca_path.read_text())
        for module in ("egress", "egress_info", "egress_probe"):
            for task in yaml.safe_load(documents[module]["examples"]):
                if options := task.get(f"bw.selfhost.{module}"):
                    result = host.module(module, options, check=task.get("check_mode", False))
                    assert not result["failed"], (task["name"], result)


@pytest.mark.network_namespace
def test_examples_about_timers_run(documents: dict[str, Document], tmp_path: Path) -> None:
    """These need a host with systemd, and a connector that has been set up there."""
    with World(tmp_path) as world:
        host = world.boot("debian13")
        host.run(["mkdir", "-p", "/var/lib/bwdc/entra"])
        for task in yaml.safe_load(documents["directory_schedule"]["examples"]):
            text = json.dumps(task["bw.selfhost.directory_schedule"])
            options = json.loads(text.replace("{{ organization_client_id }}", f"organization.{uuid.UUID(int=1)}"))
            result = host.module("directory_schedule", options)
            assert (result["failed"], result["changed"]) == (False, True), (task["name"], result)
        timers = host.run(["systemctl", "list-timers", "--all", "--no-legend", "bw-selfhost*"]).stdout
        assert ("entra" in timers, "corp-ldap" in timers) == (True, False)
