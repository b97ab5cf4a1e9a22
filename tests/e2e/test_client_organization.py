"""What the playbooks have made, opened by the official client: the whole chain of keys, from one end to the other."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.demo import Demo, demo
from tests.demo.clients import CLIENT, COLLECTIONS, ITEM_PASSWORD, MEMBERS, OWNER, PLAYBOOK, declare
from tests.e2e.client import RELEASES, Client
from tests.lab import Person

pytestmark = pytest.mark.cli
CLOUD = "https://vault.bitwarden.eu"


@pytest.fixture(params=RELEASES)
def filled(request: pytest.FixtureRequest) -> t.Iterator[tuple[Demo, Person]]:
    """A client that the playbook has created and filled, and a member that it has confirmed."""
    with demo(scenario="msp") as page:
        page.lab.reset(scenario="msp", cloud_version=request.param)
        declare(page)
        apply(page)
        member = page.lab.accept_invitation(MEMBERS[0])
        apply(page)
        yield page, member


def apply(page: Demo) -> None:
    """Run the playbook."""
    ran = page.playbook(playbook=PLAYBOOK)
    assert ran.code == 0, ran.output


def signed_in(page: Demo, program: Path, who: Person) -> Client:
    """Log somebody in at the cloud."""
    client = Client(program, page.lab, page.directory / who.user_id)
    client.run("config", "server", CLOUD)
    client.session("login", who.email, "--passwordenv", "PASSWORD", PASSWORD=who.master_password)
    return client


def names(client: Client, *arguments: str) -> list[str]:
    """The names of what the client lists."""
    return sorted(entry["name"] for entry in client.run("list", *arguments)["data"])


def test_a_confirmed_member_reads_what_was_imported_and_the_provider_sees_the_client(
    filled: tuple[Demo, Person], program: Path
) -> None:
    page, person = filled
    member = signed_in(page, program, person)
    assert names(member, "organizations") == [CLIENT]
    assert names(member, "collections") == sorted(COLLECTIONS)
    item = member.run("get", "item", "Login 07")
    assert (item["login"]["username"], item["login"]["password"]) == ("user7", f"{ITEM_PASSWORD}07")

    petra = signed_in(page, program, page.lab.people["provider_user"])
    [organization] = [row for row in page.lab.rows("eu", "organization") if row["name"] == CLIENT]
    seen = names(petra, "org-collections", "--organizationid", organization["id"])  # organizations lists memberships alone
    assert seen == sorted([*COLLECTIONS, "Default collection"])
    members = petra.run("list", "org-members", "--organizationid", organization["id"])["data"]
    assert {OWNER, *MEMBERS} == {row["email"] for row in members}
