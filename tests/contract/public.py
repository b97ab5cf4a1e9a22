"""How contract tests speak to the public API."""

from __future__ import annotations

import typing as t

from tests.contract.organization import Organization, Row
from tests.contract.speak import Answer


class Public:
    """The organization with its own key."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.http = organization.http
        secret = organization.lab.rows("selfhost", "organization_api_key", organizationId=organization.id, type=0)[0]["apiKey"]
        self.token = str(self.grant(secret, scope="api.organization").json()["access_token"])

    def grant(self, secret: str, key_id: str = "", **form: str) -> Answer:
        """Log in with the organization's key, or with one of its scoped keys."""
        client_id = f"organization.{self.organization.id}" + (f".{key_id}" if key_id else "")
        about = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        return self.http.grant("selfhost", **about, **form)

    def ask(self, method: str, path: str, body: t.Any = None) -> Answer:
        """Send a request."""
        return self.http(method, f"selfhost:/public{path}", self.token, **({} if body is None else {"json": body}))

    def done(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """Send a request that must succeed."""
        answer = self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def data(self, path: str) -> list[Row]:
        """Return a list."""
        found = self.done("GET", path)
        assert set(found) == {"object", "data"}
        return t.cast(list[Row], found["data"])

    def member(self, email: str) -> Row:
        """Return a member."""
        return next(row for row in self.data("/members") if row["email"] == email)

    def directory(self, members: list[Row], groups: list[Row] | None = None, **options: t.Any) -> Answer:
        """Import a directory."""
        body = {"members": members, "groups": groups or [], "overwriteExisting": False, "largeImport": False, **options}
        return self.ask("POST", "/organization/import", body)


def wrong(answer: Answer, status: int, message: str, errors: Row | None = None) -> None:
    """Demand an error of this API's shape."""
    assert answer.status_code == status, answer.text
    assert answer.json() == {"object": "error", "message": message, "errors": errors}
