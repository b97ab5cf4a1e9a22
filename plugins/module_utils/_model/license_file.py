# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Organization license files: what they say.

Only Bitwarden can sign a license, and the server verifies the signature; here a license is read, never verified.
Source: bitwarden/server src/Core/Billing/Organizations/Models/OrganizationLicense.cs and src/Core/Billing/Licenses/ (ac309aa19e).
"""

from __future__ import annotations

import base64
import json
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import from_epoch, parse_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

MAX_BYTES = 51_200
GET_FRESH = "Download the license again from the cloud and use that file whole."

ABILITIES = tuple(
    "useGroups useDirectory useEvents useTotp use2fa useApi usePolicies useSso useResetPassword useKeyConnector useScim"
    " useCustomPermissions usersGetPremium usePasswordManager useSecretsManager useOrganizationDomains useRiskInsights"
    " useAdminSponsoredFamilies useAutomaticUserConfirmation usePhishingBlocker useDisableSmAdsForUsers useMyItems"
    " useInviteLinks usePam".split()
)
LIMITS = ("seats", "maxCollections", "smSeats", "smServiceAccounts")
_TYPES = {
    **dict.fromkeys((*ABILITIES, "enabled", "selfHost", "trial"), "bool"),
    **dict.fromkeys((*LIMITS, "planType", "version"), "int"),
    **dict.fromkeys(("issued", "refresh", "expires", "expirationWithoutGracePeriod"), "date"),
    **dict.fromkeys(("id", "installationId", "licenseKey", "name", "billingEmail", "businessName", "plan"), "text"),
    **dict.fromkeys(("hash", "signature", "token"), "text"),
}
_JSON_TYPES: dict[str, type] = {"bool": bool, "int": int, "date": str, "text": str}

Value = t.Union[str, int, bool, datetime, None]


@dataclass(frozen=True)
class License:
    """A parsed organization license. Only its id and name are in its C(repr).

    Attributes:
        id: the B(cloud) organization's id; on the server the organization has another one.
        name: the organization's name.
        content: the bytes as they were given, which is what is uploaded.
        values: every known property by its camelCase name, from the token where there is one, as the server does it.
        file: the same properties as the file itself states them.
        claims: the token's payload as it stands, or empty.
        kind: the file's own C(licenseType): 1 organization, None when it is not stated.
    """

    id: str
    name: str
    content: bytes = field(repr=False)
    values: t.Mapping[str, Value] = field(repr=False)
    file: t.Mapping[str, Value] = field(repr=False)
    claims: t.Mapping[str, t.Any] = field(repr=False)
    kind: int | None = field(repr=False)

    @property
    def expires(self) -> datetime | None:
        """The subscription's end, its grace period included."""
        return t.cast("datetime | None", self.values["expires"])

    @property
    def issued(self) -> datetime | None:
        """When the cloud made this file."""
        return t.cast("datetime | None", self.values["issued"])

    @property
    def starts(self) -> datetime | None:
        """When the server begins to accept it; there is no allowance for clocks that differ."""
        return from_epoch(self.claims["nbf"]) if "nbf" in self.claims else self.issued

    @property
    def token_expires(self) -> datetime | None:
        """The token's own end: one year after it was issued, whatever the subscription says."""
        return from_epoch(self.claims["exp"]) if self.claims else None

    @property
    def end_of_life(self) -> datetime | None:
        """When this file stops working: the earlier of the subscription's and the token's end."""
        return min((date for date in (self.expires, self.token_expires) if date is not None), default=None)

    @property
    def seats(self) -> int | None:
        """How many members it pays for; None means without limit."""
        return t.cast("int | None", self.values["seats"])

    @property
    def installation_id(self) -> str:
        """The one installation that accepts it."""
        return str(self.values["installationId"]).lower()

    @property
    def license_key(self) -> str:
        """Secret: the subscription's identity."""
        return str(self.file["licenseKey"])


