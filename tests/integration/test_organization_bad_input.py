# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong is named, with its place and a remedy, before the first write."""

from __future__ import annotations

import typing as t

import pytest

from tests.integration.organization_world import Place, Result, at_owner, at_provider, ok
from tests.lab import Lab

OPEN = {"allow_admin_access_to_all_collection_items": True}
MANAGED = [{"name": "IT", "permission": "manage"}]
OIDC = {"authority": "https://idp.example.com", "client_id": "bitwarden", "client_secret": "s3cret"}
SAML = {"idp_entity_id": "idp", "idp_single_sign_on_service_url": "https://idp.example.com/sso"}

# What is asked for -> the field that is named, and a part of the sentence.
WRONG: dict[str, tuple[Result, str, str]] = {
    "collection twice": (
        {"settings": OPEN, "collections": [{"name": "A"}, {"name": " A "}]},
        "collections",
        "'A' is named 2 times",
    ),
    "group twice": ({"groups": [{"name": "IT"}, {"name": "IT"}]}, "groups", "'IT' is named 2 times"),
    "member twice": ({"members": [{"email": "new@x.example"}, {"email": "NEW@x.example"}]}, "members", "named twice"),
    "policy twice": ({"policies": [{"type": "disable_send"}, {"type": "disable_send"}]}, "policies", "named 2 times"),
    "access twice": (
        {
            "settings": OPEN,
            "collections": [{"name": "A", "members": [{"email": "ann@example.com"}, {"email": "Ann@example.com"}]}],
        },
        "collections[A].members",
        "named 2 times",
    ),
    "membership twice": ({"groups": [{"name": "IT", "members": ["ann@example.com"] * 2}]}, "groups[IT].members", "named 2 times"),
    "unknown group": (
        {"settings": OPEN, "collections": [{"name": "A", "groups": [{"name": "Nobody"}]}]},
        "collections[A].groups",
        "no group 'Nobody'",
    ),
    "unknown member of a collection": (
        {"settings": OPEN, "collections": [{"name": "A", "members": [{"email": "nobody@x.example"}]}]},
        "collections[A].members",
        "no member 'nobody@x.example'",
    ),
    "unknown member of a group": (
        {"groups": [{"name": "IT", "members": ["nobody@x.example"]}]},
        "groups[IT].members",
        "no member",
    ),
    "removed member of a group": (
        {
            "groups": [{"name": "IT", "members": ["ann@example.com"]}],
            "members": [{"email": "ann@example.com", "state": "absent"}],
        },
        "groups[IT].members",
        "no member 'ann@example.com'",
    ),
    "malformed address": ({"members": [{"email": "ann@example"}]}, "members", "not an e-mail address"),
    "empty name": ({"settings": OPEN, "collections": [{"name": "  "}]}, "collections[]", "A name is empty"),
    "long collection name": ({"settings": OPEN, "collections": [{"name": "ä" * 344}]}, f"collections[{'ä' * 50}]", "688 bytes"),
    "long group name": ({"groups": [{"name": "g" * 101}]}, f"groups[{'g' * 50}]", "101 characters"),
    "long external id": ({"settings": OPEN, "collections": [{"name": "A", "external_id": "x" * 301}]}, "collections[A]", "300"),
    "nobody manages": (
        {"collections": [{"name": "A", "members": [{"email": "ann@example.com"}]}]},
        "collections[A]",
        "Nobody may manage",
    ),
    "own group": ({"groups": [{"name": "IT", "members": ["owner@example.com"]}]}, "groups[IT].members", "cannot add itself"),
    "permissions of a user": (
        {"members": [{"email": "new@x.example", "permissions": ["manage_sso"]}]},
        "members[new@x.example]",
        "Only the role custom",
    ),
    "last owner": ({"members": [{"email": "owner@example.com", "role": "admin"}]}, "members", "without a confirmed owner"),
    "oneself": ({"members": [{"email": "owner@example.com", "role": "owner", "state": "absent"}]}, "members", "logged in"),
    "no seats": ({"members": [{"email": f"new{n}@x.example"} for n in range(8)]}, "members", "10 seats, and 11"),
    "unknown key": (
        {"policies": [{"type": "master_password", "data": {"min_length": 14}}]},
        "policies[master_password].data.min_length",
        "Did you mean minLength?",
    ),
    "key of a policy without data": (
        {"policies": [{"type": "disable_send", "data": {"x": 1}}]},
        "policies[disable_send].data.x",
        "It has no data",
    ),
    "wrong type": (
        {"policies": [{"type": "master_password", "data": {"minLength": "14"}}]},
        "policies[master_password].data.minLength",
        "has to be a number",
    ),
    "number for a bool": (
        {"policies": [{"type": "reset_password", "data": {"autoEnrollEnabled": 1}}, {"type": "single_org"}], "max_affected": 2},
        "policies[reset_password].data.autoEnrollEnabled",
        "has to be true or false",
    ),
    "out of range": (
        {"policies": [{"type": "master_password", "data": {"minLength": 11}}]},
        "policies[master_password].data.minLength",
        "from 12 to 128",
    ),
    "not a choice": (
        {"policies": [{"type": "password_generator", "data": {"overridePasswordType": "pin"}}]},
        "policies[password_generator].data.overridePasswordType",
        "password or passphrase",
    ),
    "policy that needs another": ({"policies": [{"type": "require_sso"}]}, "policies[require_sso]", "needs single_org"),
    "insecure rules": (
        {"policies": [{"type": "fill_assist", "data": {"rulesUrl": "http://x.example"}}]},
        "policies[fill_assist].data",
        "https",
    ),
    "domains for nobody": (
        {"policies": [{"type": "send_controls", "data": {"allowedDomains": "x.example"}}]},
        "policies[send_controls].data",
        "whoCanAccess 2",
    ),
    "the same thing by two policies": (
        {"policies": [{"type": "send_controls"}, {"type": "disable_send"}]},
        "policies",
        "Name only one of them",
    ),
    "people may be revoked": (
        {"policies": [{"type": "single_org"}], "max_affected": 1},
        "max_affected",
        "may revoke 2: ann@example.com, bob@example.com",
    ),
    "pruning without a list": ({"prune": ["groups"], "members": []}, "prune", "groups is not given"),
    "pruning too much": (
        {"prune": ["members"], "members": [{"email": "ann@example.com"}]},
        "max_deletions",
        "delete 1: member bob@example.com",
    ),
    "single sign-on without an identifier": ({"sso": {"oidc": OIDC}}, "sso.identifier", "no identifier"),
    "long identifier": ({"sso": {"identifier": "x" * 51, "oidc": OIDC}}, "sso.identifier", "50 characters"),
    "incomplete OpenID Connect": (
        {"sso": {"identifier": "x", "oidc": {"authority": "https://x"}}},
        "sso.oidc.client_id",
        "missing",
    ),
    "incomplete SAML": ({"sso": {"identifier": "x", "saml2": {"idp_entity_id": "x"}}}, "service_url", "missing"),
    "no URL": (
        {"sso": {"identifier": "x", "saml2": {**SAML, "idp_single_logout_service_url": "<x>"}}},
        "sso.saml2.idp_single_logout_service_url",
        "no URL",
    ),
    "no way to sign on": ({"sso": {"identifier": "x"}}, "sso", "Set oidc or saml2"),
    "Key Connector": (
        {"sso": {"identifier": "x", "member_decryption": "key_connector", "oidc": OIDC}},
        "sso.member_decryption",
        "single_org, require_sso",
    ),
    "trusted devices without their policies": (
        {
            "sso": {"identifier": "x", "member_decryption": "trusted_devices", "oidc": OIDC},
            "policies": [{"type": "reset_password", "enabled": False}],
            "max_affected": 2,
        },
        "sso.member_decryption",
        "needs the policies reset_password",
    ),
}


