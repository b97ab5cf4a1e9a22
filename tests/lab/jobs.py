"""What a self-hosted server does by itself. Source: bitwarden/server src/Api/Jobs/*, LicensingService.cs."""

from __future__ import annotations

from tests.lab import sponsorship_sync
from tests.lab.core import Refusal, World, iso, parse
from tests.lab.license_checks import claims_of, from_claims, parse_stored, signature_holds
from tests.lab.license_routes import licensed
from tests.lab.state import Row

# Compared only when the license claims them.
_OPTIONAL = ("useMyItems", "useInviteLinks", "usePam")
_NOT_COMPARED = ("billingEmail", "businessName", "expirationDate", "plan")


def sync_sponsorships(world: World, organization_id: str) -> str:
    """The daily job of one organization, which is also the portal's Manually Sync."""
    text = sponsorship_sync.send(world, organization_id)
    if text not in ("", "Billing Synced!"):
        name = (world.get("organization", organization_id) or {}).get("name")
        world.core.selfhost.log.append(f"Sponsorship sync for organization {name} Failed: {text}")
    return text


def validate_licenses(world: World) -> None:
    """Disable every organization whose license does not hold; a token that cannot be read is only logged."""
    for row in world.find("organization", enabled=True):
        try:
            reason = _reason(world, row)
        except Refusal as refusal:
            world.core.selfhost.log.append(f"Organization {row['id']} ({row['name']}): {refusal.message}")
            continue
        if reason:
            stored = world.core.selfhost.read_license(row["id"]) or {}
            world.put("organization", {**row, "enabled": False, "expirationDate": stored.get("Expires") or iso(world.now())})
            world.mail(row["billingEmail"], "License Expired", f"The license of {row['name']} has expired.")
            told = f"has an invalid license and is being disabled. Reason: {reason}"
            world.core.selfhost.log.append(f"Organization {row['id']} ({row['name']}) {told}")


def _reason(world: World, row: Row) -> str | None:
    stored = world.core.selfhost.read_license(row["id"])
    if stored is None:
        return "No license file."
    if len(world.find("organization", licenseKey=row["licenseKey"], enabled=True)) > 1:
        return "Multiple organizations."
    found = parse_stored(stored)
    claims = claims_of(world, found)
    if not _agrees(world, from_claims(found, claims) if claims else found, row, claims):
        return "Invalid data."
    if claims is None and not signature_holds(found):
        return "Invalid signature."
    return None


def _agrees(world: World, found: Row, row: Row, claims: Row | None) -> bool:
    ends = found["expires"]
    if parse(found["issued"]) > world.now() or not ends or parse(ends) < world.now():
        return False
    if found["installationId"].lower() != world.core.selfhost.setting("installation__id").lower():
        return False
    skipped = {*_NOT_COMPARED, *(name for name in _OPTIONAL if claims is None or name[:1].upper() + name[1:] not in claims)}
    if not found["useRiskInsights"]:
        skipped.add("useRiskInsights")
    return all(row[name] == value for name, value in licensed(found).items() if name not in skipped)
