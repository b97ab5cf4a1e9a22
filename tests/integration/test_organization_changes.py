# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Organizations that live: what is pruned, who leaves and comes back, policies that throw people out, and the small modules."""

from __future__ import annotations

import pytest

from tests.integration.organization_world import Place, Result, at_owner, at_provider, ok
from tests.lab import Lab

OPEN = {"allow_admin_access_to_all_collection_items": True}
OIDC = {"authority": "https://idp.example.com", "client_id": "bitwarden", "client_secret": "S3CRET-canary-0002"}
SAML = {
    "idp_entity_id": "https://idp.example.com",
    "idp_single_sign_on_service_url": "https://idp.example.com/sso",
    "sp_signing_behavior": "never",
}


def twice(place: Place, module: str = "organization", **options: object) -> Result:
    """Run in check mode, run, and run again, which must find nothing to do; return the second result."""
    place.lab.forbid_writes()
    planned = ok(place.run(module, check=True, **options))
    place.lab.forbid_writes(False)
    done = ok(place.run(module, **options))
    assert planned["changes"] == done["changes"]
    place.lab.clear_requests()
    again = ok(place.run(module, **options))
    assert (again["changed"], place.lab.writes()) == (False, []), again["changes"]
    return done


def filled(lab: Lab) -> Place:
    place = at_owner(lab)
    ok(
        place.run(
            settings=OPEN,
            groups=[
                {"name": "IT", "members": ["ann@example.com", "bob@example.com"]},
                {"name": "Old", "members": ["ann@example.com"]},
            ],
            collections=[
                {"name": "A", "groups": [{"name": "IT"}, {"name": "Old"}], "members": [{"email": "bob@example.com"}]},
                {"name": "B", "groups": [{"name": "Old"}]},
            ],
        )
    )
    return place


def test_what_is_not_named_stays(lab: Lab) -> None:
    place = filled(lab)
    twice(
        place,
        collections=[{"name": "A", "groups": [{"name": "IT", "permission": "manage"}]}],
        groups=[{"name": "IT", "members": []}],
    )
    assert place.collections()["A"]["groups"] == {"IT": "m", "Old": ""}
    assert place.groups()["IT"] == {"ann@example.com", "bob@example.com"}


def test_pruning(lab: Lab) -> None:
    place = filled(lab)
    done = twice(
        place,
        collections=[{"name": "A", "groups": [{"name": "IT", "permission": "view"}]}],
        groups=[{"name": "IT", "members": ["bob@example.com"]}],
        members=[{"email": "bob@example.com"}],
        prune=["collections", "groups", "members", "access", "memberships"],
        max_deletions=3,
    )
    assert place.groups() == {"IT": {"bob@example.com"}}
    assert place.collections() == {"A": {"external_id": None, "groups": {"IT": "r"}, "members": {"bob@example.com": ""}}}
    assert {row["email"] for row in place.rows("member")} == {"owner@example.com", "bob@example.com"}
    deleted = [(change["kind"], change["name"]) for change in done["changes"] if change["action"] == "delete"]
    assert deleted == [("member", "ann@example.com"), ("group", "Old"), ("collection", "B")]


def test_people_leave_and_come_back(lab: Lab) -> None:
    place = filled(lab)
    gone = twice(place, "member", email="ann@example.com", state="revoked")
    assert gone["members"] == [{"email": "ann@example.com", "role": "user", "status": "revoked", "fingerprint": None}]
    back = twice(place, "member", email="ann@example.com")
    assert (back["members"][0]["status"], back["pending"]) == ("confirmed", [])
    assert place.groups()["Old"] == {"ann@example.com"}
    twice(place, "member", email="ann@example.com", state="absent")
    assert place.groups()["Old"] == set()
    assert not ok(place.run("member", email="ann@example.com", state="revoked"))["changed"]


