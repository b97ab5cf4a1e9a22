# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Organization licenses: whether a server will take one, and whether it differs from another.

Source: bitwarden/server src/Core/Billing/Organizations/ (ac309aa19e): OrganizationLicense.cs, SelfHostedOrganizationDetails.cs.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import ABILITIES, GET_FRESH, LIMITS, License

# The cloud's own refresh interval: an otherwise equal file is worth applying when the stored one ends sooner than this.
RENEWAL_MARGIN = timedelta(days=30)

# First server release that accepts a license format version (of a license without a token).
_ACCEPTED_SINCE = {
    (1, 45, 0): 9,
    (2022, 8, 0): 10,
    (2022, 12, 0): 11,
    (2023, 5, 0): 12,
    (2023, 10, 0): 13,
    (2024, 1, 0): 15,
    (2025, 5, 2): 16,
}
_READS_TOKENS = (2025, 1, 0)

_DATES = {"expires": "expiration", "expirationWithoutGracePeriod": "expirationWithoutGracePeriod"}  # ours: the subscription's
_SHOWN = ("name", "plan", "planType", *LIMITS, *ABILITIES, *_DATES)

# Claims that differ between two downloads of one entitlement.
_PER_DOWNLOAD = frozenset({"Issued", "Refresh", "jti", "nbf", "iat", "exp"})
_ENDS = frozenset({"Expires", "ExpirationWithoutGracePeriod"})
# The server compares these only where the license knows them, so that an older license fits a newer server.
_OPTIONAL_ABILITIES = ("useMyItems", "useInviteLinks", "usePam")

# --- judging ---------------------------------------------------------------------------------------------------------


def refusals(
    license: License,
    installation_id: str | None,
    now: datetime,
    *,
    server_version: tuple[int, ...] | None = None,
    occupied_seats: int | None = None,
    cloud_organization_id: str | None = None,
    current_expires: datetime | None = None,
    creating: bool = False,
) -> list[SelfhostError]:
    """Return every reason why this license must not be applied, each with its remedy. None skips a question.

    Args:
        license: the candidate.
        installation_id: the server's own.
        now: the present, with a time zone.
        server_version: such as C((2026, 8, 0)).
        occupied_seats: members that are invited, accepted or confirmed, and unfinished admin-initiated sponsorships.
        cloud_organization_id: that of the license in force, unless replacing it is wanted.
        current_expires: end of the license in force; to be left out for a license that was just downloaded.
        creating: the license will create its organization, where the server is stricter.
    """
    seats, expired = license.seats, _past(license.expires, now)
    refused: dict[str, bool] = {
        "installation": installation_id is not None and license.installation_id != installation_id.lower(),
        "organization": cloud_organization_id is not None and license.id != cloud_organization_id.lower(),
        "disabled": not license.values["enabled"],
        "no_self_host": not license.values["selfHost"],
        "expired": expired,
        "token_expired": _past(license.token_expires, now),
        "not_yet": license.starts is not None and license.starts > now,
        "too_new": server_version is not None and _too_new(license, server_version),
        "seats": seats is not None and occupied_seats is not None and occupied_seats > seats,
        "older": not expired and _earlier(license.expires, current_expires),
        "no_type": creating and license.kind != 1,
    }
    facts = {
        "license": license,
        "installation_id": installation_id,
        "cloud_organization_id": cloud_organization_id,
        "expires": show_date(license.expires),
        "token_expires": show_date(license.token_expires),
        "version": license.file["version"],
        "occupied_seats": occupied_seats,
        "current_expires": show_date(current_expires),
    }
    return [
        SelfhostError(cause.format(**facts), field="license", remedy=remedy)
        for reason, (cause, remedy) in _REASONS.items()
        if refused[reason]
    ]


_REASONS = {
    "installation": (
        "The license is for the installation {license.installation_id}, this server is {installation_id}.",
        "Download the license again with this server's installation id.",
    ),
    "organization": (
        "The license is for the cloud organization {license.id}; the one in force is for {cloud_organization_id}.",
        "Check which organization this server belongs to before its license is replaced.",
    ),
    "disabled": (
        "The license is of an organization that is disabled in the cloud.",
        "Settle its subscription in the cloud, then download the license again.",
    ),
    "no_self_host": (
        "The license does not allow self-hosting.",
        "Change to a plan with self-hosting, then download the license again.",
    ),
    "expired": (
        "The license expired on {expires}.",
        "Renew the subscription in the cloud, then download the license again.",
    ),
    "token_expired": ("The license's token expired on {token_expires}; a file is good for one year.", GET_FRESH),
    "not_yet": ("The license is dated in the future.", "Set the clocks of this machine and of the server right."),
    "too_new": ("The server does not accept license version {version}.", "Update the server, then apply the license again."),
    "seats": (
        "The license has {license.seats} seats, but {occupied_seats} are occupied on the server.",
        "Buy seats in the cloud and download the license again, or remove or revoke members.",
    ),
    "older": (
        "The license expires on {expires}, before the one in force ({current_expires}): it is an older file.",
        GET_FRESH,
    ),
    "no_type": ("The license does not say that it is an organization's, which creating one needs.", GET_FRESH),
}


