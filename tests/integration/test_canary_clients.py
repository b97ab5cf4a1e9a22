"""No secret of pages B and C leaves the process: not at -vvvv, not in a diff, not in argv, not in a file."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.demo import Demo, Pass, demo
from tests.demo.clients import (
    ACTIVATION,
    CLIENT,
    ITEM_PASSWORD,
    MEMBERS,
    NEW_OWNER,
    OWNER,
    PLAYBOOK,
    SERVICE,
    SERVICE_PASSWORD,
    SSO_SECRET,
    declare,
    declare_server,
    export,
    invitation_link,
    provider,
)
from tests.integration.test_canary import TOKEN, Watch

WRONG_PASSWORD = "canary wrong master password"


@pytest.fixture
def page() -> t.Iterator[Demo]:
    with demo(scenario="msp") as found:
        yield found


def secrets_of(page: Demo) -> dict[str, str]:
    """Every secret of the flow by a name for it: people's, the mails', the items', and what the servers made."""
    petra = page.lab.people["provider_user"]
    found = {"provider user's password": petra.master_password, "provider user's key": petra.client_secret}
    found |= {"wrong password": WRONG_PASSWORD, "service password": SERVICE_PASSWORD, "sso secret": SSO_SECRET}
    found |= {"password of an item": ITEM_PASSWORD}
    for address in (OWNER, SERVICE, NEW_OWNER, *MEMBERS):
        found |= {f"mail {number} of {address}": str(mail.token) for number, mail in enumerate(page.lab.mailbox(address))}
    for server in ("eu", "selfhost"):
        found |= {f"API key of {row['email']}": row["apiKey"] for row in page.lab.rows(server, "user")}
        found |= {f"{server} key {row['id']}": row["apiKey"] for row in page.lab.rows(server, "organization_api_key")}
    return {name: value for name, value in found.items() if value and value != "None"}


def leaks(text: str, page: Demo) -> list[str]:
    """The names of the secrets that a text holds."""
    found = [name for name, value in secrets_of(page).items() if value in text]
    return found + (["a token"] if TOKEN.search(text) else [])


def watched(page: Demo, *runs: t.Callable[[], Pass]) -> list[Pass]:
    """Do runs; what they print, and what every process and temporary file of them held meanwhile, must be free of secrets."""
    watch = Watch(page)
    watch.start()
    ran = [run() for run in runs]
    seen = watch.stop().decode(errors="replace")
    assert "ansible-playbook" in seen
    assert leaks(seen, page) == []
    for done in ran:
        assert leaks(done.output, page) == []
    left = [path for path in (page.directory / "ansible").rglob("*") if path.is_file()]
    assert [str(path) for path in left if leaks(path.read_text(errors="replace"), page)] == []
    return ran


def test_a_client_organization(page: Demo) -> None:
    """An import whose content is a variable, as one that comes from Ansible Vault is."""

    def run(*arguments: str) -> t.Callable[[], Pass]:
        return lambda: page.playbook("--diff", "-vvvv", *arguments, playbook=PLAYBOOK)

    def accept() -> Pass:
        page.lab.accept_invitation(MEMBERS[0])
        return run()()

    def with_a_wrong_password() -> Pass:
        cloud = provider(page.lab)["provider_cloud"]
        newcomer = [{"email": "new@acme.example"}]
        declare(page, provider_cloud={**cloud, "master_password": WRONG_PASSWORD}, organization_members=newcomer)
        return run()()

    declare(page, organization_imports=[{"content": export()}])
    ran = watched(page, run("--check"), run(), accept, run())
    assert [done.code for done in ran] == [0, 0, 0, 0], ran[-1].output
    page.lab.accept_invitation(OWNER)
    [failed] = watched(page, with_a_wrong_password)
    assert "master_password" in failed.output
    assert failed.code != 0


def test_a_server_of_a_client(page: Demo) -> None:
    def run(*arguments: str) -> t.Callable[[], Pass]:
        return lambda: page.playbook("--diff", "-vvvv", *arguments, playbook=ACTIVATION)

    def accept() -> Pass:
        page.lab.accept_invitation(NEW_OWNER, "selfhost")
        declare_server(page, provider_service_invitation=invitation_link(page.lab, SERVICE))
        return run()()

    declare_server(page)
    ran = watched(page, run("--check"), run(), accept)
    assert [done.code for done in ran] == [0, 0, 0], ran[-1].output


def test_registered_results_hold_no_secret(page: Demo) -> None:
    names = ["provider__clients", "organization__contents", "organization__imports"]
    plays: list[dict[str, t.Any]] = [
        {"ansible.builtin.import_playbook": "bw.selfhost.client_organization"},
        {"hosts": "clients", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"var": name}} for name in names]},
    ]
    file: Path = page.directory / "shown.yml"
    file.write_text(json.dumps(plays))
    declare(page, organization_imports=[{"content": export()}])
    done = page.playbook("-vvv", playbook=str(file))
    assert done.code == 0, done.output
    assert CLIENT in done.output
    assert "VARIABLE IS NOT DEFINED" not in done.output
    assert leaks(done.output, page) == []
