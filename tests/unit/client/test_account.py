"""Unlocking an account, and what its keys are for."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import licensing, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tests.lab import Lab
from tests.unit.client.conftest import asked, changed, options
from tests.unit.crypto.vectors import VECTORS

COLLECTION = "Default collection"


@pytest.mark.parametrize("who", ["owner", "bob", "cloud_owner"])
def test_unlock(lab: Lab, who: str) -> None:
    person = lab.people[who]
    account = Account.unlock(connect(options(lab, who)), person.master_password)
    row = next(row for row in lab.rows(person.server, "user") if row["email"] == person.email)
    assert account.password_hash == row["passwordHash"]
    assert account.email == person.email


def test_api_key_and_master_password_need_one_request(lab: Lab, local: Server) -> None:
    Account.unlock(local, lab.people["owner"].master_password)
    assert asked(lab) == ["identity/connect/token"]


def test_wrong_master_password_is_never_sent(lab: Lab, local: Server) -> None:
    with pytest.raises(SelfhostError, match=r"master password is wrong for owner@example\.com") as caught:
        Account.unlock(local, "canary")
    assert caught.value.field == "master_password"
    assert "canary" not in f"{caught.value} {caught.value.__cause__!r}"
    assert len(lab.requests()) == 1


@pytest.mark.parametrize("password", [None, ""])
def test_no_master_password(local: Server, password: str | None) -> None:
    with pytest.raises(SelfhostError, match="is needed"):
        Account.unlock(local, password)


def test_account_without_a_master_password(lab: Lab) -> None:
    server = connect({"session": changed(connect(options(lab, "owner")).session(), key=None)})
    with pytest.raises(SelfhostError, match="has no master password"):
        Account.unlock(server, "canary")


def test_parameters_that_the_token_does_not_tell(lab: Lab) -> None:
    """The server is then asked for them before a login, as anybody may."""
    session = changed(connect(options(lab, "bob")).session(), kdf=None, salt=None)
    lab.clear_requests()
    account = Account.unlock(connect({"session": session}), lab.people["bob"].master_password)
    assert account.password_hash
    assert asked(lab) == ["identity/accounts/prelogin"]


def test_v2_account_is_refused_by_name(lab: Lab, local: Server) -> None:
    """Its hash can be had, its private key cannot."""
    session = changed(local.session(), private_key=VECTORS["type7_cose_v2_account"][0]["enc_string"])
    account = Account.unlock(connect({"session": session}), lab.people["owner"].master_password)
    assert account.password_hash
    with pytest.raises(SelfhostError, match="type 7: COSE"):
        account.new_organization(COLLECTION)


def test_account_without_a_key_pair(lab: Lab, local: Server) -> None:
    account = Account.unlock(local, lab.people["owner"].master_password)
    with pytest.raises(SelfhostError, match="no key pair"):
        dataclasses.replace(account, _wrapped_private_key=None).new_organization(COLLECTION)


def test_no_secret_in_repr(lab: Lab, local: Server) -> None:
    assert repr(Account.unlock(local, lab.people["owner"].master_password)) == "Account(email='owner@example.com')"


def test_first_organization_on_a_new_server(lab: Lab) -> None:
    """The whole chain: download, create, renew, give it keys; and the keys again for one that a killed run left without."""
    lab.reset(scenario="first_license")
    cloud, local = connect(options(lab, "cloud_owner")), connect(options(lab, "owner"))
    account = Account.unlock(local, lab.people["owner"].master_password)
    content = licensing.download(cloud, lab.facts["cloud_organization_id"], lab.facts["installation_id"])
    new = account.new_organization(COLLECTION)
    created = licensing.create(local, content, new.key, new.collection_name)
    local.renew()
    entry = organizations.mine(local)[0]
    assert (entry["id"], entry["hasPublicAndPrivateKeys"]) == (created["id"], False)
    organizations.set_keys(local, created["id"], account.new_key_pair(entry["key"]))
    local.renew()
    entry = organizations.mine(local)[0]
    assert entry["hasPublicAndPrivateKeys"] is True
    assert entry["enabled"] is True
    assert organizations.subscription(local, created["id"])["seats"] == 25