def _earlier(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _past(date: datetime | None, now: datetime) -> bool:
    return date is not None and date <= now


def _too_new(license: License, server: tuple[int, ...]) -> bool:
    if license.claims and server >= _READS_TOKENS:
        return False
    accepted = max((version for since, version in _ACCEPTED_SINCE.items() if server >= since), default=0)
    return t.cast(int, license.file["version"] or 0) > accepted


# --- comparing -------------------------------------------------------------------------------------------------------


def same_entitlement(a: License, b: License, *, ends: bool = True) -> bool:
    """Say whether two files grant the same; two downloads never give equal files. C(ends=False) leaves their ends out."""
    if (a.id, a.license_key) != (b.id, b.license_key):
        return False
    if a.claims and b.claims:
        return _lasting(a, ends) == _lasting(b, ends)
    return not a.claims and not b.claims and a.file["hash"] is not None and a.file["hash"] == b.file["hash"]


def _lasting(license: License, ends: bool) -> dict[str, t.Any]:
    skipped = _PER_DOWNLOAD if ends else _PER_DOWNLOAD | _ENDS
    return {name: value for name, value in license.claims.items() if name not in skipped}


def matches_subscription(
    license: License,
    subscription: t.Mapping[str, t.Any],
    organization: t.Mapping[str, t.Any] | None,
    *,
    applies_claims: bool = True,
) -> bool:
    """Say whether a server already has what this license grants, as far as its API tells.

    The API does not show when the stored file's token ends.

    Args:
        license: the candidate.
        subscription: answer of C(GET organizations/{id}/subscription).
        organization: its entry in C(GET organizations), which alone says whether it is enabled; None skips that.
        applies_claims: whether an update takes everything from the token, as servers since 2026.1.0 do.
    """
    if organization is not None and organization.get("enabled") is not license.values["enabled"]:
        return False
    return changes(subscription, license, applies_claims=applies_claims) == ({}, {})


def changes(
    before: License | t.Mapping[str, t.Any] | None, after: License, *, applies_claims: bool = True
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the fields that differ, the C(before) and C(after) of a change. No key, token or e-mail address is among them.

    Args:
        before: the stored license, or the answer of C(GET organizations/{id}/subscription), or None for a first license.
        after: the candidate.
        applies_claims: see C(matches_subscription).
    """
    new = _of_license(after)
    if before is None:
        return {}, new
    if isinstance(before, License):
        old, skipped = _of_license(before), set[str]()
    else:
        old, skipped = _of_subscription(before), _incomparable(after, applies_claims)
    names = [name for name in new if name in old and name not in skipped and old[name] != new[name]]
    return {name: old[name] for name in names}, {name: new[name] for name in names}


def _of_license(license: License) -> dict[str, t.Any]:
    values = ((name, license.values[name]) for name in _SHOWN)
    return {name: show_date(value) if isinstance(value, datetime) else value for name, value in values}


def _of_subscription(subscription: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what a subscription says under the license's names; what an older server does not say is left out."""
    known = {name: subscription[_DATES.get(name, name)] for name in _SHOWN if _DATES.get(name, name) in subscription}
    return {name: show_date(parse_date(value)) if name in _DATES and value else value for name, value in known.items()}


def _incomparable(license: License, applies_claims: bool) -> set[str]:
    """Return the fields in which a server may rightly differ from the license that it has."""
    names = {"plan"}  # a display name; planType is what counts
    names.update(name for name in ("planType", "expirationWithoutGracePeriod") if license.values[name] is None)
    if license.claims:
        names.update(name for name in _OPTIONAL_ABILITIES if name[0].upper() + name[1:] not in license.claims)
    if not license.values["useRiskInsights"]:
        names.add("useRiskInsights")
    if not applies_claims:
        names.update(name for name in ABILITIES if license.file[name] != license.values[name])
    return names
