"""The functions of each door, against the lab."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import (
    api_keys,
    connections,
    licensing,
    organizations,
    sponsorships,
)
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.api_keys import BILLING_SYNC, DEFAULT
from ansible_collections.bw.selfhost.plugins.module_utils._client.failures import Failure, Unreachable
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.license import matches_subscription, same_entitlement
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import parse as parse_license

from tests.lab import Lab
from tests.unit.client.conftest import options


@pytest.fixture
def local_id(lab: Lab) -> str:
    return str(lab.facts["organization_id"])


@pytest.fixture
def cloud_id(lab: Lab) -> str:
    return str(lab.facts["cloud_organization_id"])


@pytest.fixture
def proof(lab: Lab, cloud: Server) -> str:
    """The cloud owner's password hash."""
    return Account.unlock(cloud, lab.people["cloud_owner"].master_password).password_hash


@pytest.fixture
def token(cloud: Server, cloud_id: str, proof: str) -> str:
    """The billing sync token."""
    return api_keys.get_or_create(cloud, cloud_id, BILLING_SYNC, proof).key


def download(lab: Lab, cloud: Server) -> bytes:
    return licensing.download(cloud, lab.facts["cloud_organization_id"], lab.facts["installation_id"])


def has(local: Server, content: bytes) -> bool:
    """Whether the server's organization already has what a license grants."""
    entry = organizations.mine(local)[0]
    subscription = organizations.subscription(local, entry["id"])
    applies_claims = local.supports("license update from token")
    return matches_subscription(parse_license(content), subscription, entry, applies_claims=applies_claims)


class TestOrganizations:
    def test_mine(self, local: Server, local_id: str) -> None:
        assert [(entry["id"], entry["type"], entry["status"], entry["enabled"]) for entry in organizations.mine(local)] == [
            (local_id, organizations.OWNER, organizations.CONFIRMED, True)
        ]

    def test_get(self, cloud: Server, cloud_id: str) -> None:
        found = organizations.get(cloud, cloud_id)
        assert (found["name"], found["seats"], found["selfHost"]) == ("Example Org", 25, True)

    def test_members(self, lab: Lab, local: Server, local_id: str) -> None:
        assert sorted(member["email"] for member in organizations.members(local, local_id)) == sorted(
            lab.people[who].email for who in ("owner", "ann", "bob")
        )

    def test_not_an_owner(self, lab: Lab, local_id: str) -> None:
        ann = connect(options(lab, "ann"))
        for ask in (organizations.get, organizations.subscription):
            with pytest.raises(ApiError) as caught:
                ask(ann, local_id)
            assert caught.value.status == 404
            assert "confirmed owner" in str(caught.value.remedy)

    def test_keys_exist_already(self, lab: Lab, local: Server, local_id: str) -> None:
        account = Account.unlock(local, lab.people["owner"].master_password)
        pair = account.new_key_pair(organizations.mine(local)[0]["key"])
        with pytest.raises(ApiError, match="already exist"):
            organizations.set_keys(local, local_id, pair)


