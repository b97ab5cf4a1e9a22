"""License files: reading, refusing and comparing, without a server."""

from __future__ import annotations

import base64
import contextlib
import json
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import license as product
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import License, parse
from hypothesis import given, settings, strategies as st

NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)
INSTALLATION = "11111111-2222-4333-8444-555555555555"
CLOUD_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
KEY = "Ex4mpleLicenseKey0001"

Json = dict[str, t.Any]

# A license as the cloud gives it out; the values are those of the reference example.
PLAIN: Json = {
    "licenseKey": KEY,
    "installationId": INSTALLATION,
    "id": CLOUD_ID,
    "name": "Example Org",
    "billingEmail": "billing@example.test",
    "businessName": None,
    "enabled": True,
    "plan": "Enterprise (Annually)",
    "planType": 20,
    "seats": 25,
    "maxCollections": None,
    "usePolicies": True,
    "useSso": True,
    "usersGetPremium": True,
    "useAdminSponsoredFamilies": True,
    "selfHost": True,
    "maxStorageGb": 1,
    "version": 15,
    "issued": "2026-08-21T10:00:00.1234567Z",
    "refresh": "2026-09-20T10:00:00.1234567Z",
    "expires": "2027-10-20T00:00:00Z",
    "expirationWithoutGracePeriod": "2027-08-21T00:00:00Z",
    "trial": False,
    "licenseType": 1,
    "hash": "cQOSs0NktjPNwzhOZqX+Vyvc303Ss/1Cql1b3sKI0WY=",
    "signature": "c2lnbmF0dXJl",
    "token": None,
}
CLAIMS: Json = {
    "LicenseType": "Organization",
    "Id": CLOUD_ID,
    "Enabled": "True",
    "Plan": "Enterprise (Annually)",
    "PlanType": "20",
    "Seats": "25",
    "SelfHost": "True",
    "InstallationId": INSTALLATION,
    "LicenseKey": KEY,
    "Name": "Example Org",
    "BillingEmail": "billing@example.test",
    "UsePolicies": "True",
    "UseSso": "True",
    "UsersGetPremium": "True",
    "UseAdminSponsoredFamilies": "True",
    "UseMyItems": "True",
    "Issued": "08/21/2026 10:00:00",
    "Expires": "10/20/2027 00:00:00",
    "Refresh": "09/20/2026 10:00:00",
    "ExpirationWithoutGracePeriod": "08/21/2027 00:00:00",
    "Trial": "False",
    "jti": "0f0e0d0c-0b0a-4908-8706-050403020100",
    "nbf": 1787306400,
    "exp": 1818842400,
    "iat": 1787306400,
    "iss": "bitwarden",
    "aud": f"organization:{CLOUD_ID}",
}
SUBSCRIPTION: Json = {
    "object": "organizationSubscription",
    "id": "99999999-0000-4000-8000-000000000000",
    "name": "Example Org",
    "plan": {"object": "plan", "type": 20, "productTier": 3, "name": "Enterprise (Annually)"},
    "planType": 20,
    "seats": 25,
    "maxCollections": None,
    "usePolicies": True,
    "useSso": True,
    "useScim": False,
    "usersGetPremium": True,
    "useAdminSponsoredFamilies": True,
    "useMyItems": True,
    "selfHost": True,
    "expirationWithoutGracePeriod": "2027-08-21T00:00:00",
    "expiration": "2027-10-20T00:00:00",
}
ENABLED: Json = {"enabled": True}


def token(**claims: t.Any) -> str:
    payload = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    parts = ({"alg": "RS256", "typ": "JWT"}, payload)
    return ".".join([*(_base64url(json.dumps(part).encode()) for part in parts), "c2lnbmF0dXJl"])


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def content(claims: Json | None = None, **members: t.Any) -> bytes:
    """A license file: with a token when claims are given."""
    signed = {} if claims is None else {"token": token(**claims)}
    return json.dumps({**PLAIN, **signed, **members}, indent=2).encode()


def license_(claims: Json | None = None, **members: t.Any) -> License:
    return parse(content(claims, **members))


