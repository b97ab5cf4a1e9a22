# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole organization from one description: as its owner and as its provider, on three releases."""

from __future__ import annotations

import typing as t

import pytest

from tests.integration.organization_world import WHOLE, Place, at_owner, at_provider, ok
from tests.lab import Lab

VERSIONS = ("2025.8.0", "2026.4.0", "2026.8.0")
MARKS = [
    *(pytest.param(at_owner, marks=pytest.mark.lab(version=version), id=f"owner-{version}") for version in VERSIONS),
    *(
        pytest.param(at_provider, marks=pytest.mark.lab(scenario="msp", cloud_version=version), id=f"provider-{version}")
        for version in VERSIONS
    ),
]
everywhere = pytest.mark.parametrize("reach", MARKS)
Reach = t.Callable[[Lab], Place]


@everywhere
def test_everything_at_once(lab: Lab, reach: Reach) -> None:
    place = reach(lab)
    lab.forbid_writes()
    planned = ok(place.run(check=True, **WHOLE))
    lab.forbid_writes(False)
    done = ok(place.run(**WHOLE))
    assert (planned["changed"], planned["changes"], planned["diff"]) == (True, done["changes"], done["diff"])
    assert planned["pending"] == done["pending"]
    _is_as_described(place)
    lab.clear_requests()
    again = ok(place.run(**WHOLE))
    assert (again["changed"], again["changes"], lab.writes()) == (False, [], [])
    assert "S3CRET-canary" not in repr((planned, done, again))


def _is_as_described(place: Place) -> None:
    organization = place.lab.rows(place.server, "organization", id=place.organization_id)[0]
    assert organization["limitCollectionCreation"]
    assert organization["identifier"] == "client"
    assert place.groups() == {
        "Marketing": {"ann@client.example"},
        "IT": {"ann@client.example", "bob@client.example"},
    }
    found = place.collections()
    found.pop("Default collection", None)
    assert found == {
        "Departments": {"external_id": None, "groups": {"IT": "m"}, "members": {}},
        "Departments/Marketing": {"external_id": "dept-1", "groups": {"Marketing": "r", "IT": "m"}, "members": {}},
        "Departments/Marketing/Agency": {"external_id": None, "groups": {}, "members": {"ann@client.example": "m"}},
        "Servers": {"external_id": None, "groups": {"IT": "m"}, "members": {"ann@client.example": "rh"}},
        "Überall": {"external_id": None, "groups": {"IT": "m", "Marketing": ""}, "members": {}},
    }
    invited = {row["email"]: row for row in place.rows("member") if row["email"].endswith("@client.example")}
    assert {email: (row["type"], row["status"]) for email, row in invited.items()} == {
        "ann@client.example": (2, 0),
        "bob@client.example": (4, 0),
        "lead@client.example": (1, 0),
    }
    granted = {name for name, given in invited["bob@client.example"]["permissions"].items() if given}
    assert granted == {"manageGroups", "accessReports"}
    assert {row["type"] for row in place.rows("policy") if row["enabled"]} == {1, 3, 5, 8, 9}
    assert len([mail for mail in place.lab.mailbox("ann@client.example") if mail.to == "ann@client.example"]) == 1


@everywhere
def test_people_accept_and_are_confirmed_by_the_next_run(lab: Lab, reach: Reach) -> None:
    place = reach(lab)
    first = ok(place.run(**WHOLE))
    assert [row["reason"] for row in first["pending"]] == ["The invitation is not accepted yet."] * 3
    for name in ("ann", "bob"):
        lab.accept_invitation(f"{name}@client.example", server=place.server)
    lab.forbid_writes()
    shown = {row["email"]: row["fingerprint"] for row in ok(place.run(check=True, **WHOLE))["members"]}
    lab.forbid_writes(False)
    assert shown["ann@client.example"].count("-") >= 4, "five words, some with a hyphen of their own"
    assert shown["lead@client.example"] is None
    second = ok(place.run(**WHOLE))
    assert [row["name"] for row in second["pending"]] == ["lead@client.example"]
    assert {row["email"]: row["fingerprint"] for row in second["members"]} == shown
    assert place.member("ann@client.example")["status"] == 2
    key = lab.organization_key(place.organization_id, place.server)
    assert lab.held_key(place.member("ann@client.example")["id"], place.server) == key
    lab.clear_requests()
    third = ok(place.run(**WHOLE))
    assert (third["changed"], lab.writes()) == (False, [])


def test_few_requests(lab: Lab) -> None:
    place = at_owner(lab)
    ok(place.run(settings={"allow_admin_access_to_all_collection_items": True}))
    people = [f"person{number}@client.example" for number in range(45)]
    many = {
        "members": [{"email": email} for email in people],
        "groups": [{"name": f"Group {number}", "members": people[number : number + 9]} for number in range(5)],
        "collections": [{"name": f"C{n}", "groups": [{"name": f"Group {n % 5}"}]} for n in range(12)],
    }
    lab.set_organization("selfhost", place.organization_id, seats=100)
    lab.clear_requests()
    ok(place.run(**many))
    writes = [request.path.rpartition("/")[2] for request in lab.writes()]
    assert writes == ["invite"] * 3 + ["groups"] * 5 + ["collections"] * 12
    reads = [request for request in lab.requests("client") if request.method == "GET"]
    assert len(reads) <= 10
    lab.clear_requests()
    assert not ok(place.run(**many))["changed"]
    assert [request.path.rpartition("/")[2] for request in lab.requests("client")] == [
        "config",
        "token",
        "profile",
        "users",
        "details",
        "collections",
    ]


def test_no_visit_to_the_vault_is_recorded_for_a_provider(lab: Lab) -> None:
    lab.reset(scenario="msp")
    place = at_provider(lab)
    ok(place.run(**WHOLE))
    assert not [request for request in lab.requests("client") if request.path.endswith("/collections/details")]
    assert not place.rows("event", type=1603)