def test_invitations_are_confirmed_after_a_revocation_in_one_run(lab: Lab) -> None:
    place = at_owner(lab)
    ok(place.run("member", email="new@x.example"))
    lab.accept_invitation("new@x.example", server="selfhost")
    ok(place.run("member", email="new@x.example", state="revoked"))
    ok(place.run("member", email="new@x.example"))
    assert place.member("new@x.example")["status"] == 2


def test_everybody_of_a_domain_is_confirmed(lab: Lab) -> None:
    place = at_owner(lab)
    for name in ("one@x.example", "two@y.example"):
        ok(place.run("member", email=name))
        lab.accept_invitation(name, server="selfhost")
    twice(place, confirm_domains=["X.example"])
    assert (place.member("one@x.example")["status"], place.member("two@y.example")["status"]) == (2, 1)


@pytest.mark.parametrize("named", [True, False])
def test_a_policy_throws_people_out(lab: Lab, named: bool) -> None:
    place = at_owner(lab)
    lab.set_user("selfhost", "ann@example.com", twoStepCode="123456")
    policy = {"policies": [{"type": "two_factor"}], "max_affected": 1}
    people = [{"email": "ann@example.com"}, {"email": "bob@example.com"}]
    done = ok(place.run(**policy, **({"members": people} if named else {})))
    assert done["changes"][0]["after"] == {"enabled": True, "may_revoke": ["bob@example.com"]}
    assert (place.member("ann@example.com")["status"], place.member("bob@example.com")["status"]) == (2, -1)
    if named:
        assert [row["name"] for row in done["pending"]] == ["bob@example.com"]
        assert "two-step login" in done["pending"][0]["reason"]
        assert len(done["changes"]) == 1
        again = ok(place.run(**policy, members=people))
        assert (again["changed"], again["pending"]) == (False, done["pending"])


def test_policies_keep_what_is_not_named(lab: Lab) -> None:
    place = at_owner(lab)
    twice(place, "policy", type="master_password", data={"minLength": 14, "minComplexity": 3})
    twice(place, "policy", type="master_password", data={"minLength": 16})
    twice(place, "policy", type="master_password", data={"minComplexity": None}, enabled=False)
    row = place.rows("policy", type=1)[0]
    assert (row["enabled"], {key: value for key, value in row["data"].items() if value is not None}) == (False, {"minLength": 16})


def test_policies_that_need_each_other(lab: Lab) -> None:
    place = at_owner(lab)
    types = ["reset_password", "require_sso", "single_org"]
    twice(place, policies=[{"type": name} for name in types], max_affected=2)
    twice(place, policies=[{"type": name, "enabled": False} for name in reversed(types)])
    assert not [row for row in place.rows("policy") if row["enabled"]]


def test_single_sign_on(lab: Lab) -> None:
    place = at_owner(lab)
    done = twice(place, "sso", identifier="x", oidc=OIDC)
    assert "S3CRET" not in repr(done)
    assert done["changes"][0]["after"]["oidc.client_secret"] == "******** (new)"
    kept = {"authority": "https://other.example.com", "client_secret": None}
    twice(place, "sso", oidc=kept)
    assert lab.rows("selfhost", "sso")[0]["data"]["clientSecret"] == OIDC["client_secret"]
    twice(place, "sso", saml2=SAML)
    data = lab.rows("selfhost", "sso")[0]["data"]
    assert (data["configType"], data["spSigningBehavior"], data["idpEntityId"]) == (2, 3, SAML["idp_entity_id"])
    twice(place, "sso", enabled=False, identifier="")
    assert lab.rows("selfhost", "organization")[0]["identifier"] is None


def test_trusted_devices_bring_their_policies(lab: Lab) -> None:
    place = at_owner(lab)
    done = twice(place, "sso", identifier="x", oidc=OIDC, member_decryption="trusted_devices", max_affected=2)
    changed = [change["name"] for change in done["changes"]]
    assert changed == ["single_org", "require_sso", "reset_password", "of the organization"]
    refused = place.run("policy", type="single_org", enabled=False)
    assert refused["failed"]
    twice(place, sso={"member_decryption": "master_password"}, policies=[{"type": "require_sso", "enabled": False}])


