"""Between Flask and the rooms: which world is asked, by whom, and with what body."""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request

from tests.lab import crypto
from tests.lab.core import Refusal, World, bad_request, invalid, not_found
from tests.lab.people import KEYS
from tests.lab.state import Row

# role: its claim in an access token
ROLE_CLAIMS = {0: "orgowner", 1: "orgadmin", 2: "orguser", 4: "orgcustom"}
TOKEN_KEY = crypto.load_private(KEYS["access tokens"]["private"])


def here() -> World:
    """The world that this request came to."""
    return t.cast(World, request.environ["lab.world"])


class Fields(dict[str, t.Any]):
    """A JSON object whose names are read in any case, as ASP.NET does."""

    def __init__(self, source: t.Mapping[str, t.Any]) -> None:
        super().__init__({key.lower(): value for key, value in source.items()})

    def get(self, key: str, default: t.Any = None) -> t.Any:
        """Return a value by its name in any case."""
        return super().get(key.lower(), default)


def body() -> Fields:
    """Return the JSON object of the request."""
    data = request.get_data()
    if not data:
        raise invalid("", "Body is empty.")
    try:
        found = json.loads(data)
    except ValueError:
        raise invalid("$", "The JSON value could not be converted.") from None
    if not isinstance(found, dict):
        raise invalid("$", "The JSON value could not be converted.")
    return Fields(found)


def guids(fields: Fields, name: str) -> list[str]:
    """Return a list of GUIDs of a request that may be absent."""
    wrong = "The JSON value could not be converted to System.Guid."
    return [guid(one, invalid(f"$.{name}[{number}]", wrong)) for number, one in enumerate(fields.get(name) or [])]


def guid(text: t.Any, refusal: Refusal | None = None) -> str:
    """Return a GUID in its usual spelling, or refuse (404 unless told otherwise)."""
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise refusal or not_found() from None


def answer(data: t.Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(data), status, content_type="application/json; charset=utf-8")


def empty() -> Response:
    """Return 200 without a body, which is of no kind then."""
    response = Response(b"", 200)
    del response.headers["Content-Type"]
    return response


def listed(rows: t.Iterable[Row]) -> Response:
    """Return a list in the API's wrapper."""
    return answer({"data": list(rows), "continuationToken": None, "object": "list"})


def cloud_only() -> World:
    """Refuse on a self-hosted server."""
    if not here().cloud:
        raise bad_request("Only allowed when not self hosted.")
    return here()


def selfhost_only() -> World:
    """Refuse in the cloud."""
    if here().cloud:
        raise bad_request("Only allowed when self hosted.")
    return here()


def issue(world: World, claims: Row, seconds: int = 3600) -> str:
    """Return an access token. Its claims stay as they are now until it ends."""
    now = int(world.now().timestamp())
    return crypto.jwt_encode({"iss": world.issuer, "nbf": now, "iat": now, "exp": now + seconds, **claims}, TOKEN_KEY, "at+jwt")


@functools.lru_cache
def _signed(token: str) -> Row | None:
    """What a genuine token says; one token comes with many requests."""
    return crypto.jwt_decode(token, TOKEN_KEY.public_key())


def _claims() -> Row:
    kind, _unused, token = request.headers.get("Authorization", "").partition(" ")
    claims = _signed(token) if kind.lower() == "bearer" else None
    world = here()
    if not claims or claims["iss"] != world.issuer or claims["exp"] <= world.now().timestamp():
        raise Refusal(401, headers={"WWW-Authenticate": "Bearer"})
    return claims


@dataclass(frozen=True)
class Caller:
    """The user behind an access token, with the memberships frozen in it."""

    world: World
    claims: Row

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.claims["sub"])

    @property
    def row(self) -> Row:
        """The user's account."""
        found = self.world.get("user", self.id)
        if not found:
            raise Refusal(401, "Unauthorized.")
        return found

    def _in(self, claim: str, row_id: str) -> bool:
        held = self.claims.get(claim, [])
        return row_id in ([held] if isinstance(held, str) else held)

    def provides(self, organization: str) -> bool:
        """Say whether the caller is a user of the provider that an organization is linked to, now and not in the token."""
        link = self.world.one("provider_organization", organizationId=organization)
        return (
            link is not None
            and self.world.one("provider_user", providerId=link["providerId"], userId=self.id, status=2) is not None
        )

    def only_provides(self, organization: str) -> bool:
        """Say whether the caller comes to an organization through its provider alone."""
        return self.role(organization) is None and self.provides(organization)

    def administers(self, provider: str) -> bool:
        """Say whether the token is one of a provider's admin."""
        return self._in("providerprovideradmin", provider)

    def serves(self, provider: str) -> bool:
        """Say whether the token is one of a provider's user, in any role."""
        return self.administers(provider) or self._in("providerserviceuser", provider)

    def owns(self, organization: str) -> bool:
        """Owner, or provider user."""
        return self._in("orgowner", organization) or self.provides(organization)

    def may(self, permission: str, organization: str) -> bool:
        """Owner, admin, custom member with that permission claim (such as C(manageusers)), or provider user."""
        return self.owns(organization) or any(self._in(claim, organization) for claim in ("orgadmin", permission))

    def role(self, organization: str) -> int | None:
        """The role of a confirmed member, None for anybody else."""
        return next((role for role, claim in ROLE_CLAIMS.items() if self._in(claim, organization)), None)

    def granted(self, permission: str, organization: str) -> bool:
        """Say whether the token of a custom member carries a permission claim."""
        return self.role(organization) == 4 and self._in(permission, organization)

    def member_of(self, organization: str) -> bool:
        """Confirmed member, in any role."""
        return self.role(organization) is not None


def caller() -> Caller:
    """The user who sent this request."""
    claims = _claims()
    if "api" not in claims["scope"] or not claims.get("amr"):
        raise Refusal(403)
    return Caller(here(), claims)


def owned(organization: str) -> tuple[Caller, Row]:
    """The caller and an organization that he owns; 404 otherwise."""
    who = caller()
    row = here().get("organization", guid(organization))
    if not row or not who.owns(row["id"]):
        raise not_found()
    return who, row


def calling_machine(scope: str, *parts: str) -> str:
    """The id of the installation or organization that sent this request with a token of that scope, or of all its C(parts)."""
    claims = _claims()
    if scope not in claims["scope"] and not (parts and set(parts) <= set(claims["scope"])):
        raise Refusal(403)
    return str(claims["client_id"]).split(".")[1]


def proven(who: Caller, fields: Fields, field: str, text: str) -> None:
    """Check the secret proof of a request: master password hash, or a one-time code."""
    proof, code = fields.get("masterPasswordHash"), fields.get("otp")
    if not proof and not code:
        raise invalid("", "MasterPasswordHash, OTP, or AccessCode must be supplied.")
    row = who.row
    if proof != row["passwordHash"] and not (code and code == row.get("otp")):
        raise invalid(field, text, delay=2)
