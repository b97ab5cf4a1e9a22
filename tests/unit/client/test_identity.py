"""Logging in: every way to do it, and what each refusal of the server means."""

from __future__ import annotations

import typing as t
from urllib.parse import parse_qs

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import licensing
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import (
    Anonymous,
    ApiKey,
    HandedOver,
    Identity,
    Installation,
    OrganizationKey,
    Password,
    Token,
    organization_of,
    token_of,
)
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Endpoints, self_hosted

from tests.lab import Lab
from tests.unit.client.conftest import asked, options
from tests.unit.client.site import Site, reply

KEY = ApiKey("user.00000000-0000-0000-0000-000000000001", "canary")


def at(site: Site, identity: Identity, prefix: str = "") -> Server:
    return Server(Endpoints(site.url + "/api", site.url + "/identity"), identity, verify=site.ca_path, prefix=prefix)


class TestWays:
    def test_api_key(self, lab: Lab) -> None:
        token = connect(options(lab, "owner")).token
        owner = lab.people["owner"]
        assert (token.user_id, token.email) == (owner.user_id, owner.email)
        assert token.kdf is not None
        assert (token.kdf.type, token.kdf.iterations) == (0, 5000)
        assert str(token.key).startswith("2.")
        assert str(token.private_key).startswith("2.")

    @pytest.mark.parametrize("who", ["owner", "bob"], ids=["PBKDF2", "Argon2id"])
    def test_password(self, lab: Lab, who: str) -> None:
        person = lab.people[who]
        server = Server(self_hosted(lab.facts["server_url"]), Password(person.email.upper(), person.master_password))
        assert server.token.user_id == person.user_id

    @pytest.mark.parametrize("version", ["2025.8.0", "2026.4.0"])
    def test_older_servers(self, lab: Lab, version: str) -> None:
        """They send less, and they send it elsewhere."""
        lab.reset(scenario="page_a", version=version)
        owner = lab.people["owner"]
        for identity in (ApiKey(owner.client_id, owner.client_secret), Password(owner.email, owner.master_password)):
            token = Server(self_hosted(lab.facts["server_url"]), identity).token
            assert str(token.key).startswith("2.")
            assert token.kdf is not None

    def test_organization_key(self, lab: Lab) -> None:
        organization = lab.facts["organization_id"]
        key = next(row for row in lab.rows("selfhost", "organization_api_key") if row["organizationId"] == organization)
        server = connect(options(lab, "owner", client_id=f"organization.{organization}", client_secret=key["apiKey"]))
        assert isinstance(server.identity, OrganizationKey)
        assert server.token.user_id is None
        assert organization_of(server.token) == organization
        assert organization_of(connect(options(lab, "owner")).token) is None
        with pytest.raises(ApiError, match="403"):
            server.get("/organizations")

    def test_installation(self, lab: Lab, cloud: Server) -> None:
        facts = lab.facts
        assert licensing.installation_token(cloud, facts["installation_id"], facts["installation_key"])
        with pytest.raises(ApiError) as caught:
            licensing.installation_token(cloud, facts["installation_id"], "canary")
        assert caught.value.field == "installation_key"
        assert "canary" not in str(caught.value)

    def test_each_identity_is_one_device_for_ever(self, lab: Lab) -> None:
        for _unused in range(2):
            assert connect(options(lab, "owner")).token.user_id
            assert connect(options(lab, "ann")).token.user_id
        assert len(lab.rows("selfhost", "device")) == 2

    def test_nothing_is_sent_before_it_is_needed(self, lab: Lab) -> None:
        server = connect(options(lab, "owner"))
        assert not lab.requests()
        server.get("/organizations")
        server.get("/organizations")
        assert asked(lab) == ["identity/connect/token", *["api/organizations"] * 2]

    def test_a_login_changes_nothing(self, lab: Lab, local: Server) -> None:
        assert local.token.user_id
        assert not lab.writes()

    def test_installation_of_the_other_region(self, lab: Lab) -> None:
        us = Server(REGIONS["us"].endpoints)
        with pytest.raises(ApiError, match="does not know this client id") as caught:
            licensing.installation_token(us, lab.facts["installation_id"], lab.facts["installation_key"])
        assert "cloud region" in str(caught.value.remedy)

    def test_wrong_secret_is_waited_for_once(self, lab: Lab) -> None:
        server = connect(options(lab, "owner", client_secret="canary"))
        with pytest.raises(ApiError) as caught:
            _unused = server.token
        assert caught.value.field == "client_secret"
        assert len(lab.requests()) == 1

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"twoStepCode": "123456"}, "second factor"),
            ({"ssoRequired": "acme"}, "single sign-on"),
            ({"newDeviceCode": "123456"}, "verify this new device"),
            ({"passwordHash": "other"}, "e-mail address or the master password is wrong"),
        ],
        ids=str,
    )
    def test_password_is_not_enough(self, lab: Lab, change: dict[str, t.Any], says: str) -> None:
        owner = lab.people["owner"]
        lab.set_user("selfhost", owner.email, **change)
        server = Server(self_hosted(lab.facts["server_url"]), Password(owner.email, owner.master_password), prefix="cloud.")
        with pytest.raises(ApiError, match=says) as caught:
            _unused = server.token
        assert caught.value.field == "cloud.master_password"


