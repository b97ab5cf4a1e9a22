# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The organization that is meant, who we are in it, and its key."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.workplace import Workplace, find_workplace, sealed_for_member

from tests.integration.provider_desk import login
from tests.lab import Lab, crypto, people

pytestmark = pytest.mark.lab(scenario="msp")


def find(lab: Lab, who: str, **params: t.Any) -> Workplace:
    return find_workplace({**login(lab.people[who]), **params})


@pytest.mark.parametrize(
    ("who", "name", "via_provider"),
    [
        ("provider_user", "Alpha Client", True),
        ("service_user", "Beta Client", True),
        ("provider_user", "Gamma Company", False),
        ("alpha_owner", "Alpha Client", False),
    ],
)
def test_every_way_in_leads_to_the_same_key(lab: Lab, who: str, name: str, via_provider: bool) -> None:
    place = find(lab, who, organization_name=name)
    assert place.via_provider is via_provider
    assert (place.self_id is None) is via_provider
    assert place.name == name
    assert place.key == lab.organization_key(place.id)


def test_by_id_or_as_the_only_one(lab: Lab) -> None:
    assert find(lab, "alpha_owner").id == lab.facts["alpha_organization_id"]
    assert find(lab, "provider_user", organization_id=lab.facts["beta_organization_id"].upper()).name == "Beta Client"


def test_the_provider_comes_first_where_both_ways_lead_in(lab: Lab) -> None:
    petra, alpha = lab.people["provider_user"], lab.facts["alpha_organization_id"]
    lab.set_member(
        petra.email, "eu", alpha, type=0, status=2, key=crypto.wrap(people.key64("alpha organization"), public(lab, petra.email))
    )
    place = find(lab, "provider_user", organization_id=alpha)
    assert place.via_provider
    assert place.self_id
    assert place.key == lab.organization_key(alpha)


def public(lab: Lab, email: str) -> str:
    return str(lab.rows("eu", "user", email=email)[0]["publicKey"])


@pytest.mark.parametrize(
    ("params", "says", "field"),
    [
        ({}, "Several organizations could be meant", "organization_id"),
        ({"organization_name": "Elsewhere"}, "neither a confirmed member of the organization Elsewhere", "organization_name"),
        ({"organization_id": "11111111-2222-4333-8444-555555555555"}, "neither a confirmed member", "organization_id"),
    ],
)
def test_not_to_be_found(lab: Lab, params: dict[str, str], says: str, field: str) -> None:
    with pytest.raises(SelfhostError, match=says) as caught:
        find(lab, "provider_user", **params)
    assert caught.value.field == field
    assert caught.value.remedy


def test_a_key_that_opens_nothing_is_not_used(lab: Lab) -> None:
    """A membership's key can be made by anybody who knows the public key."""
    alpha, owner = lab.facts["alpha_organization_id"], "owner@alpha.example"
    lab.set_member(owner, "eu", alpha, key=crypto.wrap(b"x" * 64, public(lab, owner)))
    with pytest.raises(SelfhostError, match=r"The key of Alpha Client does not fit\.") as caught:
        sealed_for_member(find(lab, "alpha_owner"), public(lab, owner))
    assert caught.value.field == "organization_id"


def test_the_master_password_is_only_needed_for_the_key(lab: Lab) -> None:
    place = find(lab, "alpha_owner", master_password=None)
    assert place.name == "Alpha Client"
    with pytest.raises(SelfhostError, match="master password is needed"):
        _unused = place.key


def test_a_self_hosted_server_is_asked_what_it_is(lab: Lab) -> None:
    """Before anything else: another product is refused by its name."""
    lab.reset(scenario="page_a")
    owner = lab.people["owner"]
    find_workplace({"server_url": lab.facts["server_url"], "client_id": owner.client_id, "client_secret": owner.client_secret})
    assert [seen.path for seen in lab.requests("client")] == ["/config", "/connect/token", "/accounts/profile"]
