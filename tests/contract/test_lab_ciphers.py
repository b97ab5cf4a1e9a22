"""organization-admin section 7, 12.1 item 10, and what clients get of it."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.organization import CRASH, MANAGE, NOT_FOUND, UNKNOWN, VIEW, Organization
from tests.contract.speak import Answer, Http, refused
from tests.lab import Lab

NO_RIGHT = "Not enough privileges to import into this organization."
Row = dict[str, t.Any]


def login(organization: Organization, name: str, **fields: t.Any) -> Row:
    """A login as the client sends it."""
    enc = organization.encrypted
    uris = [{"uri": enc("https://example.com"), "uriChecksum": None, "match": None}]
    inner = {"username": enc("ann"), "password": enc("secret"), "totp": None, "uris": uris}
    return {"type": 1, "name": enc(name), "notes": None, "favorite": False, "reprompt": 0, "login": inner, **fields}


def send(organization: Organization, label: str | None = None, **body: t.Any) -> Answer:
    """Import."""
    whole = {"ciphers": [], "collections": [], "collectionRelationships": [], "folders": [], "folderRelationships": [], **body}
    return organization.raw("POST", f"/ciphers/import-organization?organizationId={organization.id}", whole, label)


def items(organization: Organization, label: str | None = None) -> list[Row]:
    """All items, as an admin reads them."""
    answer = organization.raw("GET", f"/ciphers/organization-details?organizationId={organization.id}", label=label)
    assert answer.status_code == 200, answer.text
    return t.cast(list[Row], answer.json()["data"])


def names(organization: Organization, rows: list[Row]) -> list[str]:
    """Their names, decrypted."""
    return [organization.lab.decrypt(organization.id, row["name"], "selfhost") for row in rows]


def test_12_1_10_import(organization: Organization) -> None:
    """Relations by index, ids of known collections are used, others are new; pairs out of range are dropped."""
    known = organization.collection("Known")
    new = {"id": None, "name": organization.encrypted("New"), "externalId": "x", "groups": [], "users": []}
    made_up = {"id": UNKNOWN, "name": organization.encrypted("Made up")}
    pairs = [
        {"key": 0, "value": 0},
        {"key": 0, "value": 1},
        {"key": 1, "value": 2},
        {"key": 7, "value": 0},
        {"key": 0, "value": 9},
    ]
    body = {"ciphers": [login(organization, "one"), login(organization, "two"), login(organization, "none")]}
    collections = [{"id": known, "name": new["name"]}, new, made_up]
    answer = send(organization, **body, collections=collections, collectionRelationships=pairs)
    assert (answer.status_code, answer.content) == (200, b"")
    rows = {row["externalId"]: row["id"] for row in organization.data("/collections") if row["id"] != known}
    assert len(organization.data("/collections")) == 3
    assert UNKNOWN not in rows.values()
    one, two, none = items(organization)
    assert one["collectionIds"] == [known, rows["x"]]
    assert (two["collectionIds"], none["collectionIds"]) == ([rows[None]], [])
    owner = organization.id_of("owner@example.com")
    assert organization.access(rows["x"]) == ({}, {owner: "manage"})
    assert one["object"] == "cipherMiniDetails"
    assert one["login"]["uri"] == one["login"]["uris"][0]["uri"]
    assert '"Username": "2.' in one["data"]
    assert organization.events(1100) == []


def test_12_1_10_new_ids_every_time(organization: Organization) -> None:
    """There is no update: the same import twice is everything twice."""
    body = {"ciphers": [login(organization, "one")], "collections": [{"name": organization.encrypted("New")}]}
    for _unused in range(2):
        assert send(organization, **body).status_code == 200
    assert len({row["id"] for row in items(organization)}) == 2
    assert len(organization.data("/collections")) == 2


def test_12_1_10_nothing_without_items(organization: Organization) -> None:
    """Not even the collections."""
    assert send(organization, collections=[{"name": organization.encrypted("New")}]).status_code == 200
    assert organization.data("/collections") == []


def test_12_1_10_validation(organization: Organization) -> None:
    """Every field under its own indexed name, all at once."""
    long = "2." + "A" * 1000 + "|AAAA|AAAA"
    history = [{"password": "plain", "lastUsedDate": None}]
    wrong = login(organization, "x", notes="plain", fields=[{"name": "plain", "type": 0}], passwordHistory=history)
    wrong["login"] = {"username": long, "uris": [{"uri": "plain"}], "fido2Credentials": [{"rpId": "plain"}]}
    body = {"ciphers": [login(organization, "fine"), wrong, {**login(organization, "x"), "name": None}]}
    answer = send(organization, **body, collections=[{"name": "plain"}, {"name": ""}])
    refused(answer, 400, "The model state is invalid.")
    shape = "{} is not a valid encrypted string."
    assert answer.json()["validationErrors"] == {
        "Ciphers[1].Notes": [shape.format("Notes")],
        "Ciphers[1].Fields[0].Name": [shape.format("Name")],
        "Ciphers[1].PasswordHistory[0].Password": [shape.format("Password")],
        "Ciphers[1].PasswordHistory[0].LastUsedDate": ["The LastUsedDate field is required."],
        "Ciphers[1].Login.Username": ["The field Username exceeds the maximum encrypted value length of 1000 characters."],
        "Ciphers[1].Login.Uris[0].Uri": [shape.format("Uri")],
        "Ciphers[1].Login.Fido2Credentials[0].RpId": [shape.format("RpId")],
        "Ciphers[1].Login.Fido2Credentials[0].CreationDate": ["The CreationDate field is required."],
        "Ciphers[2].Name": ["The Name field is required."],
        "Collections[0].Name": [shape.format("Name")],
        "Collections[1].Name": ["The Name field is required."],
    }
    assert items(organization) == []


@pytest.mark.parametrize("cipher", [{"type": 1}, {"type": 9, "login": {"username": None}}, {"type": 2, "login": {}}])
def test_7_1_missing_object_of_the_type(organization: Organization, cipher: Row) -> None:
    """Breaks the server, as an unknown type does."""
    refused(send(organization, ciphers=[{"name": organization.encrypted("x"), **cipher}]), 500, CRASH)


@pytest.mark.parametrize(
    ("kind", "inner"),
    [(2, {"secureNote": {"type": 0}}), (3, {"card": {}}), (4, {"identity": {}}), (5, {"sshKey": {}}), (6, {"bankAccount": {}})],
)
def test_7_2_types(organization: Organization, kind: int, inner: Row) -> None:
    """Clients that do not tell their release get no newer types."""
    name = next(iter(inner))
    cipher = {"type": kind, "name": organization.encrypted("x"), **inner}
    send(
        organization,
        ciphers=[cipher],
        collections=[{"name": organization.encrypted("c")}],
        collectionRelationships=[{"key": 0, "value": 0}],
    )
    assert items(organization)[0][name] is not None
    assert len(organization.raw("GET", "/sync").json()["ciphers"]) == 1
    headers = {"Bitwarden-Client-Version": ""}
    token = organization.http.token("owner")
    old = organization.http.get("selfhost:/sync", token, headers=headers).json()["ciphers"]
    assert len(old) == (1 if kind < 5 else 0)


def test_7_1_permissions(lab: Lab, organization: Organization) -> None:
    """Who may create collections may import into new ones, who manages some into these."""
    new = {"ciphers": [login(organization, "x")], "collections": [{"name": organization.encrypted("New")}]}
    assert send(organization, "ann", **new).status_code == 200
    organization.settings(limitCollectionCreation=True)
    refused(send(organization, "ann", **new), 400, NO_RIGHT)
    known = organization.collection("Known")
    into = {**new, "collections": [{"id": known, "name": organization.encrypted("Known")}]}
    refused(send(organization, "ann", **into), 400, NO_RIGHT)
    lab.give_access("selfhost", known, organization.id_of("ann@example.com"), manage=True)
    assert send(organization, "ann", **into).status_code == 200
    lab.set_member("ann@example.com", status=-1)
    organization.settings()
    refused(send(organization, "ann", **new), 401, "Unauthorized.")


def test_7_1_limits(lab: Lab, http: Http, organization: Organization) -> None:
    """Of the cloud, and of the plan, which counts known and listed collections together."""
    known = organization.collection("Known")
    lab.set_organization("selfhost", organization.id, maxCollections=1)
    body = {"ciphers": [login(organization, "x")], "collections": [{"id": known, "name": organization.encrypted("Known")}]}
    refused(send(organization, **body), 400, "This organization can only have a maximum of 1 collections.")
    where = f"eu:/ciphers/import-organization?organizationId={lab.facts['cloud_organization_id']}"
    many = {"ciphers": [login(organization, "x")], "collections": [{"name": "2.AAAA|AAAA|AAAA"}] * 2001}
    refused(http.post(where, http.token("cloud_owner"), many), 400, "You cannot import this much data at once.")
    no_organization = http.post("eu:/ciphers/import-organization", http.token("cloud_owner"), {"ciphers": []})
    refused(no_organization, 400, "No organization ID found in the import data.")


def test_8_provider_users(lab: Lab, http: Http, organization: Organization) -> None:
    """Import and read, and get no access; nothing else is for them."""
    content = login(organization, "x")
    lab.reset(scenario="msp")
    alpha, token = lab.facts["alpha_organization_id"], http.token("service_user")
    body = {"ciphers": [content], "collections": [{"name": "2.AAAA|AAAA|AAAA", "externalId": "x"}]}
    body["collectionRelationships"] = [{"key": 0, "value": 0}]
    assert http.post(f"eu:/ciphers/import-organization?organizationId={alpha}", token, body).status_code == 200
    rows = http.get(f"eu:/ciphers/organization-details?organizationId={alpha}", token).json()["data"]
    assert len(rows) == 1
    details = http.get(f"eu:/organizations/{alpha}/collections/details", token).json()["data"]
    assert [row["unmanaged"] for row in details if row["externalId"] == "x"] == [True]
    new = {"cipher": {**content, "organizationId": alpha}, "collectionIds": []}
    for method, path, sent in (
        ("GET", f"/organizations/{alpha}/export", None),
        ("GET", f"/ciphers/organization-details/assigned?organizationId={alpha}", None),
        ("POST", "/ciphers/admin", new),
        ("PUT", f"/ciphers/{rows[0]['id']}/admin", content),
        ("PUT", f"/ciphers/{rows[0]['id']}/collections-admin", {"collectionIds": []}),
        ("DELETE", f"/ciphers/{rows[0]['id']}/admin", None),
    ):
        refused(http(method, f"eu:{path}", token, json=sent), 404, NOT_FOUND)


def test_7_3_reading(organization: Organization) -> None:
    """Admins read all, members theirs; items of members' own collections only when asked for."""
    ann, lab = organization.id_of("ann@example.com"), organization.lab
    seen = organization.collection("Seen", users=[{"id": ann, **VIEW}, {"id": organization.id_of("owner@example.com"), **MANAGE}])
    lab.put_row("selfhost", "collection", id=UNKNOWN, organizationId=organization.id, name="2.AAAA|AAAA|AAAA", type=1)
    known = [{"id": one, "name": organization.encrypted("x")} for one in (seen, UNKNOWN)]
    bodies = [login(organization, name) for name in ("seen", "own", "nowhere")]
    send(organization, ciphers=bodies, collections=known, collectionRelationships=[{"key": n, "value": n} for n in (0, 1)])
    assert names(organization, items(organization)) == ["seen", "nowhere"]
    where = f"/ciphers/organization-details?organizationId={organization.id}"
    assert len(organization.raw("GET", f"{where}&includeMemberItems=true").json()["data"]) == 3
    refused(organization.raw("GET", where, label="ann"), 404, NOT_FOUND)
    assigned = f"/ciphers/organization-details/assigned?organizationId={organization.id}"
    mine = organization.raw("GET", assigned, label="ann").json()["data"]
    assert [(row["object"], row["edit"], row["viewPassword"]) for row in mine] == [("cipherDetails", False, True)]
    assert organization.raw("GET", "/sync", label="ann").json()["ciphers"] == mine