class TestRefusals:
    """The bodies are those of the real server's token endpoint."""

    @pytest.mark.parametrize(
        ("body", "says", "remedy"),
        [
            ({"error": "invalid_client"}, "does not know this client id, or its secret is wrong", "each cloud region"),
            (
                {"error": "invalid_grant", "error_description": "Two factor required.", "TwoFactorProviders": ["0", "1"]},
                "asks for a second factor",
                "API key",
            ),
            (
                {"error": "invalid_grant", "error_description": "Sso authentication is required."},
                "requires single sign-on",
                "API key",
            ),
            (
                {"error": "invalid_grant", "error_description": "invalid_username_or_password"},
                "the master password is wrong",
                "this very server",
            ),
            (
                {"error": "device_error", "error_description": "New device verification required"},
                "verify this new device",
                "API key",
            ),
            (
                {"error": "version_header_missing", "error_description": "No client version header"},
                "client version",
                "let it pass",
            ),
            ({"error": "invalid_client_version"}, "too old", "Update the collection"),
            ({"error": "invalid_scope"}, "do not give the access", "API key"),
            (
                {"error": "invalid_grant", "ErrorModel": {"Message": "Legacy encryption without a userkey"}},
                "refused: Legacy encryption without a userkey",
                "web vault",
            ),
            ({"error": "invalid_grant", "error_description": "Captcha required."}, "refused: Captcha required.", "web vault"),
            ({"error": "unsupported_grant_type"}, "refused: unsupported_grant_type", "web vault"),
        ],
        ids=str,
    )
    def test_cause_and_remedy(self, site: Site, body: dict[str, t.Any], says: str, remedy: str) -> None:
        site.answer = lambda _unused: reply(body, 400)
        with pytest.raises(ApiError) as caught:
            _unused = at(site, KEY, "cloud.").token
        error = caught.value
        assert says in error.cause
        assert remedy in str(error.remedy)
        assert error.field == "cloud.client_secret"
        assert "canary" not in str(error)

    @pytest.mark.parametrize("body", [{}, [], {"access_token": "a.b.c"}, {"access_token": None, "expires_in": 1}], ids=str)
    def test_another_kind_of_server(self, site: Site, body: t.Any) -> None:
        site.answer = lambda _unused: reply(body)
        with pytest.raises(ApiError, match="not what a Bitwarden server sends"):
            _unused = at(site, KEY).token

    def test_downgrade_by_the_server(self, site: Site) -> None:
        """A server that asks for a weak derivation does not get the hash."""
        site.answer = lambda _unused: reply({"kdf": 0, "kdfIterations": 1})
        with pytest.raises(SelfhostError, match="PBKDF2 iterations 1"):
            _unused = at(site, Password("a@example.com", "canary")).token
        assert len(site.seen) == 1

    def test_prelogin_without_an_answer(self, site: Site) -> None:
        with pytest.raises(SelfhostError, match="type None, which is unknown"):
            _unused = at(site, Password("a@example.com", "canary")).token


