"""What a self-hosted server looks at before it applies a license; exact texts and order.

Source: bitwarden/server OrganizationLicense.cs (CanUse), UpdateOrganizationLicenseCommand.cs, LicensingService.cs.
"""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

from tests.lab import crypto
from tests.lab.core import Refusal, World, bad_request, parse
from tests.lab.license_files import SIGNED, SIGNING_KEY, UNSIGNED, claim_date, data_string, pascal
from tests.lab.state import Row
from tests.lab.web import guid

_TYPES = {**{name: kind for name, (kind, _unused) in SIGNED.items()}, **UNSIGNED}
_DEFAULTS: Row = {"bool": False, "int": 0, "guid": "00000000-0000-0000-0000-000000000000", "date": "0001-01-01T00:00:00"}
_TRUE_BY_DEFAULT = ("limitCollectionCreationDeletion", "allowAdminAccessToAllCollectionItems")


class TokenRefused(Exception):
    """The embedded token does not hold; the text is the library's."""


def parse_license(data: bytes) -> Row:
    """Read a license in any casing into wire names with defaults. Refuses what is not JSON or has wrong value types."""
    try:
        found = json.loads(data.decode("utf-8-sig"))
        given = {str(name).lower(): value for name, value in found.items()}
        return {name: _typed(kind, given.get(name.lower()), name) for name, kind in _TYPES.items()}
    except (ValueError, AttributeError, TypeError, Refusal):
        raise bad_request("Invalid license") from None


def parse_stored(stored: Row) -> Row:
    """Read a license from the server's own directory: PascalCase only, everything else is not seen."""
    names = {pascal(name) for name in _TYPES}
    return parse_license(json.dumps({name: value for name, value in stored.items() if name in names}).encode())


def _typed(kind: str, value: t.Any, name: str) -> t.Any:
    if value is None:
        return True if name in _TRUE_BY_DEFAULT else _DEFAULTS.get(kind)
    expected: dict[str, type] = {"bool": bool, "int": int, "number": int}
    right = value.__class__ is expected.get(kind, str)
    if not right:
        raise TypeError(name)
    if kind.startswith("date"):
        parse(value)
    return guid(value) if kind == "guid" else value


def verified_claims(token: str, audience: str, now: datetime) -> Row:
    """Return the claims of a license's token. Raises TokenRefused with the library's text; there is no clock skew."""
    claims = crypto.jwt_decode(token, SIGNING_KEY.public_key())
    if claims is None:
        raise TokenRefused("IDX10511: Signature validation failed. Keys tried: 'System.Text.StringBuilder'.")
    if claims.get("iss") != "bitwarden":
        raise TokenRefused(f"IDX10205: Issuer validation failed. Issuer: '{claims.get('iss')}'.")
    if claims.get("aud") != audience:
        raise TokenRefused(f"IDX10214: Audience validation failed. Audiences: '{claims.get('aud')}'.")
    current = f"Current time (UTC): '{_net(now.timestamp())}'."
    if claims["nbf"] > now.timestamp():
        valid = f"ValidFrom (UTC): '{_net(claims['nbf'])}', {current}"
        raise TokenRefused(f"IDX10222: Lifetime validation failed. The token is not yet valid. {valid}")
    if claims["exp"] < now.timestamp():
        valid = f"ValidTo (UTC): '{_net(claims['exp'])}', {current}"
        raise TokenRefused(f"IDX10223: Lifetime validation failed. The token is expired. {valid}")
    return claims


