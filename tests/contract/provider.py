"""How contract tests speak for a provider of the lab."""

from __future__ import annotations

import typing as t

from tests.contract.speak import Answer, Http
from tests.lab import Lab, crypto, people

UNKNOWN = "11111111-2222-4333-8444-555555555555"
NOT_FOUND, UNAUTHORIZED = "Resource not found.", "Unauthorized."
BILLING = "Something went wrong with your request. Please contact support."
ASSISTANCE = "Something went wrong with your request. Please contact support for assistance."
Row = dict[str, t.Any]


class Provider:
    """One provider, its admin Petra and its service user Sam; their tokens are those of the beginning."""

    def __init__(self, lab: Lab, http: Http, scenario: str = "msp", cloud_version: str = "2026.8.0") -> None:
        lab.reset(scenario=scenario, cloud_version=cloud_version)
        self.lab = lab
        self.http = http
        self.id = str(lab.facts["provider_id"])
        self.key = people.key64("provider")
        self.petra, self.sam = http.token("provider_user"), http.token("service_user")

    def ask(self, method: str, path: str, token: str | None = None, body: t.Any = None) -> Answer:
        """Send a request below the provider's own address, as Petra unless told otherwise."""
        where = f"eu:/providers/{self.id}{path}"
        return self.http(method, where, token or self.petra, **({"json": body} if body is not None else {}))

    def wanted(self, **changes: t.Any) -> Row:
        """The body that creates a client."""
        key, pair = people.key64(f"client {changes}"), people.KEYS["spare"]
        private = crypto.encrypt(crypto.unb64(pair["private"]), key)
        found = {"name": "New Client", "ownerEmail": "Owner@New.example", "planType": 19, "seats": 10}
        wrapped = {"key": crypto.encrypt(key, self.key), "collectionName": crypto.encrypt(b"Default collection", key)}
        return {**found, **wrapped, "keyPair": {"publicKey": pair["public"], "encryptedPrivateKey": private}, **changes}

    def create(self, **changes: t.Any) -> Answer:
        """Create a client."""
        return self.ask("POST", "/clients", body=self.wanted(**changes))

    def clients(self) -> dict[str, Row]:
        """Return the clients by name."""
        return {row["organizationName"]: row for row in self.ask("GET", "/organizations").json()["data"]}

    def resize(self, name: str, seats: int, token: str | None = None) -> Answer:
        """Change a client's seats."""
        row = self.clients()[name]
        return self.ask("PUT", f"/clients/{row['id']}", token, {"name": name, "assignedSeats": seats})

    def plan(self, plan_type: int) -> tuple[int, int]:
        """Return assigned and purchased seats of a plan."""
        plans = self.ask("GET", "/billing/subscription").json()["plans"]
        return next((plan["assignedSeats"], plan["purchasedSeats"]) for plan in plans if plan["type"] == plan_type)

    def users(self) -> dict[str, Row]:
        """Return the provider's users by e-mail."""
        return {row["email"]: row for row in self.ask("GET", "/users").json()["data"]}

    def invite(self, *emails: str, role: int = 1) -> Answer:
        """Invite provider users."""
        return self.ask("POST", "/users/invite", body={"emails": list(emails), "type": role})

    def events(self) -> list[int]:
        """Return the types of the provider's events, oldest first."""
        return [event["type"] for event in reversed(self.ask("GET", "/events").json()["data"])]