class TestSent:
    def test_form_of_an_api_key(self, site: Site) -> None:
        site.answer = lambda _unused: reply({"access_token": "e30.e30.x", "expires_in": 3600})
        assert at(site, KEY).token.email is None
        seen = site.seen[0]
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        assert (seen.method, seen.path) == ("POST", "/identity/connect/token")
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == "api"
        assert all(0 < len(form[name]) <= 50 for name in ("deviceType", "deviceIdentifier", "deviceName"))

    def test_form_of_a_password(self, site: Site) -> None:
        prelogin = reply({"kdf": 0, "kdfIterations": 5000, "salt": None})
        token = reply({"access_token": "e30.e30.x", "expires_in": 3600})
        site.answer = lambda seen: prelogin if seen.path.endswith("prelogin") else token
        assert at(site, Password("a@example.com", "canary")).token.user_id is None
        assert [seen.path for seen in site.seen] == ["/identity/accounts/prelogin", "/identity/connect/token"]
        assert not [seen for seen in site.seen if b"canary" in seen.body]
        assert site.seen[1].headers["auth-email"] == "YUBleGFtcGxlLmNvbQ"


class TestTokens:
    ANSWER: t.ClassVar[dict[str, t.Any]] = {"access_token": "e30.e30.x", "expires_in": 3600}
    PAIR: t.ClassVar[dict[str, t.Any]] = {"publicKeyEncryptionKeyPair": {"wrappedPrivateKey": "2.b"}}
    UNLOCK: t.ClassVar[dict[str, t.Any]] = {"MasterPasswordUnlock": {"MasterKeyEncryptedUserKey": "2.a", "Salt": "salt"}}

    def test_keys_at_their_new_places(self) -> None:
        token = token_of({**self.ANSWER, "AccountKeys": self.PAIR, "UserDecryptionOptions": self.UNLOCK})
        assert (token.key, token.private_key, token.salt) == ("2.a", "2.b", "salt")

    def test_keys_at_their_old_places(self) -> None:
        token = token_of({**self.ANSWER, "Key": "2.a", "PrivateKey": "2.b", "AccountKeys": None, "UserDecryptionOptions": None})
        assert (token.key, token.private_key, token.salt) == ("2.a", "2.b", None)

    @pytest.mark.parametrize("access_token", ["", "a", "a.b.c", "a.W10.c", "a.é.c"])
    def test_tokens_that_tell_nothing(self, access_token: str) -> None:
        assert token_of({**self.ANSWER, "access_token": access_token}).user_id is None

    def test_end(self) -> None:
        assert token_of({**self.ANSWER, "expires_in": 29}).expired
        assert not token_of({**self.ANSWER, "expires_in": 60}).expired


@pytest.mark.parametrize(
    "secret",
    [KEY, Password("a", "canary"), OrganizationKey("o", "canary"), Installation("i", "canary", "s"), Token("canary", 0.0)],
    ids=lambda value: type(value).__name__,
)
def test_no_secret_in_repr(secret: object) -> None:
    assert "canary" not in repr(secret)


@pytest.mark.parametrize(("identity", "says"), [(Anonymous(), "No credentials"), (HandedOver(), "expired")], ids=str)
def test_no_way_to_log_in(site: Site, identity: Identity, says: str) -> None:
    with pytest.raises(SelfhostError, match=says) as caught:
        at(site, identity, "cloud.").get("/organizations")
    assert str(caught.value.field).startswith("cloud.")
    assert not site.seen
