"""directory-connector sections 4.1 to 4.6 and 4.9: what an import does, in order, and what gets in its way."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.organization import CRASH, NEW, NO_OWNER, UNKNOWN, Organization
from tests.contract.public import Public, wrong
from tests.contract.speak import Http, refused
from tests.lab import Lab

ANN, BOB, OWNER = "ann@example.com", "bob@example.com", "owner@example.com"
SEATS = "Cannot autoscale on self-hosted instance."
SYNC_FAILED = "Sync failed. To proceed, disable the 'Remove and re-add users during next sync' setting and try again."
STAGING = "globalSettings__launchDarkly__flagValues__pm-34423-staged-status"
SCOPED = UNKNOWN
SCOPES = ["members.read", "members.write", "groups.read", "groups.write"]


def entry(email: str, external_id: str, **fields: t.Any) -> dict[str, t.Any]:
    return {"email": email, "externalId": external_id, "deleted": False, **fields}


def known(public: Public) -> dict[str, str | None]:
    """The members' external ids by address."""
    return {row["email"]: row["externalId"] for row in public.data("/members")}


def released(lab: Lab, http: Http, release: str) -> Public:
    """The public API of a release, without anything that happened before."""
    return Public(Organization(lab, http, release))


def test_4_2_an_import_answers_with_nothing(public: Public) -> None:
    """Not even a kind of content; entries that are not valid are named."""
    answer = public.directory([entry(NEW, "u1")])
    assert (answer.status_code, answer.content, answer.headers.get("Content-Type")) == (200, b"", None)
    for external_id in (None, ""):
        text = {"Members[0].ExternalId": ["The ExternalId field is required."]}
        wrong(public.directory([{"email": NEW, "externalId": external_id}]), 400, "The request's model state is invalid.", text)
    assert public.directory([entry("x@example.org", "é" * 300)]).status_code == 200
    assert public.directory([entry("y@example.org", "é" * 301)]).status_code == 400


def test_4_2_the_same_external_id_twice_among_members_or_groups(lab: Lab, public: Public) -> None:
    """No import gets past that."""
    for email in (ANN, BOB):
        lab.set_member(email, externalId="u1")
    wrong(public.directory([]), 500, CRASH)
    lab.set_member(BOB, externalId=None)
    for number in (1, 2):
        lab.put_row(
            "selfhost", "group", id=UNKNOWN[:-1] + str(number), organizationId=public.organization.id, name="x", externalId="g"
        )
    group = {"name": "Dev", "externalId": "g", "memberExternalIds": []}
    wrong(public.directory([], [group]), 500, CRASH)
    assert public.directory([]).status_code == 200


def test_4_4_somebody_both_deleted_and_not_stays(public: Public) -> None:
    """Whatever the order."""
    public.directory([entry(ANN, "u1")])
    public.directory([entry("", "u1", deleted=True), entry("ann.new@example.com", "u1")])
    assert known(public)[ANN] == "u1"


def test_4_4_removals_are_kept_whatever_follows(lab: Lab, public: Public) -> None:
    """No transaction spans the steps, and nobody looks at who claims an account."""
    public.directory([entry(ANN, "u1")])
    organization = public.organization
    domain = {"organizationId": organization.id, "domainName": "example.com", "verifiedDate": lab.now()}
    lab.put_row("selfhost", "domain", id=UNKNOWN, **domain)
    lab.set_organization("selfhost", organization.id, seats=2)
    wrong(public.directory([entry(ANN, "u1", deleted=True), entry(NEW, "u2"), entry("x@example.org", "u3")]), 400, SEATS)
    assert set(known(public)) == {OWNER, BOB}
    assert organization.events(1503) == [1503]