class TestReading:
    def test_with_a_token(self) -> None:
        found = license_({})
        assert (found.id, found.name, found.seats, found.installation_id) == (CLOUD_ID, "Example Org", 25, INSTALLATION)
        assert found.expires == datetime(2027, 10, 20, tzinfo=UTC)
        assert found.token_expires == found.end_of_life == datetime(2027, 8, 21, 10, tzinfo=UTC)
        assert found.values["useSso"] is True
        assert found.values["useScim"] is False, "a claim that is left out is false"
        assert found.values["maxCollections"] is None

    def test_without_a_token(self) -> None:
        found = license_()
        assert found.token_expires is None
        assert found.end_of_life == found.expires == datetime(2027, 10, 20, tzinfo=UTC)
        assert found.issued == datetime(2026, 8, 21, 10, tzinfo=UTC)

    def test_the_token_counts_where_file_and_token_differ(self) -> None:
        assert license_({"Seats": "30"}, seats=25).seats == 30

    def test_content_is_kept_as_it_was(self) -> None:
        raw = content({})
        assert parse(raw).content == raw
        assert parse(raw.decode()).content == raw

    @pytest.mark.parametrize("change", [str.upper, str.lower, lambda name: name[0].upper() + name[1:]])
    def test_any_casing(self, change: t.Callable[[str], str]) -> None:
        """Files of before 2022 and those on the server's disk are in PascalCase."""
        recased = json.dumps({change(name): value for name, value in json.loads(content({})).items()}).encode()
        assert product.same_entitlement(parse(recased), license_({}))

    def test_byte_order_mark(self) -> None:
        assert parse(b"\xef\xbb\xbf" + content()).name == "Example Org"

    def test_plan_type_by_name(self) -> None:
        """Tokens of before 2025.12 spell it."""
        assert license_({"PlanType": "EnterpriseAnnually"}).values["planType"] is None

    def test_no_secret_in_repr(self) -> None:
        text = repr(license_({}))
        assert "Example Org" in text
        assert not [secret for secret in (KEY, token(), "billing@", PLAIN["signature"]) if secret in text]


class TestDamaged:
    @pytest.mark.parametrize(
        ("raw", "says"),
        [
            (b"", "it is empty"),
            (b"<!DOCTYPE html><html></html>", "it is not JSON"),
            (b"PK\x03\x04\xff\xfe", "it is not JSON"),
            (b"[1]", "not a JSON object"),
            (b"{'id': 1}", "not JSON .line 1"),
            (b'{"seats": NaN}', "it is not JSON"),
            (b'{"id": "a", "Id": "b"}', "it is not JSON"),
            (b'{"a":' * 5000, "it is not JSON|cut off"),
            (b"{}", "lacks its id"),
            (b'{"seats": ' + b"9" * 5000 + b"}", "it is not JSON"),
            (b" " * 51_201, "51201 bytes long"),
        ],
    )
    def test_what_is_no_license_is_named(self, raw: bytes, says: str) -> None:
        with pytest.raises(SelfhostError, match=says) as caught:
            parse(raw)
        assert caught.value.field == "license"
        assert caught.value.remedy

    @pytest.mark.parametrize("length", [10, 200, 900, -1])
    def test_truncated(self, length: int) -> None:
        with pytest.raises(SelfhostError, match="cut off"):
            parse(content({})[:length])

    def test_remains_of_a_longer_file(self) -> None:
        with pytest.raises(SelfhostError, match=r"something follows after its end \(line 2\d\)"):
            parse(content({}) + b'ense"\n}')

    @pytest.mark.parametrize(
        ("members", "says"),
        [
            ({"seats": "25"}, "seats is not of type int"),
            ({"seats": True}, "seats is not of type int"),
            ({"enabled": "yes"}, "enabled is not of type bool"),
            ({"expires": 1}, "expires is not of type date"),
            ({"expires": "tomorrow"}, "expires is not of type date"),
            ({"expires": "2026-13-40T00:00:00Z"}, "expires is not of type date"),
            ({"expires": "9999-12-31T23:59:59-14:00"}, "expires is not of type date"),
            ({"name": "\ud800"}, "name is not of type text"),
            ({"id": None}, "lacks its id"),
            ({"licenseKey": ""}, "lacks its id"),
            ({"installationId": None}, "lacks its id"),
            ({"licenseType": 2}, "licenseType"),
            ({"licenseType": "Organization"}, "licenseType"),
            ({"token": 5}, "token in it is damaged"),
            ({"token": "a.b"}, "token in it is damaged"),
            ({"token": "a.é.c"}, "token in it is damaged"),
            ({"token": f"a.{_base64url(b'[1]')}.c"}, "token in it is damaged"),
            ({"token": f"a.{_base64url(b'{}')}.c"}, "token in it is damaged"),
            ({"token": f"a.{_base64url(b'{%s}' % b'chr(34)')}.c"}, "token in it is damaged"),
            ({"token": token(exp="soon")}, "token in it is damaged"),
            ({"token": token(exp=10**30)}, "token in it is damaged"),
            ({"token": token(nbf=[1])}, "token in it is damaged"),
            ({"token": token(Seats="many")}, "seats in its token is not of type int"),
            ({"token": token(Enabled="yes")}, "enabled in its token is not of type bool"),
            ({"token": token(Enabled=True)}, "enabled in its token is not text"),
            ({"token": token(Expires="2027-10-20")}, "expires is not of type date"),
            ({"token": token(InstallationId=None)}, "lacks its id"),
        ],
        ids=str,
    )
    def test_wrong_values(self, members: Json, says: str) -> None:
        with pytest.raises(SelfhostError, match=says):
            license_(**members)

    @pytest.mark.parametrize(
        "members",
        [
            {"licenseType": 0},
            {"token": token(LicenseType="User")},
            {"licenseType": None, "premium": True, "installationId": None},
        ],
        ids=["type", "token", "neither"],
    )
    def test_premium_license_of_a_person(self, members: Json) -> None:
        raw = json.loads(content(**members))
        if raw["installationId"] is None:
            del raw["installationId"]
        with pytest.raises(SelfhostError, match="premium license of a person"):
            parse(json.dumps(raw))

    @given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
    @settings(deadline=None)
    def test_bytes_whatever(self, raw: bytes) -> None:
        with pytest.raises(SelfhostError):
            parse(raw)

    @given(st.data())
    @settings(max_examples=150, deadline=None)
    def test_a_license_with_anything_in_it(self, data: st.DataObject) -> None:
        """Whatever is read can also be judged, compared and shown; whatever cannot be read is refused by name."""
        json_values = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        )
        members = data.draw(st.dictionaries(st.sampled_from(sorted(PLAIN)), json_values, max_size=3))
        claims = data.draw(st.none() | st.dictionaries(st.sampled_from(sorted(CLAIMS)), json_values, max_size=3))
        try:
            found = license_(claims, **members)
        except SelfhostError:
            return
        product.refusals(found, INSTALLATION, NOW, server_version=(2026, 8, 0), occupied_seats=3)
        product.changes(SUBSCRIPTION, found)
        assert product.same_entitlement(found, found) or not found.claims

    @given(st.integers(0, 3000), st.integers(0, 255))
    @settings(deadline=None)
    def test_one_wrong_byte(self, where: int, byte: int) -> None:
        raw = bytearray(content({}))
        raw[where % len(raw)] = byte
        with contextlib.suppress(SelfhostError):
            assert parse(bytes(raw)).content == raw


