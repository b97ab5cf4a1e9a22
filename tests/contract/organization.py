"""How contract tests speak to one organization of the lab."""

from __future__ import annotations

import typing as t

from tests.contract.speak import Answer, Http
from tests.lab import Lab, crypto

UNKNOWN = "11111111-2222-4333-8444-555555555555"
NOT_FOUND = "Resource not found."
MANAGE, VIEW, EDIT = {"manage": True}, {"readOnly": True}, {"readOnly": False}
OTHER = "99999999-2222-4333-8444-555555555555"
CRASH = "An unhandled server error has occurred."
NO_OWNER = "Organization must have at least one confirmed owner."
NEW = "new@example.org"
Row = dict[str, t.Any]


class Organization:
    """The local organization as its owner sees it, or as C(label) does; tokens are those of the first request."""

    def __init__(self, lab: Lab, http: Http, release: str | None = None, label: str = "owner") -> None:
        lab.reset(version=release)
        self.lab = lab
        self.http = http
        self.id = str(lab.facts["organization_id"])
        self._label = label
        self._tokens: dict[str, str] = {}

    def ask(self, method: str, path: str, body: t.Any = None, label: str | None = None) -> Answer:
        """Send a request below the organization's own address."""
        return self.raw(method, f"/organizations/{self.id}{path}", body, label)

    def raw(self, method: str, path: str, body: t.Any = None, label: str | None = None) -> Answer:
        """Send a request."""
        label = label or self._label
        if label not in self._tokens:
            self._tokens[label] = self.http.token(label)
        return self.http(method, f"selfhost:{path}", self._tokens[label], **({} if body is None else {"json": body}))

    def done(self, method: str, path: str, body: t.Any = None, label: str | None = None) -> t.Any:
        """Send a request that must succeed, and return its JSON, if there is any."""
        answer = self.ask(method, path, body, label)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    def data(self, path: str, label: str | None = None) -> list[Row]:
        """Return the entries of a list."""
        return t.cast(list[Row], self.done("GET", path, label=label)["data"])

    def renew(self) -> None:
        """Forget the tokens, and with them the roles that they carry."""
        self._tokens.clear()

    def encrypted(self, text: str) -> str:
        """Encrypt with the organization's key."""
        return crypto.encrypt(text.encode(), self.lab.organization_key(self.id, "selfhost"))

    def settings(self, **settings: bool) -> None:
        """Set the collection settings; what is not named is false."""
        self.done("PUT", "/collection-management", settings)

    def reach_all(self) -> None:
        """Let admins reach all collections."""
        self.settings(allowAdminAccessToAllCollectionItems=True)

    def member(self, email: str) -> Row:
        """Return a member with access and groups."""
        rows = self.data("/users?includeGroups=true&includeCollections=true")
        return next(row for row in rows if row["email"] == email)

    def members(self) -> dict[str, tuple[int, int]]:
        """Return role and status of everybody by address."""
        return {row["email"]: (row["type"], row["status"]) for row in self.data("/users")}

    def id_of(self, email: str) -> str:
        """Return a member's id."""
        return str(self.member(email)["id"])

    def group(self, name: str, **fields: t.Any) -> str:
        """Create a group and return its id."""
        body = {"name": name, "collections": [], "users": [], **fields}
        return str(self.done("POST", "/groups", body)["id"])

    def collection(self, name: str, **fields: t.Any) -> str:
        """Create a collection that the owner manages, unless told otherwise, and return its id."""
        body = {"name": self.encrypted(name), "users": [{"id": self.id_of("owner@example.com"), **MANAGE}], **fields}
        return str(self.done("POST", "/collections", body)["id"])

    def access(self, collection_id: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return who has access to a collection, groups and members, as short words by id."""
        found = self.done("GET", f"/collections/{collection_id}/details")
        return words(found["groups"]), words(found["users"])

    def invite(self, *emails: str, **fields: t.Any) -> Answer:
        """Invite people."""
        return self.ask("POST", "/users/invite", {"emails": list(emails), "type": 2, "collections": [], **fields})

    def policy(self, kind: int, enabled: bool = True, data: Row | None = None, **metadata: t.Any) -> Answer:
        """Save a policy with the body that every release takes."""
        flat = {"type": kind, "enabled": enabled, "data": data}
        return self.ask("PUT", f"/policies/{kind}", {**flat, "policy": flat, "metadata": metadata or None})

    def events(self, *kinds: int) -> list[int]:
        """Return the numbers of these events, in their order."""
        rows = self.lab.rows("selfhost", "event", organizationId=self.id)
        return [row["type"] for row in rows if not kinds or row["type"] in kinds]


def words(selections: list[Row]) -> dict[str, str]:
    """Turn access objects into words."""
    names = ("readOnly", "hidePasswords", "manage")
    return {one["id"]: " ".join(name for name in names if one[name]) for one in selections}


def errors(answer: Answer) -> list[str]:
    """What a bulk endpoint says about each member."""
    assert answer.status_code == 200, answer.text
    assert all(entry["object"] == "OrganizationBulkConfirmResponseModel" for entry in answer.json()["data"])
    return [entry["error"] for entry in answer.json()["data"]]


def second(lab: Lab, email: str, policy: int | None = None) -> None:
    """Make somebody a member of another organization, which may have a policy."""
    row = lab.rows("selfhost", "organization")[0]
    user = lab.rows("selfhost", "user", email=email)[0]
    lab.put_row("selfhost", "organization", **row | {"id": OTHER, "name": "Other"})
    member = {"organizationId": OTHER, "userId": user["id"], "email": email, "type": 2, "status": 2, "permissions": None}
    lab.put_row("selfhost", "member", id=UNKNOWN, key="4.AAAA", **member)
    if policy is not None:
        lab.put_row("selfhost", "policy", id=OTHER, organizationId=OTHER, type=policy, enabled=True, data=None)