@pytest.mark.parametrize(("release", "guarded"), [("2025.8.0", False), ("2026.4.0", True), ("2026.8.0", True)])
def test_4_4_overwriting_and_people_without_a_password(lab: Lab, http: Http, release: str, guarded: bool) -> None:
    """Since 2025.9.0 it is refused for them, among whom is everybody without an account; before, there are no events either."""
    public = released(lab, http, release)
    public.directory([entry(NEW, "u1"), entry(ANN, "u2"), entry(OWNER, "u0")])
    answer = public.directory([], overwriteExisting=True)
    if not guarded:
        assert answer.status_code == 200
        assert (set(known(public)), public.organization.events(1503)) == ({OWNER, BOB}, [])
        return
    wrong(answer, 400, SYNC_FAILED)
    # whoever is removed by name in the same request counts all the same, and is gone all the same
    wrong(public.directory([entry(NEW, "u1", deleted=True)], overwriteExisting=True), 400, SYNC_FAILED)
    assert set(known(public)) == {OWNER, ANN, BOB}
    assert public.directory([], overwriteExisting=True).status_code == 200
    assert (set(known(public)), public.organization.events(1503)) == ({OWNER, BOB}, [1503, 1503])


@pytest.mark.parametrize(
    ("release", "flag", "staged"),
    [("2026.4.0", "true", False), ("2026.8.0", None, False), ("2026.8.0", "false", False), ("2026.8.0", "true", True)],
)
def test_4_6_staged_members(lab: Lab, http: Http, release: str, flag: str | None, staged: bool) -> None:
    """Neither mail nor seat; only where release and flag allow it, else everybody is invited all the same."""
    public = released(lab, http, release)
    lab.change_settings({STAGING: flag})
    lab.set_organization("selfhost", public.organization.id, seats=3 if staged else 4)
    assert public.directory([entry(NEW, "u1")], inviteUsersAfterProvisioning=False).status_code == 200
    assert public.member(NEW)["status"] == (3 if staged else 0)
    assert len(lab.mailbox(NEW)) == (0 if staged else 1)
    assert public.organization.events(1500, 1523) == [1523 if staged else 1500]
    lab.change_settings({STAGING: None})


def test_4_4_more_members_than_seats(lab: Lab, public: Public) -> None:
    """Then not even a directory without anybody new passes."""
    public.directory([entry(ANN, "u1"), entry(BOB, "u2")])
    lab.set_organization("selfhost", public.organization.id, seats=2)
    wrong(public.directory([entry(ANN, "u1")]), 400, SEATS)
    assert public.directory([entry(BOB, "u2", deleted=True)]).status_code == 200


def test_4_2_no_confirmed_owner(lab: Lab, public: Public) -> None:
    """Nobody new comes in, but who is there is found."""
    lab.set_member(OWNER, status=1)
    wrong(public.directory([entry(NEW, "u1"), entry(ANN, "u2")]), 400, NO_OWNER)
    assert known(public) == {OWNER: None, ANN: "u2", BOB: None}


def test_4_9_what_proxies_say(lab: Lab, public: Public) -> None:
    """A body that is too large, a server that is away: pages, without effect."""
    for status in (413, 502):
        lab.fault(f"page:{status}", path="/public/organization/import$")
        answer = public.directory([entry(NEW, "u1")])
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
        assert answer.text.startswith("<html>")
    assert NEW not in known(public)


def test_keys_with_scopes(lab: Lab, public: Public) -> None:
    """Each opens what it names; an import takes both kinds of writing, and writing does not include reading."""
    key = {"id": SCOPED, "organizationId": public.organization.id, "apiKey": "a secret of thirty characters!"}

    def open_with(*scopes: str) -> Public:
        lab.put_row("selfhost", "scoped_api_key", **key, scopes=[f"api.organization.{scope}" for scope in scopes])
        public.token = str(public.grant(key["apiKey"], SCOPED).json()["access_token"])
        return public

    assert open_with(*SCOPES).directory([entry(NEW, "u1")]).status_code == 200
    assert set(known(public)) == {OWNER, ANN, BOB, NEW}
    refused(public.ask("GET", "/policies"), 403, None)
    refused(open_with("members.write").directory([]), 403, None)
    refused(public.ask("GET", "/members"), 403, None)
    assert public.grant(key["apiKey"], SCOPED, scope="api.organization").json() == {"error": "invalid_scope"}
    assert public.grant("wrong", SCOPED).json() == {"error": "invalid_client"}
    lab.put_row("selfhost", "scoped_api_key", **key, scopes=[], expireAt="2020-01-01T00:00:00Z")
    assert public.grant(key["apiKey"], SCOPED).json() == {"error": "invalid_client"}