class TestRefusals:
    def refused(self, found: License, installation: str | None = INSTALLATION, **options: t.Any) -> str:
        return "\n".join(str(error) for error in product.refusals(found, installation, NOW, **options))

    @pytest.mark.parametrize("claims", [{}, None], ids=["token", "no token"])
    def test_a_good_one(self, claims: Json | None) -> None:
        options = {"server_version": (2026, 8, 0), "occupied_seats": 25, "cloud_organization_id": CLOUD_ID.upper()}
        assert not self.refused(license_(claims), INSTALLATION.upper(), creating=True, **options)

    @pytest.mark.parametrize(
        ("claims", "members", "says"),
        [
            ({"Enabled": None}, {"enabled": False}, "disabled in the cloud"),
            ({"SelfHost": "False"}, {"selfHost": False}, "does not allow self-hosting"),
            ({"Expires": "08/22/2026 12:00:00"}, {"expires": "2026-08-22T12:00:00"}, "expired on 2026-08-22T12:00:00Z"),
            ({"nbf": 1800000000}, {"issued": "2026-08-22T12:00:01Z"}, "dated in the future"),
        ],
    )
    def test_reasons_in_the_license(self, claims: Json, members: Json, says: str) -> None:
        assert says in self.refused(license_(claims))
        assert says in self.refused(license_(**members))

    def test_token_has_ended(self) -> None:
        assert "token expired on 2026-08-22T10:13:20Z" in self.refused(license_({"exp": 1787393600}))

    def test_reasons_in_the_server(self) -> None:
        found = license_({})
        assert f"for the installation {INSTALLATION}, this server is other" in self.refused(found, "other")
        assert "25 seats, but 26 are occupied" in self.refused(found, occupied_seats=26)
        assert "cloud organization" in self.refused(found, cloud_organization_id="other")
        later = datetime(2028, 1, 1, tzinfo=UTC)
        assert "before the one in force (2028-01-01T00:00:00Z)" in self.refused(found, current_expires=later)
        assert "creating one needs" in self.refused(license_({}, licenseType=None), creating=True)

    def test_unlimited_seats(self) -> None:
        assert not self.refused(license_({"Seats": None}), occupied_seats=100_000)

    @pytest.mark.parametrize(
        ("server", "version", "refused"),
        [
            ((2023, 12, 1), 15, True),
            ((2024, 1, 0), 15, False),
            ((2024, 1, 0), 16, True),
            ((2025, 5, 2), 16, False),
            ((2026, 8, 0), 17, True),
            ((1, 45, 0), 9, False),
            ((1, 44, 0), 1, True),
        ],
    )
    def test_format_version(self, server: tuple[int, ...], version: int, refused: bool) -> None:
        found = self.refused(license_(version=version), server_version=server)
        assert ("does not accept license version" in found) == refused

    def test_format_version_does_not_matter_with_a_token(self) -> None:
        assert not self.refused(license_({}, version=99), server_version=(2025, 1, 0))
        assert self.refused(license_({}, version=15), server_version=(2023, 12, 0))

    def test_everything_wrong_is_said_at_once(self) -> None:
        bad = license_({"Enabled": "False", "SelfHost": "False", "Expires": "01/01/2026 00:00:00", "exp": 1})
        assert len(product.refusals(bad, "other", NOW, occupied_seats=99)) == 6