class TestLicensing:
    def test_download_and_upload(self, lab: Lab, cloud: Server, local: Server, local_id: str) -> None:
        content = download(lab, cloud)
        license = parse_license(content)
        assert not matches_subscription(license, organizations.subscription(local, local_id), organizations.mine(local)[0])
        licensing.upload(local, local_id, content)
        assert matches_subscription(license, organizations.subscription(local, local_id), organizations.mine(local)[0])
        stored = lab.stored_license(local_id)
        assert stored is not None
        assert stored["Token"] in content.decode()

    @pytest.mark.parametrize("version", ["2025.8.0", "2026.4.0"])
    def test_older_servers(self, lab: Lab, version: str) -> None:
        lab.reset(scenario="page_a", version=version)
        local, cloud = connect(options(lab, "owner")), connect(options(lab, "cloud_owner"))
        content = download(lab, cloud)
        licensing.upload(local, lab.facts["organization_id"], content)
        assert has(local, content)

    def test_two_downloads_are_the_same_entitlement(self, lab: Lab, cloud: Server) -> None:
        first, second = download(lab, cloud), download(lab, cloud)
        assert first != second
        assert same_entitlement(parse_license(first), parse_license(second))

    def test_wrong_installation(self, cloud: Server, cloud_id: str) -> None:
        with pytest.raises(ApiError, match="Invalid installation id"):
            licensing.download(cloud, cloud_id, "00000000-0000-0000-0000-000000000009")

    def test_server_refuses_a_license(self, lab: Lab, local: Server, local_id: str) -> None:
        with pytest.raises(ApiError, match="Invalid license"):
            licensing.upload(local, local_id, b"not a license")

    def test_installation(self, lab: Lab, cloud: Server) -> None:
        found = licensing.installation(cloud, lab.facts["installation_id"])
        assert found is not None
        assert found["enabled"] is True
        us = connect({"region": "us"}, anonymous=True)
        assert licensing.installation(us, lab.facts["installation_id"]) is None

    def test_register_installation(self, lab: Lab) -> None:
        cloud = connect({"region": "eu"}, anonymous=True)
        made = licensing.register_installation(cloud, "ops@example.com")
        assert licensing.installation_token(cloud, made["id"], made["key"], licensing.SPONSORSHIPS)

    def test_sync_without_a_connection(self, local: Server, local_id: str) -> None:
        with pytest.raises(ApiError, match="404"):
            licensing.sync(local, local_id)


class TestApiKeys:
    def test_get_or_create(self, lab: Lab, cloud: Server, cloud_id: str, proof: str) -> None:
        assert api_keys.information(cloud, cloud_id, BILLING_SYNC) is None
        key = api_keys.get_or_create(cloud, cloud_id, BILLING_SYNC, proof)
        assert len(key.key) == 30
        assert api_keys.information(cloud, cloud_id, BILLING_SYNC) == key.revision_date
        assert api_keys.get_or_create(cloud, cloud_id, BILLING_SYNC, proof) == key
        assert key.key not in repr(key)

    def test_rotate(self, cloud: Server, cloud_id: str, proof: str, token: str) -> None:
        rotated = api_keys.rotate(cloud, cloud_id, BILLING_SYNC, proof)
        assert rotated.key != token
        assert api_keys.get_or_create(cloud, cloud_id, BILLING_SYNC, proof) == rotated

    def test_types_are_kept_apart(self, cloud: Server, cloud_id: str, proof: str, token: str) -> None:
        assert api_keys.get_or_create(cloud, cloud_id, DEFAULT, proof).key != token

    def test_wrong_proof(self, cloud: Server, cloud_id: str) -> None:
        with pytest.raises(SelfhostError, match="does not accept the master password") as caught:
            api_keys.get_or_create(cloud, cloud_id, BILLING_SYNC, "canary")
        assert caught.value.field == "master_password"
        assert "canary" not in str(caught.value)


class TestConnections:
    def test_life(self, lab: Lab, local: Server, local_id: str, cloud_id: str, token: str) -> None:
        lab.change_settings({"globalSettings__enableCloudCommunication": "true"})
        assert connections.get(local, local_id) is None
        made = connections.create(local, local_id, token)
        assert made is not None
        assert (made.enabled, made.billing_sync_key, made.cloud_organization_id) == (True, token, cloud_id)
        assert made.last_license_sync is None
        assert token not in repr(made)
        licensing.sync(local, local_id)
        synced = connections.get(local, local_id)
        assert synced is not None
        assert synced.last_license_sync
        updated = connections.update(local, local_id, synced, token, enabled=False)
        assert updated is not None
        assert (updated.enabled, updated.last_license_sync) == (False, synced.last_license_sync), "the date is not forgotten"
        connections.delete(local, made.id)
        assert connections.get(local, local_id) is None

    @pytest.mark.parametrize("allowed", ["true", "false"])
    def test_enabled(self, lab: Lab, local: Server, allowed: str) -> None:
        lab.change_settings({"globalSettings__enableCloudCommunication": allowed})
        assert connections.enabled(local) is (allowed == "true")

    def test_not_an_owner(self, lab: Lab, local_id: str) -> None:
        with pytest.raises(ApiError, match="do not have permission"):
            connections.get(connect(options(lab, "ann")), local_id)


