"""Pages B and C as their user runs them: ansible-playbook for a provider, with the lab as its cloud."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.demo import LOCAL, Demo, Pass, demo
from tests.demo.clients import (
    ACTIVATION,
    CLIENT,
    COLLECTIONS,
    ITEMS,
    MEMBERS,
    NEW_OWNER,
    OWNER,
    PLAYBOOK,
    SERVICE,
    contents,
    declare,
    declare_server,
    invitation_link,
    provider,
)

VERSIONS = ["2025.8.0", "2026.4.0", "2026.8.0"]


@pytest.fixture(params=VERSIONS[-1:])
def page(request: pytest.FixtureRequest) -> t.Iterator[Demo]:
    """A provider, and a client that is declared but not there."""
    with demo(scenario="msp") as found:
        found.lab.reset(scenario="msp", cloud_version=request.param)
        declare(found)
        yield found


def done(page: Demo, playbook: str = PLAYBOOK, *arguments: str) -> Pass:
    """Run a playbook that must succeed."""
    ran = page.playbook("--diff", *arguments, playbook=playbook)
    assert ran.code == 0, ran.output
    return ran


def client_id(page: Demo, name: str = CLIENT) -> str:
    [row] = [row for row in page.lab.rows("eu", "organization") if row["name"] == name]
    return str(row["id"])


def in_client(page: Demo, kind: str) -> list[dict[str, t.Any]]:
    """What the client has of a kind."""
    return page.lab.rows("eu", kind, organizationId=client_id(page))


def as_declared(page: Demo) -> None:
    """Everything that the inventory declares is there, once, and can be decrypted."""
    organization = client_id(page)
    names = [page.lab.decrypt(organization, row["name"]) for row in in_client(page, "collection")]
    assert sorted(names) == sorted([*COLLECTIONS, "Default collection"])
    assert sorted(row["name"] for row in in_client(page, "group")) == ["IT", "Marketing"]
    assert sorted(row["type"] for row in in_client(page, "policy") if row["enabled"]) == [1, 2, 3, 9, 10, 14]
    [sso] = in_client(page, "sso")
    assert sso["enabled"]
    assert len(in_client(page, "cipher")) == ITEMS
    assert sorted(row["email"] for row in in_client(page, "member")) == sorted([OWNER, *MEMBERS])


@pytest.mark.parametrize("page", VERSIONS, indirect=True)
def test_a_client_is_created_filled_and_joined(page: Demo) -> None:
    page.lab.forbid_writes()
    checked = done(page, PLAYBOOK, "--check")
    assert page.lab.writes() == []
    for named in (f"+client organization {CLIENT}:", "2 groups, 5 collections, 12 members, 6 policies, 1 imports"):
        assert named in checked.output

    page.lab.forbid_writes(False)
    first = done(page)
    as_declared(page)
    assert first.output.count("The invitation is not accepted yet.") == len(MEMBERS)

    for email in [OWNER, *MEMBERS[:8]]:
        page.lab.accept_invitation(email)
    second = done(page)
    states = {row["email"]: row["status"] for row in in_client(page, "member")}
    assert states == {**dict.fromkeys([OWNER, *MEMBERS[:8]], 2), **dict.fromkeys(MEMBERS[8:], 0)}
    assert second.output.count("The invitation is not accepted yet.") == 4

    page.lab.clear_requests()
    page.lab.forbid_writes()
    assert done(page).changed == 0
    assert done(page, PLAYBOOK, "--check").changed == 0
    assert page.lab.writes() == []
    as_declared(page)
    assert len([mail for mail in page.lab.mailbox(MEMBERS[-1]) if "Join" in mail.subject]) == 1


def test_check_mode_of_a_client_that_is_there_shows_everything(page: Demo) -> None:
    declare(page, **{name: type(value)() for name, value in contents(page).items()})
    done(page)
    declare(page)
    page.lab.clear_requests()
    page.lab.forbid_writes()
    checked = done(page, PLAYBOOK, "--check")
    assert page.lab.writes() == []
    page.lab.forbid_writes(False)
    applied = done(page)
    for named in ("policy single_org:", "group IT:", "collection Shared:", "items in Departments:", f"member {MEMBERS[0]}:"):
        assert named in checked.output, named
        assert named in applied.output, named
    as_declared(page)


def test_seats_are_not_bought_by_accident(page: Demo) -> None:
    declare(page, provider_client={"name": CLIENT, "plan": "enterprise", "seats": 45, "owner_email": OWNER})
    refused = page.playbook(playbook=PLAYBOOK)
    assert refused.code != 0
    assert "max_purchased_seats" in refused.output
    assert page.lab.writes() == []


def test_a_provider_and_its_report(page: Demo) -> None:
    inventory = {**provider(page.lab), "provider_report_path": str(page.directory / "report")}
    inventory["provider_users"] = [{"email": "tech@msp.example"}]
    inventory["provider_clients"] = [{"name": CLIENT, "plan": "teams", "seats": 5, "owner_email": OWNER}]
    page.write_inventory({"all": {"hosts": {"localhost": dict(LOCAL)}, "vars": inventory}})
    page.lab.forbid_writes()
    assert f"+client organization {CLIENT}:" in done(page, "playbooks/provider.yml", "--check").output
    assert page.lab.writes() == []
    page.lab.forbid_writes(False)
    first = done(page, "playbooks/provider.yml")
    assert {"tech@msp.example", f"{OWNER} of {CLIENT}"} <= set(first.output.replace("name: ", "").split("\n" + " " * 8))
    page.lab.clear_requests()
    assert done(page, "playbooks/provider.yml").changed == 0
    assert page.lab.writes() == []

    done(page, "playbooks/provider_report.yml")
    assert page.lab.writes() == []
    report = json.loads((page.directory / "report.json").read_text())
    rows = {client["name"]: client for client in report["clients"]}
    assert set(rows) == {CLIENT, "Alpha Client", "Beta Client"}
    assert (rows[CLIENT]["seats"], rows[CLIENT]["owner"]) == (5, {"email": OWNER, "status": "invited"})
    assert rows["Alpha Client"]["owner"]["status"] == "confirmed"
    assert report["totals"]["assigned"] == 20
    assert "Alpha Client" in (page.directory / "report.html").read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_is_handed_over_to_its_client(version: str) -> None:
    """From a client that nobody knows to an owner of its own; each run goes as far as it can without a mailbox."""
    with demo(version, "msp") as page:
        declare_server(page)
        page.lab.forbid_writes()
        checked = done(page, ACTIVATION, "--check")
        assert page.lab.writes() == []
        assert f"+client organization {CLIENT}:" in checked.output
        page.lab.forbid_writes(False)

        first = done(page, ACTIVATION)
        [organization] = page.lab.rows("selfhost", "organization")
        assert (organization["name"], organization["seats"], organization["useSso"]) == (CLIENT, 15, True)
        assert [row["enabled"] for row in page.lab.rows("selfhost", "connection")] == [True]
        assert roles(page, "selfhost") == {SERVICE: (0, 2), NEW_OWNER: (0, 0)}
        assert f"{SERVICE} of {CLIENT}" in first.output
        assert f"name: {NEW_OWNER}" in first.output

        page.lab.accept_invitation(NEW_OWNER, "selfhost")
        declare_server(page, provider_service_invitation=invitation_link(page.lab, SERVICE), provider_demote_service_account=True)
        second = done(page, ACTIVATION)
        assert roles(page, "eu") == {SERVICE: (0, 2)}
        assert roles(page, "selfhost") == {SERVICE: (4, 2), NEW_OWNER: (0, 2)}
        assert "provider__pending" not in second.output

        page.lab.clear_requests()
        page.lab.forbid_writes()
        assert done(page, ACTIVATION).changed == 0
        assert page.lab.writes() == []


def roles(page: Demo, server: str) -> dict[str, tuple[int, int]]:
    """The members of the one client by e-mail address: type and status."""
    [organization] = [row for row in page.lab.rows(server, "organization") if row["name"] == CLIENT]
    members = page.lab.rows(server, "member", organizationId=organization["id"])
    return {row["email"]: (row["type"], row["status"]) for row in members}
