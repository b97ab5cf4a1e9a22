"""A server from a module's options: what goes together, sessions, renewal, versions."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import ApiKey, Password
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect
from ansible_collections.bw.selfhost.plugins.module_utils._client.versions import SINCE, parse_version
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Endpoints

from tests.lab import Lab
from tests.unit.client.conftest import asked, changed, options, packed
from tests.unit.client.site import Site, reply

Options = dict[str, t.Any]
URL: Options = {"server_url": "https://vault.example.com"}
KEY: Options = {"client_id": "user.1", "client_secret": "canary"}
PASSWORD: Options = {"email": "a@example.com", "master_password": "canary"}
SESSION: Options = {
    "api": "https://vault.example.com/api",
    "identity": "https://vault.example.com/identity",
    "access_token": "canary",
    "expires_at": "2999-01-01T00:00:00Z",
    "server_version": "2026.8.0",
}


class TestOptions:
    @pytest.mark.parametrize(
        ("given", "field", "says"),
        [
            ({**KEY}, "server_url", "not said which server"),
            ({**URL, **KEY, "region": "eu"}, "server_url", "exclude each other"),
            ({**KEY, "server_url": "vault.example.com"}, "server_url", "not the URL of a server"),
            ({**URL, "client_id": "user.1"}, "client_secret", "client_secret is missing"),
            ({**URL, "client_secret": "canary"}, "client_id", "client_id is missing"),
            ({**URL, "client_id": "canary", "client_secret": "x"}, "client_id", "not the client id of an API key"),
            ({**URL, "email": "a@example.com"}, "master_password", "master_password is missing"),
            ({**URL, "master_password": "canary"}, "email", "email is missing"),
            ({**URL, **KEY, "ca_path": "/nowhere.pem"}, "ca_path", "no CA certificates"),
            ({"session": {}}, "session", "not a session"),
            ({"session": {"session": "é"}}, "session", "not a session"),
            ({"session": {"session": None}}, "session", "not a session"),
            ({"session": packed([1])}, "session", "not a session"),
            ({"session": packed("canary")}, "session", "not a session"),
            ({"session": packed({**SESSION, "expires_at": 5})}, "session", "not a session"),
            ({"session": packed({**SESSION, "kdf": {"x": 1}})}, "session", "not a session"),
            ({"session": packed({**SESSION, "expires_at": "2026-01-01T00:00:00Z"})}, "session", "has expired"),
            ({"session": packed(SESSION), "region": "us"}, "session", "not with the server that is named"),
            ({"session": packed(SESSION), "server_url": "https://other.example.com"}, "session", "not with the server"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("prefix", ["", "cloud."])
    def test_misuse(self, given: Options, field: str, says: str, prefix: str) -> None:
        if says == "not the URL of a server" and prefix:
            prefix = ""
        with pytest.raises(SelfhostError, match=says) as caught:
            connect(given, field_prefix=prefix)
        assert caught.value.field == prefix + field
        assert caught.value.remedy
        assert "canary" not in str(caught.value)

    def test_file_without_certificates(self, tmp_path: Path) -> None:
        path = tmp_path / "ca.pem"
        path.write_text("not a certificate", encoding="utf-8")
        with pytest.raises(SelfhostError, match="no CA certificates") as caught:
            connect({**URL, **KEY, "ca_path": str(path)})
        assert caught.value.field == "ca_path"

    def test_directory_of_certificates(self, tmp_path: Path) -> None:
        assert connect({**URL, **KEY, "ca_path": str(tmp_path)}).http.verify == str(tmp_path)

    def test_no_verification(self) -> None:
        assert connect({**URL, **KEY, "validate_certs": False, "ca_path": "/nowhere.pem"}).http.verify is False

    @pytest.mark.parametrize(
        ("given", "kind"),
        [({**URL, **KEY}, ApiKey), ({**URL, **PASSWORD}, Password), ({**URL, **KEY, **PASSWORD}, ApiKey)],
        ids=["key", "password", "both"],
    )
    def test_ways_to_log_in(self, given: Options, kind: type) -> None:
        assert isinstance(connect(given).identity, kind)

    def test_empty_options_are_missing_options(self) -> None:
        """An environment variable that is set to nothing."""
        given = dict.fromkeys((*URL, *KEY, *PASSWORD, "session", "ca_path", "timeout", "region"))
        assert isinstance(connect({**given, **URL, **KEY, "email": ""}).identity, ApiKey)

    def test_anonymous(self) -> None:
        server = connect({"region": "eu", "client_id": "incomplete"}, anonymous=True)
        assert not server.renewable

    @pytest.mark.parametrize("url", ["https://vault.bitwarden.eu", "https://bitwarden.eu/"])
    def test_cloud_by_its_url(self, url: str) -> None:
        server = connect({"server_url": url, **KEY})
        assert server.endpoints == REGIONS["eu"].endpoints
        assert server.is_cloud
        assert not connect({**URL, **KEY}).is_cloud

    def test_no_secret_in_repr(self) -> None:
        for given in ({**URL, **KEY}, {**URL, **PASSWORD}, {"session": packed(SESSION), **KEY}):
            server = connect(given)
            assert "canary" not in f"{server!r} {vars(server)}"


class TestSessions:
    def test_carries_on(self, lab: Lab, local: Server) -> None:
        session = json.loads(json.dumps(local.session()))
        lab.clear_requests()
        server = connect({"session": session})
        assert len(server.get("/organizations")["data"]) == 1
        assert server.version == "2026.8.0"
        assert server.token.email == lab.people["owner"].email
        assert asked(lab) == ["api/organizations"], "no login, no question for the version"

    def test_holds_no_password(self, lab: Lab) -> None:
        owner = lab.people["owner"]
        server = connect({"server_url": lab.facts["server_url"], "email": owner.email, "master_password": owner.master_password})
        text = base64.b64decode(server.session()["session"]).decode()
        assert owner.master_password not in text
        assert "refresh" not in text

    def test_same_server_may_be_named(self, lab: Lab, local: Server) -> None:
        assert connect({"session": local.session(), "server_url": lab.facts["server_url"] + "/"}).endpoints == local.endpoints

    def test_cannot_be_renewed_alone(self, local: Server) -> None:
        server = connect({"session": local.session()}, field_prefix="cloud.")
        assert not server.renewable
        with pytest.raises(SelfhostError, match="renewed") as caught:
            server.renew()
        assert caught.value.field == "cloud.session"

    def test_is_renewed_with_an_api_key(self, lab: Lab, local: Server) -> None:
        server = connect(
            {"session": local.session(), **{k: v for k, v in options(lab, "owner").items() if k.startswith("client")}}
        )
        before = server.token.access_token
        server.renew()
        assert server.token.access_token != before

    def test_expired_one_is_renewed_with_an_api_key(self, lab: Lab, local: Server) -> None:
        session = changed(local.session(), expires_at="2026-01-01T00:00:00Z")
        assert connect({"session": session, **options(lab, "owner")}).get("/organizations")["data"]

    def test_master_password_may_stand_beside_it(self, lab: Lab, local: Server) -> None:
        """It unlocks the account, and C(BW_PASSWORD) may be set anyway."""
        server = connect({"session": local.session(), "master_password": lab.people["owner"].master_password})
        assert not server.renewable


class TestRenewal:
    def test_new_memberships_need_a_new_token(self, lab: Lab, local: Server) -> None:
        lab.set_member(lab.people["owner"].email, type=2)
        assert local.token.user_id, "memberships are frozen in it"
        lab.set_member(lab.people["owner"].email, type=0)
        with pytest.raises(ApiError, match="404"):
            local.get(f"/organizations/{lab.facts['organization_id']}")
        local.renew()
        assert local.get(f"/organizations/{lab.facts['organization_id']}")["id"] == lab.facts["organization_id"]

    def test_token_that_ends_is_replaced(self, site: Site) -> None:
        token = {"access_token": "e30.e30.x", "expires_in": 10}
        site.answer = lambda seen: reply(token if seen.path.endswith("token") else {"data": []})
        server = Server(Endpoints(site.url + "/api", site.url + "/identity"), ApiKey("user.1", "x"), verify=site.ca_path)
        server.get("/organizations")
        server.get("/organizations")
        assert len([seen for seen in site.seen if seen.path.endswith("token")]) == 2


class TestVersions:
    def at(self, site: Site, config: t.Any) -> Server:
        site.answer = lambda _unused: reply(config)
        return Server(Endpoints(site.url, site.url), verify=site.ca_path)

    def test_asked_once_and_without_a_login(self, site: Site) -> None:
        server = self.at(site, {"version": "2026.8.0", "server": None})
        assert (server.version, server.at_least("2026.8.0"), server.at_least("2026.10.0")) == ("2026.8.0", True, False)
        assert [(seen.path, seen.headers.get("authorization")) for seen in site.seen] == [("/config", None)]

    @pytest.mark.parametrize(("behaviour", "since"), SINCE.items())
    def test_table(self, site: Site, behaviour: str, since: str) -> None:
        for version, supported in (("2022.12.0", False), (since, True), ("2027.1.0-beta", True)):
            assert self.at(site, {"version": version}).supports(behaviour) is supported

    def test_unknown_behaviour_is_a_mistake(self, site: Site) -> None:
        with pytest.raises(KeyError):
            self.at(site, {"version": "2026.8.0"}).supports("anything")

    @pytest.mark.parametrize("version", ["", None, "latest", "2026", "1.2.3.", "9" * 60 + ".1"])
    def test_unknown_version_is_named(self, site: Site, version: str | None) -> None:
        with pytest.raises(SelfhostError, match="says that its version is"):
            self.at(site, {"version": version}).at_least("2026.8.0")

    def test_other_servers_are_named(self, site: Site) -> None:
        with pytest.raises(SelfhostError, match="This is a Vaultwarden server"):
            _unused = self.at(site, {"version": "2026.6.0", "server": {"name": "Vaultwarden"}}).version

    def test_dotted_comparison(self) -> None:
        assert parse_version("2025.12.1") > parse_version("2025.5.2")
        assert parse_version("v2026.8.0") == (2026, 8, 0)