@pytest.mark.parametrize(("wanted", "field", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_wrong_descriptions(lab: Lab, wanted: Result, field: str, sentence: str) -> None:
    _is_refused(at_owner(lab), wanted, field, sentence)


def _is_refused(place: Place, wanted: Result, field: str, sentence: str, **login: t.Any) -> None:
    place.lab.clear_requests()
    result = place.run(**{**wanted, **login})
    assert result["failed"]
    assert sentence in result["msg"]
    assert field in result["error"]["field"]
    assert result["error"]["remedy"]
    assert not place.lab.writes()


# What the organization lacks -> what is asked for, the field, and a part of the sentence.
LACKING: dict[str, tuple[Result, Result, str, str]] = {
    "policies": ({"usePolicies": False}, {"policies": [{"type": "disable_send"}]}, "policies", "has no policies"),
    "groups": ({"useGroups": False}, {"groups": [{"name": "IT"}]}, "groups", "has no groups"),
    "custom": (
        {"useCustomPermissions": False},
        {"members": [{"email": "n@x.example", "role": "custom"}]},
        "members",
        "no role custom",
    ),
    "sso": ({"useSso": False}, {"sso": {"identifier": "x", "oidc": OIDC}}, "sso", "no single sign-on"),
    "collections": (
        {"maxCollections": 1},
        {"settings": OPEN, "collections": [{"name": "A"}, {"name": "B"}]},
        "collections",
        "has 1 collections",
    ),
}


@pytest.mark.parametrize(("fields", "wanted", "field", "sentence"), LACKING.values(), ids=LACKING.keys())
def test_what_the_plan_lacks(lab: Lab, fields: Result, wanted: Result, field: str, sentence: str) -> None:
    place = at_owner(lab)
    lab.set_organization("selfhost", place.organization_id, **fields)
    _is_refused(place, wanted, field, sentence)


@pytest.mark.lab(version="2025.8.0")
def test_policies_that_the_release_lacks(lab: Lab) -> None:
    _is_refused(at_owner(lab), {"policies": [{"type": "send_controls"}]}, "policies[send_controls]", "older than 2026.4.0")


def test_several_objects_of_one_name(lab: Lab) -> None:
    place = at_owner(lab)
    for number in range(2):
        lab.put_row("selfhost", "group", id=f"{number}" * 8, organizationId=place.organization_id, name="IT", externalId=None)
        twin = lab.encrypt_collection(place.organization_id, "Twin")
        lab.put_row("selfhost", "collection", **{**twin, "id": f"{number}" * 8})
        lab.delete_row("selfhost", "collection", twin["id"])
    _is_refused(place, {"groups": [{"name": "IT"}]}, "groups[IT]", "more than one group 'IT'")
    wanted = {"settings": OPEN, "collections": [{"name": "Twin"}]}
    _is_refused(place, wanted, "collections[Twin]", "more than one collection 'Twin'")
    ok(place.run(settings=OPEN, collections=[{"name": "A", "groups": []}]))
    assert len(place.rows("collection")) == 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("7.AAAA", "type 7"),
        ("2.AAAAAAAAAAAAAAAAAAAAAA==|AAAAAAAAAAAAAAAAAAAAAA==|AAAA", "does not belong"),
        ("9.AAAA", "unknown type"),
    ],
)
def test_names_that_cannot_be_read(lab: Lab, name: str, sentence: str) -> None:
    place = at_owner(lab)
    lab.encrypt_collection(place.organization_id, "Good")
    broken = {
        "id": "11111111-2222-4333-8444-555555555555",
        "organizationId": place.organization_id,
        "externalId": None,
        "type": 0,
    }
    lab.put_row("selfhost", "collection", **broken, name=name)
    _is_refused(place, {"settings": OPEN, "collections": [{"name": "A"}]}, "collections", sentence)


