"""The YAML of the guides, run as it stands there; only secrets and places are the lab's."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.bwdc import G2, Bwdc
from tests.demo import LOCAL, Demo, demo, page_a
from tests.directory import OPENLDAP, PASSWORD, Slapd
from tests.docs.conftest import ROOT
from tests.integration.directory_world import Organization, small
from tests.integration.export_files import all_kinds, organization_json

Inventory = dict[str, t.Any]


def snippets(guide: str) -> list[t.Any]:
    """The YAML blocks of a guide, parsed."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def secrets(page: Demo) -> dict[str, str]:
    """What a guide leaves to Ansible Vault."""
    people = {"owner": page.lab.people["owner"], "provider": page.lab.people["provider_user"]}
    found = {
        "vault_service_master_password": "correct horse battery staple",
        "vault_sso_client_secret": "only the provider knows",
    }
    for name, person in people.items():
        for part in ("client_id", "client_secret", "master_password"):
            found[f"vault_{name}_{part}"] = getattr(person, part)
    return found


def run(page: Demo, playbook: str, again: bool = True) -> str:
    """Run a playbook, and once more, which must change nothing."""
    first = page.playbook("--diff", playbook=playbook)
    assert first.code == 0, first.output
    if again:
        second = page.playbook("--diff", playbook=playbook)
        assert (second.code, second.changed) == (0, 0), second.output
    return first.output


@pytest.fixture
def portal() -> t.Iterator[Demo]:
    with demo(scenario="msp") as page:
        yield page


def test_provider(portal: Demo) -> None:
    inventory = snippets("provider.md")[0]
    inventory["all"]["vars"] |= {**secrets(portal), "provider_report_path": str(portal.directory / "report")}
    portal.write_inventory(inventory)
    output = run(portal, "bw.selfhost.client_organization")
    assert "name: ann@acme.example" in output
    run(portal, "bw.selfhost.provider")
    run(portal, "bw.selfhost.provider_report", again=False)
    names = [client["name"] for client in json.loads((portal.directory / "report.json").read_text())["clients"]]
    assert names == ["Acme", "Alpha Client", "Beta Client"]


def test_server_of_a_client(portal: Demo) -> None:
    inventory = snippets("provider.md")[1]["bitwarden"]
    places = {
        name: value for name, value in page_a(portal.lab, portal.stack).items() if name.endswith(("_bwdata", "egress_manage"))
    }
    server = {"server_url": "https://vault.example.com", "ca_path": portal.lab.ca_path}
    inventory["vars"] |= {**LOCAL, **places, **secrets(portal), "ansible_become": False, "provider_server": server}
    inventory["vars"] |= {"server_ca_path": portal.lab.ca_path}
    portal.write_inventory({"bitwarden": inventory})
    run(portal, "bw.selfhost.msp_activation")
    assert [row["name"] for row in portal.lab.rows("selfhost", "organization")] == ["Acme"]


def test_organization() -> None:
    with demo() as page:
        [play], [task] = snippets("organization.md")
        files = page.directory / "files"
        files.mkdir()
        (files / "example-org.json").write_text(organization_json(all_kinds()))
        play["roles"][0]["vars"]["organization_imports"][0]["src"] = str(files / "example-org.json")
        task["bw.selfhost.organization_export"]["dest"] = str(page.directory / "example-org.yml")
        play |= {"gather_facts": False, "vars": secrets(page)}
        write(page.directory / "fill.yml", [play])
        write(
            page.directory / "export.yml", [{"hosts": "localhost", "gather_facts": False, "vars": secrets(page), "tasks": [task]}]
        )
        run(page, str(page.directory / "fill.yml"))
        run(page, str(page.directory / "export.yml"))
        assert "Departments/Marketing" in (page.directory / "example-org.yml").read_text()


def write(path: Path, plays: list[t.Any]) -> None:
    path.write_text(yaml.safe_dump(plays, sort_keys=False))


def located(value: t.Any, places: t.Mapping[str, str]) -> t.Any:
    """The same YAML with places and secrets as they are in the lab."""
    text = yaml.safe_dump(value)
    for example, real in places.items():
        text = text.replace(example, real)
    return yaml.safe_load(text)


def test_directory(tmp_path: Path) -> None:
    """Previewed, synced, and nothing left to do; the timer's snippet says the same, and that of the connector is understood."""
    with demo() as page, Slapd(tmp_path / "slapd", small()) as slapd:
        world, key = Bwdc(tmp_path / "world", page.lab.proxy_url), Organization(page.lab).options
        places = {
            "{{ vault_organization_client_id }}": key["client_id"],
            "{{ vault_organization_client_secret }}": key["client_secret"],
            "{{ vault_directory_password }}": PASSWORD,
            "dc=example,dc=com": OPENLDAP,
            "ldap.example.com": "127.0.0.1",
            "/etc/ssl/certs/corp-ca.pem": str(slapd.ca_path),
            "/opt/bwdc-linux-2026.6.1.zip": str(world.archive(G2).path),
            "0123456789abcdef" * 4: world.archive(G2).sha256,
            "user: bwdc": "user: root",
            "{{ vault_entra_key }}": "entra-key",
            "/var/lib/bwdc-entra": str(tmp_path / "entra"),
        }
        inventory, [timer], connector = (located(one, places) for one in snippets("directory.md"))
        group = inventory["all"]["children"]["directories"]
        group["hosts"] = {"localhost": dict(LOCAL)}
        [profile] = group["vars"]["directory_sync_profiles"]
        group["vars"] |= {"ansible_become": False, "directory_sync_packages": []}
        profile["directory"]["port"] = slapd.tls_port
        for done, again in (({}, False), ({"run": "sync"}, True)):
            profile |= done
            page.write_inventory(inventory)
            run(page, "bw.selfhost.directory_sync", again=again)
        assert len(Organization(page.lab).members) == len(small().people)
        options = timer["bw.selfhost.directory_schedule"]["options"]
        options["directory"]["port"] = slapd.tls_port
        assert {**profile, **options} == profile
        group["vars"] |= connector
        page.write_inventory(inventory)
        checked = page.playbook("--check", playbook="bw.selfhost.directory_sync")
        assert checked.code == 0, checked.output