def parse(content: bytes | str) -> License:
    """Read a license file in any casing, refusing one that is damaged or of another kind.

    Raises SelfhostError, and nothing else, whatever the bytes are.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(raw) > MAX_BYTES:
        raise _broken(f"it is {len(raw)} bytes long; a server takes at most {MAX_BYTES}")
    members = _members(raw)
    claims = _claims(members["token"]) if members.get("token") else {}
    kind = _kind(members, claims)
    file = {name: _from_json(name, members.get(name.lower())) for name in _TYPES}
    values = {name: _from_claim(name, claims.get(name[0].upper() + name[1:])) for name in _TYPES} if claims else file
    if not file["id"] or not file["licenseKey"] or not values["installationId"]:
        raise _broken("it lacks its id, license key or installation id")
    return License(str(file["id"]).lower(), str(values["name"] or ""), raw, values, file, claims, kind)


def _broken(why: str) -> SelfhostError:
    return SelfhostError(f"The license file is not usable: {why}.", field="license", remedy=GET_FRESH)


def _members(raw: bytes) -> dict[str, t.Any]:
    """Return the file's members by lower-case name: the server reads them in any casing."""
    text = ""
    try:
        text = raw.decode("utf-8-sig")
        found = json.loads(text, object_pairs_hook=_lower_case, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _broken(_json_problem(text, error)) from None
    except (ValueError, RecursionError):
        raise _broken("it is not JSON") from None
    if not isinstance(found, dict):
        raise _broken("it is not a JSON object")
    return found


def _lower_case(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    members = {name.lower(): value for name, value in pairs}
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is not JSON")


def _json_problem(text: str, error: json.JSONDecodeError) -> str:
    if not text.lstrip().startswith("{"):
        return "it is not JSON" if text.strip() else "it is empty"
    if error.msg == "Extra data":
        return f"something follows after its end (line {error.lineno}), as after an interrupted overwrite"
    torn = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    return "it ends too early, it was cut off" if torn else f"it is not JSON (line {error.lineno})"


def _claims(token: t.Any) -> dict[str, t.Any]:
    """Return a JWT's payload without verifying it; the server does that."""
    try:
        _header, payload, _signature = token.split(".")
        plain = base64.b64decode(payload + "=" * (-len(payload) % 4), b"-_", validate=True)
        found = json.loads(plain, parse_constant=_refuse_constant)
        dates = [from_epoch(found[name]) for name in ("exp", "nbf") if name == "exp" or name in found]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        dates = []
    if not dates:
        raise _broken("the token in it is damaged")
    return t.cast("dict[str, t.Any]", found)


def _kind(members: t.Mapping[str, t.Any], claims: t.Mapping[str, t.Any]) -> int | None:
    stated = members.get("licensetype")
    if isinstance(stated, bool) or stated not in (None, 0, 1):
        raise _broken("licenseType is neither 0 nor 1")
    guessed = stated is None and "premium" in members and "installationid" not in members
    if guessed or (stated == 0 and not claims) or claims.get("LicenseType") == "User":
        raise SelfhostError(
            "This is the premium license of a person, not the license of an organization.",
            field="license",
            remedy="Download the license on the organization's subscription page; this one belongs into the person's account.",
        )
    return None if stated is None else int(stated)


def _from_json(name: str, value: t.Any) -> Value:
    kind = _TYPES[name]
    if value is None:
        return False if kind == "bool" else None
    if not isinstance(value, _JSON_TYPES[kind]) or (kind == "int" and isinstance(value, bool)):
        raise _broken(f"{name} is not of type {kind}")
    return _checked(name, value, parse_date)


def _from_claim(name: str, value: t.Any) -> Value:
    """Read one claim: claims are always strings, and one that is left out is null or false."""
    kind = _TYPES[name]
    if value is None:
        return False if kind == "bool" else None
    if not isinstance(value, str):
        raise _broken(f"{name} in its token is not text")
    if kind == "bool" and value in ("True", "False"):
        return value == "True"
    if kind == "int" and value.isascii() and value.isdigit() and len(value) <= 10:
        return int(value)
    if name == "planType":  # tokens made before 2025.12 spell it by its name
        return None
    if kind in ("bool", "int"):
        raise _broken(f"{name} in its token is not of type {kind}")
    return _checked(name, value, _claim_date)


def _claim_date(text: str) -> datetime:
    return datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=timezone.utc)


def _checked(name: str, value: t.Any, to_date: t.Callable[[str], datetime]) -> Value:
    try:
        if isinstance(value, str):
            value.encode()  # half a surrogate pair is legal in JSON but cannot be written anywhere
        return t.cast(Value, to_date(value) if _TYPES[name] == "date" else value)
    except ValueError:
        raise _broken(f"{name} is not of type {_TYPES[name]}") from None