def test_who_may_what(lab: Lab) -> None:
    place = at_owner(lab)
    users = {"members": [{"email": "new@x.example"}]}
    ann = lab.people["ann"]
    login = {"client_id": ann.client_id, "client_secret": ann.client_secret, "master_password": ann.master_password}
    _is_refused(place, users, "client_id", "role, user, is not enough; this needs manage_users", **login)
    lab.set_member("ann@example.com", type=1)
    owner = {"members": [{"email": "new@x.example", "role": "owner"}]}
    _is_refused(place, owner, "members[new@x.example]", "role, admin, does not allow", **login)
    _is_refused(place, {"settings": OPEN}, "client_id", "the role owner", **login)
    lab.set_member("ann@example.com", type=4, permissions={"manageUsers": True, "manageGroups": True})
    more = {"members": [{"email": "new@x.example", "role": "custom", "permissions": ["manage_sso"]}]}
    _is_refused(place, more, "members[new@x.example].permissions", "not manage_sso", **login)
    ok(place.run(**{**users, **login}))


def test_collections_of_others(lab: Lab) -> None:
    place = at_owner(lab)
    lab.encrypt_collection(place.organization_id, "Theirs")
    ok(place.run(collections=[{"name": "Mine", "members": [{"email": "ann@example.com", "permission": "manage"}]}]))
    wanted = {"collections": [{"name": "Mine", "members": [{"email": "bob@example.com"}]}]}
    _is_refused(place, wanted, "collections[Mine]", "may not change this collection")
    _is_refused(place, {"collections": [{"name": "Mine", "state": "absent"}]}, "collections[Mine]", "may not delete")
    assert ok(place.run(settings=OPEN, **wanted))["changed"]


def test_master_passwords(lab: Lab) -> None:
    place = at_owner(lab)
    wanted = {"settings": OPEN, "collections": [{"name": "A"}]}
    _is_refused(place, wanted, "master_password", "The master password is wrong", master_password="not it")
    _is_refused(place, wanted, "master_password", "is needed", master_password=None)
    ok(place.run("group", name="IT", members=["ann@example.com"], master_password=None))  # whose names are plain


def test_another_key_than_the_person_has(lab: Lab) -> None:
    place = at_owner(lab)
    ok(place.run("member", email="new@x.example"))
    lab.accept_invitation("new@x.example", server="selfhost")
    wanted = {"members": [{"email": "new@x.example", "fingerprint": "turban-deftly-anime-chatroom-unselfish"}]}
    _is_refused(place, wanted, "members[new@x.example]", "not the expected one")
    phrase = ok(place.run("member", check=True, email="new@x.example"))["members"][0]["fingerprint"]
    outside = ok(place.run("member", email="new@x.example", confirm_domains=["example.com"]))
    assert "x.example is not among confirm_domains" in outside["pending"][0]["reason"]
    ok(place.run("member", email="new@x.example", fingerprint=phrase.upper(), confirm_domains=["example.com"]))
    assert place.member("new@x.example")["status"] == 2


def test_all_problems_at_once(lab: Lab) -> None:
    place = at_owner(lab)
    wanted = {
        "groups": [{"name": "IT", "members": ["nobody@x.example"]}],
        "members": [{"email": "ann@example"}],
        "policies": [{"type": "require_sso", "data": {"x": 1}}],
    }
    result = place.run(**wanted)
    assert "4 problems, nothing was changed" in result["msg"]


@pytest.mark.lab(scenario="msp")
def test_seats_of_a_client(lab: Lab) -> None:
    place = at_provider(lab)
    wanted = {"members": [{"email": f"new{n}@x.example"} for n in range(10)]}
    _is_refused(place, wanted, "members", "10 seats, and 11")