def test_1_1_export(organization: Organization) -> None:
    """All for admins, what they manage for members."""
    ann, owner = organization.id_of("ann@example.com"), organization.id_of("owner@example.com")
    both = [{"id": ann, **MANAGE}, {"id": owner, **MANAGE}]
    ids = [organization.collection("Mine", users=both), organization.collection("Other")]
    known = [{"id": one, "name": organization.encrypted("x")} for one in ids]
    bodies = [login(organization, name) for name in ("mine", "other", "nowhere")]
    send(organization, ciphers=bodies, collections=known, collectionRelationships=[{"key": n, "value": n} for n in (0, 1)])
    whole = organization.done("GET", "/export")
    assert (whole["object"], len(whole["collections"])) == ("organizationExport", 2)
    assert names(organization, whole["ciphers"]) == ["mine", "other", "nowhere"]
    part = organization.done("GET", "/export", label="ann")
    assert names(organization, part["collections"]) == ["Mine"]
    assert names(organization, part["ciphers"]) == ["mine"]


def test_7_1_single_items(lab: Lab, organization: Organization) -> None:
    """Members create in what they may write into; admins who reach everything do the rest."""
    mine, other = organization.collection("Mine"), organization.collection("Other")
    new = {"cipher": {**login(organization, "x"), "organizationId": organization.id}, "collectionIds": [mine]}
    made = organization.raw("POST", "/ciphers/create", new).json()
    assert made["collectionIds"] == [mine]
    refused(organization.raw("POST", "/ciphers/create", new, "ann"), 404, NOT_FOUND)
    refused(organization.raw("PUT", f"/ciphers/{made['id']}/admin", login(organization, "y")), 404, NOT_FOUND)
    organization.reach_all()
    assert organization.raw("PUT", f"/ciphers/{made['id']}/admin", login(organization, "y")).json()["object"] == "cipherMini"
    assert names(organization, items(organization)) == ["y"]
    moved = organization.raw("PUT", f"/ciphers/{made['id']}/collections-admin", {"collectionIds": [other]}).json()
    assert moved["collectionIds"] == [other]
    body = {"organizationId": organization.id, "cipherIds": [made["id"]], "collectionIds": [mine], "removeCollections": False}
    organization.raw("POST", "/ciphers/bulk-collections", body)
    assert items(organization)[0]["collectionIds"] == [other, mine]
    organization.raw("POST", "/ciphers/bulk-collections", {**body, "removeCollections": True})
    assert items(organization)[0]["collectionIds"] == [other]
    organization.done("DELETE", f"/collections/{other}")
    assert items(organization)[0]["collectionIds"] == []
    unassigned = organization.raw("POST", "/ciphers/admin", {**new, "collectionIds": []}).json()
    organization.raw("DELETE", f"/ciphers/{made['id']}/admin")
    organization.raw("DELETE", "/ciphers/admin", {"ids": [unassigned["id"]], "organizationId": organization.id})
    assert items(organization) == []
    assert organization.events(1100, 1101, 1102) == [1100, 1101, 1100, 1102, 1102]