def _net(seconds: float) -> str:
    """A moment as .NET prints it in messages."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"


def claims_of(world: World, license_row: Row) -> Row | None:
    """Return the verified claims of a license, None for a license without a token; refuse a token that does not hold."""
    if not license_row["token"]:
        return None
    try:
        return verified_claims(license_row["token"], f"organization:{license_row['id']}", world.now())
    except TokenRefused as refused:
        raise bad_request(f"Invalid license. {refused}") from None


def from_claims(license_row: Row, claims: Row) -> Row:
    """Return the license with every value taken from its claims: absent means null or false."""
    values = {name: _unclaimed(kind, claims.get(pascal(name)), name) for name, kind in _TYPES.items()}
    kept = {name: license_row[name] for name in ("version", "hash", "signature", "token")}
    return {**values, **kept}


def _unclaimed(kind: str, text: str | None, name: str) -> t.Any:
    if name == "licenseType":
        return 1 if text == "Organization" else 0
    if kind == "bool":
        return text == "True"
    if text is None:
        return _DEFAULTS.get(kind)
    if kind.startswith("date"):
        return claim_date(text)
    return int(text) if kind in ("int", "number") else text


def check_usable(world: World, license_row: Row, claims: Row | None) -> None:
    """The CanUse checks: all that fail are told at once."""
    seen = from_claims(license_row, claims) if claims else license_row
    failed = []
    if not seen["enabled"]:
        failed.append("Your cloud-hosted organization is currently disabled.")
    if claims is None:
        failed += _token_less(world, license_row)
    if seen["installationId"].lower() != world.core.selfhost.setting("installation__id", "").lower():
        failed.append("The installation ID does not match the current installation.")
    if not seen["selfHost"]:
        failed.append("The license does not allow for on-premise hosting of organizations.")
    if seen["licenseType"] not in ((1,) if claims else (1, None)):
        failed.append(world.text("premium"))
    if claims is None and not signature_holds(license_row):
        failed.append("The license verification failed.")
    if failed:
        raise bad_request("Invalid license. " + "\n".join(failed))


def _token_less(world: World, license_row: Row) -> list[str]:
    if not 1 <= license_row["version"] <= 16:
        raise bad_request(f"Version {license_row['version']} is not supported.")  # the signature step raises first
    failed = []
    if parse(license_row["issued"]) > world.now():
        failed.append("The license hasn't been issued yet.")
    if license_row["expires"] is None or parse(license_row["expires"]) < world.now():
        failed.append("The license has expired.")
    return failed


def signature_holds(license_row: Row) -> bool:
    """Check the signature of a license without a token."""
    try:
        signature = crypto.unb64(license_row["signature"] or "")
    except ValueError:
        return False
    return crypto.rsa_verify(data_string(license_row).encode(), signature, SIGNING_KEY.public_key())


def occupied_seats(world: World, organization_id: str) -> int:
    """Members that are not revoked, and admin-initiated sponsorships."""
    members = [row for row in world.find("member", organizationId=organization_id) if row["status"] in (0, 1, 2)]
    return len(members) + len(world.find("sponsorship", sponsoringOrganizationId=organization_id, isAdminInitiated=True))


# What an organization may hold although its license no longer allows it: (ability, kind of row, which, how many, message).
# Groups: one is tolerated. Source: SelfHostedOrganizationDetails.cs
_HAS, _NO_USE = "Your organization currently has ", "Your new license does not allow for the use of "
_FITS: tuple[tuple[str, str, Row, int, str], ...] = (
    ("useGroups", "group", {}, 1, _HAS + "{n} groups. " + _NO_USE + "groups. Remove all groups."),
    (
        "usePolicies",
        "policy",
        {"enabled": True},
        0,
        _HAS + "{n} enabled policies. " + _NO_USE + "policies. Disable all policies.",
    ),
    ("useSso", "sso", {"enabled": True}, 0, _HAS + "a SSO configuration. " + _NO_USE + "SSO. Disable your SSO configuration."),
    (
        "useKeyConnector",
        "sso",
        {"keyConnector": True},
        0,
        _HAS + "Key Connector enabled. " + _NO_USE + "Key Connector. Disable your Key Connector.",
    ),
    (
        "useScim",
        "connection",
        {"type": 2, "enabled": True},
        0,
        "Your new plan does not allow the SCIM feature. Disable your SCIM configuration.",
    ),
    (
        "useCustomPermissions",
        "member",
        {"type": 4},
        0,
        "Your new plan does not allow the Custom Permissions feature. Disable your Custom Permissions configuration.",
    ),
    (
        "useResetPassword",
        "policy",
        {"type": 8, "enabled": True},
        0,
        "Your new license does not allow the Password Reset feature. Disable your Password Reset policy.",
    ),
)


def check_contents(world: World, new: Row, organization_id: str) -> None:
    """What the organization already holds must fit; the first that does not is told."""
    seats, collections = occupied_seats(world, organization_id), len(world.find("collection", organizationId=organization_id))
    if new["seats"] is not None and seats > new["seats"]:
        raise bad_request(f"{_HAS}{seats} seats filled. Your new license only has ({new['seats']}) seats. Remove some users.")
    if new["maxCollections"] is not None and collections > new["maxCollections"]:
        allowed = f"Your new license allows for a maximum of ({new['maxCollections']}) collections."
        raise bad_request(f"{_HAS}{collections} collections. {allowed} Remove some collections.")
    for ability, kind, match, most, text in _FITS:
        count = len(world.find(kind, organizationId=organization_id, **match))
        if not new[ability] and count > most:
            raise bad_request(text.format(n=count))