class TestSponsorships:
    def test_life(self, lab: Lab, cloud: Server, local: Server, local_id: str) -> None:
        licensing.upload(local, local_id, download(lab, cloud))
        assert sponsorships.listed(local, local_id) == []
        sponsorships.offer(local, local_id, "family+1@example.org")
        sponsorships.offer(local, local_id, "family+1@example.org")
        found = sponsorships.listed(local, local_id)
        assert [(entry["offeredToEmail"], entry["lastSyncDate"]) for entry in found] == [("family+1@example.org", None)]
        sponsorships.revoke(local, local_id, "family+1@example.org")
        assert sponsorships.listed(local, local_id) == []

    def test_a_members_own(self, lab: Lab, local_id: str) -> None:
        ann = connect(options(lab, "ann"))
        sponsorships.offer(ann, local_id, "family@example.org", admin_initiated=False)
        assert organizations.mine(ann)[0]["familySponsorshipFriendlyName"] == "family@example.org"
        sponsorships.revoke_own(ann, local_id)
        assert organizations.mine(ann)[0]["familySponsorshipFriendlyName"] is None

    def test_refused(self, lab: Lab, local: Server, local_id: str) -> None:
        with pytest.raises(ApiError, match="yourself"):
            sponsorships.offer(local, local_id, lab.people["owner"].email)


class TestLostAnswers:
    @pytest.mark.parametrize(("fault", "happened"), [("reset_before", False), ("reset_after", True)])
    def test_write(self, lab: Lab, local: Server, local_id: str, fault: str, happened: bool) -> None:
        """Whether it happened cannot be known from here, so it is not repeated, and said."""
        lab.fault(fault, path="/organizations/connections", method="POST")
        with pytest.raises(Unreachable) as caught:
            connections.create(local, local_id, "t" * 30)
        assert caught.value.maybe_done
        assert (connections.get(local, local_id) is not None) == happened

    @pytest.mark.parametrize("fault", ["reset_before", "status:503", "status:429"])
    def test_read(self, lab: Lab, local: Server, local_id: str, fault: str) -> None:
        assert local.token.user_id
        lab.fault(fault, path=f"/organizations/{local_id}")
        assert organizations.get(local, local_id)["id"] == local_id

    @pytest.mark.parametrize("fault", ["timeout", "timeout_after"])
    def test_late(self, lab: Lab, local: Server, local_id: str, fault: str) -> None:
        assert local.token.user_id
        local.http.timeout = 0.5
        lab.fault(fault, path="/organizations/connections", method="POST")
        with pytest.raises(Unreachable, match=r"did not answer within 0\.5 seconds") as caught:
            connections.create(local, local_id, "t" * 30)
        assert caught.value.maybe_done

    @pytest.mark.parametrize(
        ("fault", "says"), [("torn", "cut off|lost"), ("html", "HTML page"), ("redirect", "another host, elsewhere")]
    )
    def test_answers_that_are_none(self, lab: Lab, local: Server, local_id: str, fault: str, says: str) -> None:
        lab.fault(fault, path=f"/organizations/{local_id}", times=None)
        with pytest.raises(Failure, match=says):
            organizations.get(local, local_id)

    def test_unknown_authority_behind_a_proxy(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(Unreachable, match="signed by an unknown authority"):
            _unused = connect(options(lab, "owner")).token

    def test_server_that_the_proxy_does_not_know(self, lab: Lab) -> None:
        with pytest.raises(Unreachable, match=r"gives no connection to other\.example\.com \(502"):
            _unused = connect(options(lab, "owner", server_url="https://other.example.com")).token

    def test_login(self, lab: Lab, local: Server) -> None:
        lab.fault("reset_after", path="/connect/token")
        assert local.token.user_id == lab.people["owner"].user_id