class TestComparing:
    def test_two_downloads_of_one_entitlement(self) -> None:
        again = {"Issued": "08/22/2026 10:00:00", "Refresh": None, "jti": "other", "nbf": 5, "iat": 5, "exp": 1818842500}
        first, second = license_({}), license_(again, issued="2026-08-22T10:00:00Z")
        assert product.same_entitlement(first, second)
        assert product.changes(first, second) == ({}, {})

    @pytest.mark.parametrize("claims", [{"Seats": "26"}, {"UseScim": "True"}, {"Expires": "10/21/2027 00:00:00"}])
    def test_another_entitlement(self, claims: Json) -> None:
        assert not product.same_entitlement(license_({}), license_(claims))

    def test_another_subscription(self) -> None:
        assert not product.same_entitlement(license_({}), license_({}, id="other"))
        assert not product.same_entitlement(license_({}), license_({}, licenseKey="other"))

    def test_without_tokens_the_hash_counts(self) -> None:
        assert product.same_entitlement(license_(), license_(issued="2026-08-22T10:00:00Z"))
        assert not product.same_entitlement(license_(), license_(hash="b3RoZXI="))
        assert not product.same_entitlement(license_(hash=None), license_(hash=None))
        assert not product.same_entitlement(license_(), license_({}))

    def test_server_has_it_already(self) -> None:
        assert product.matches_subscription(license_({}), SUBSCRIPTION, ENABLED)
        assert product.matches_subscription(license_({}), SUBSCRIPTION, None)

    @pytest.mark.parametrize(
        "difference",
        [
            {"seats": 10},
            {"name": "Other"},
            {"planType": 19},
            {"maxCollections": 5},
            {"useScim": True},
            {"usersGetPremium": False},
            {"expiration": "2026-10-20T00:00:00"},
            {"expiration": None},
            {"expirationWithoutGracePeriod": None},
        ],
        ids=str,
    )
    def test_server_has_another(self, difference: Json) -> None:
        assert not product.matches_subscription(license_({}), {**SUBSCRIPTION, **difference}, ENABLED)

    def test_disabled_organization_needs_its_license_again(self) -> None:
        assert not product.matches_subscription(license_({}), SUBSCRIPTION, {"enabled": False})

    def test_what_need_not_be_equal(self) -> None:
        assert product.matches_subscription(license_({"UseMyItems": None}), SUBSCRIPTION, ENABLED)
        assert product.matches_subscription(license_({}), {**SUBSCRIPTION, "useRiskInsights": True}, ENABLED)
        assert product.matches_subscription(license_({"ExpirationWithoutGracePeriod": None}), SUBSCRIPTION, ENABLED)
        without = {name: value for name, value in SUBSCRIPTION.items() if not name.startswith("useAdmin")}
        assert product.matches_subscription(license_({}), without, ENABLED), "an older server does not have the member"

    def test_server_that_updates_from_the_file(self) -> None:
        """Before 2026.1.0; the file never has the newest abilities."""
        claims, server = {"UsePhishingBlocker": "True"}, {**SUBSCRIPTION, "usePhishingBlocker": False, "useMyItems": False}
        assert not product.matches_subscription(license_(claims), server, ENABLED)
        assert product.matches_subscription(license_(claims), server, ENABLED, applies_claims=False)

    def test_changes_against_a_server(self) -> None:
        before = {**SUBSCRIPTION, "seats": 10, "expiration": "2026-10-20T00:00:00"}
        assert product.changes(before, license_({})) == (
            {"seats": 10, "expires": "2026-10-20T00:00:00Z"},
            {"seats": 25, "expires": "2027-10-20T00:00:00Z"},
        )

    def test_changes_of_a_first_license(self) -> None:
        before, after = product.changes(None, license_({}))
        assert before == {}
        assert after["plan"] == "Enterprise (Annually)"
        assert after["useSso"] is True

    def test_changes_show_no_secret(self) -> None:
        text = str(product.changes(None, license_({}))) + str(product.changes(license_(), license_({"Seats": "9"})))
        assert not [secret for secret in (KEY, token(), "billing@", PLAIN["hash"], "c2lnbmF0dXJl") if secret in text]