def test_trusted_devices_are_left_alone_by_other_changes(lab: Lab) -> None:
    place = at_owner(lab)
    ok(place.run("sso", identifier="x", oidc=OIDC, member_decryption="trusted_devices", max_affected=2))
    done = twice(place, "sso", oidc={"authority": "https://other.example.com"})
    assert [change["after"] for change in done["changes"]] == [{"oidc.authority": "https://other.example.com"}]


@pytest.mark.parametrize(
    ("version", "owned"), [("2025.8.0", False), ("2026.1.0", True), ("2026.4.0", True), ("2026.4.1", True), ("2026.8.0", True)]
)
def test_data_ownership_gives_each_member_a_collection(lab: Lab, version: str, owned: bool) -> None:
    lab.reset(scenario="page_a", version=version)
    place = at_owner(lab)
    twice(place, "policy", type="organization_data_ownership")
    names = [lab.decrypt(place.organization_id, row["name"], "selfhost") for row in place.rows("collection", type=1)]
    assert set(names) == ({"My items"} if owned else set())


def test_provisioning_by_a_directory(lab: Lab) -> None:
    place = at_owner(lab)
    twice(place, scim={"provider": "azure_ad"})
    twice(place, scim={"provider": "azure_ad", "enabled": False})
    assert [row["config"]["Enabled"] for row in place.rows("connection", type=2)] == [False]


def test_the_small_modules(lab: Lab) -> None:
    place = at_owner(lab)
    twice(place, settings=OPEN)
    twice(place, "group", name="IT", members=["ann@example.com", "bob@example.com"])
    access = [{"name": "IT", "permission": "manage"}]
    twice(place, "collection", name="A", groups=access, members=[{"email": "bob@example.com"}])
    twice(place, "collection", name="A", members=[], prune=["access"], external_id="x")
    twice(place, "group", name="IT", members=["ann@example.com"], prune=["memberships"])
    assert place.collections() == {"A": {"external_id": "x", "groups": {"IT": "m"}, "members": {}}}
    assert place.groups() == {"IT": {"ann@example.com"}}
    twice(place, "member", email="bob@example.com", role="custom", permissions=["manage_sso"])
    twice(place, "collection", name="A", state="absent")
    twice(place, "group", name="IT", state="absent")
    assert (place.collections(), place.groups()) == ({}, {})


def test_groups_and_members_keep_their_access(lab: Lab) -> None:
    place = filled(lab)
    before = place.collections()
    twice(place, "group", name="IT", members=["owner@example.com"])
    twice(place, "member", email="bob@example.com", role="admin")
    assert place.collections() == before


def test_members_keep_access_that_the_caller_may_not_change(lab: Lab) -> None:
    place = filled(lab)
    twice(place, settings={**OPEN, "allow_admin_access_to_all_collection_items": False})
    ok(place.run("collection", name="A", groups=[{"name": "IT", "permission": "manage"}]))
    before = place.collections()
    twice(place, "member", email="bob@example.com", role="admin")
    twice(place, "group", name="Old", members=["bob@example.com"])
    assert place.collections() == before


def test_giving_up_the_own_role_comes_last(lab: Lab) -> None:
    place = at_owner(lab)
    lab.set_member("ann@example.com", type=0)
    wanted = {
        "members": [{"email": "owner@example.com", "role": "user"}, {"email": "new@x.example"}],
        "groups": [{"name": "IT", "members": ["new@x.example"]}],
    }
    ok(place.run(**wanted))
    assert place.member("owner@example.com")["type"] == 2
    assert place.groups() == {"IT": {"new@x.example"}}


@pytest.mark.lab(scenario="msp")
def test_first_collections_of_a_new_client(lab: Lab) -> None:
    place = at_provider(lab, client="beta")
    twice(
        place,
        settings=OPEN,
        groups=[{"name": "All", "members": ["owner@beta.example"]}],
        collections=[{"name": "Shared", "groups": [{"name": "All"}]}],
    )
    assert place.collections()["Shared"]["groups"] == {"All": ""}
