# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What licensing and billing sync need, checked before anything is changed; every problem is reported at once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._client import api_keys, organizations
from ansible_collections.bw.selfhost.plugins.module_utils._client.account import Account
from ansible_collections.bw.selfhost.plugins.module_utils._client.http import ApiError
from ansible_collections.bw.selfhost.plugins.module_utils._model.dates import parse_date, show_date
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import Problems, SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Region
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import cloud_installation
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.local_organization import is_owner, not_owner, occupied_seats
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.scene import (
    Params,
    Scene,
    Skipped,
    Values,
    expires_of,
    health_of,
)

PLANS_WITH_BILLING_SYNC = (2, 3)  # product tiers Teams and Enterprise


class Notice(Exception):
    """Not as it will be, but a later task mends it."""


# --- the checks: each returns what it found, or raises SelfhostError, Notice or Skipped --------------------------------


def _version(scene: Scene) -> str:
    for ability, loss in (("license sync", "cannot sync licenses"), ("current licenses", "refuses the cloud's current licenses")):
        if not scene.server.supports(ability):
            raise SelfhostError(
                f"The server {scene.server.version} {loss}.", field="server_url", remedy="Back it up and update it first."
            )
    return scene.server.version


def _cloud_communication(scene: Scene) -> str:
    if scene.cloud_communication:
        return "on"
    if scene.params["planned_cloud_communication"]:
        raise Notice("off now; a later task turns it on")
    raise SelfhostError(
        "Cloud communication is off on the server.",
        field="globalSettings__enableCloudCommunication",
        remedy="Set it to true in global.override.env and restart the server (role bw.selfhost.server).",
    )


def _installation(scene: Scene) -> str:
    if scene.cloud is None or not scene.params["installation_id"]:
        raise Skipped
    cloud_installation.look_up(scene.cloud, scene.params["installation_id"], "installation_id")
    return "known in this region, and enabled"


def _installation_key(scene: Scene) -> str:
    if scene.cloud is None or not scene.params["installation_id"] or not scene.params["installation_key"]:
        raise Skipped
    cloud_installation.prove(scene.cloud, scene.params["installation_id"], scene.params["installation_key"], "installation_key")
    return "id and key belong together"


def _configured(scene: Scene) -> str:
    refuse_all(configured_problems(scene.params["configured"], scene.params["installation_id"], scene.region))
    return "agrees with the region and the installation id"


def _cloud_organization(scene: Scene) -> str:
    cloud, organization_id = scene.needs_cloud()
    found = scene.cloud_organization
    if not found["selfHost"] or found["plan"]["productTier"] not in PLANS_WITH_BILLING_SYNC:
        raise SelfhostError(
            f"The plan of {found['name']} in the cloud ({found['plan']['name']}) does not allow self-hosting with billing sync.",
            field="cloud_organization_id",
            remedy="Change to the Enterprise plan in the cloud.",
        )
    # A provider's client is not among the user's own organizations; for it the license itself will tell.
    own = next((one for one in organizations.mine(cloud) if one["id"].lower() == organization_id.lower()), None)
    if own is not None and not own["enabled"]:
        raise SelfhostError(
            f"{found['name']} is disabled in the cloud.",
            field="cloud_organization_id",
            remedy="Settle its subscription in the cloud.",
        )
    return f"{found['name']}, {found['plan']['name']}"


def _local_organization(scene: Scene) -> str:
    if scene.entry is None:
        raise Notice("the server does not have it yet; its first license creates it")
    return f"{scene.entry['name']} ({scene.entry['id']})"


def _role(scene: Scene) -> str:
    if scene.entry is None:
        raise Skipped
    if not is_owner(scene.entry):
        raise not_owner(scene.entry["name"])
    return "owner"


def _seats(scene: Scene) -> str:
    if scene.entry is None or not is_owner(scene.entry):
        raise Skipped
    scene.needs_cloud()
    bought, now = scene.cloud_organization["seats"], _seats_now(scene)
    if bought is None or (now is not None and bought >= now):
        return "the cloud has no fewer seats than the server"
    occupied = occupied_seats(scene.server, scene.entry["id"])
    if occupied > bought:
        raise SelfhostError(
            f"{occupied} seats are occupied on the server, but the cloud has only {bought}.",
            field="cloud_organization_id",
            remedy="Buy seats in the cloud, or remove or revoke members.",
        )
    return f"{occupied} of {bought} seats are occupied"


def _seats_now(scene: Scene) -> int | None:
    try:
        return t.cast("int | None", scene.subscription["seats"])
    except ApiError:
        return None


def _health(scene: Scene) -> str:
    health = health_of(scene)
    if health in ("absent", "disabled", "unknown"):
        raise Skipped
    if health != "ok":
        raise Notice(f"{health}; applying a license mends it")
    return f"good until {show_date(expires_of(scene.subscription))}"


def _enabled(scene: Scene) -> str:
    if scene.entry is None:
        raise Skipped
    if not scene.entry["enabled"]:
        raise Notice("the server has disabled it; applying a license mends it")
    return "enabled"


def _token(scene: Scene) -> str:
    cloud, organization_id = scene.needs_cloud()
    made = api_keys.information(cloud, organization_id, api_keys.BILLING_SYNC)
    if made is None:
        raise Notice("there is none yet; connecting billing sync makes it")
    return f"made at {show_date(parse_date(made))}"


def _master_passwords(scene: Scene) -> str:
    if scene.entry is None:  # its first license makes its keys
        Account.unlock(scene.server, scene.params["master_password"])
    cloud, _organization_id = scene.needs_cloud()
    if scene.params["cloud"]["master_password"] is None:
        raise Skipped
    return f"opens the account of {Account.unlock(cloud, scene.params['cloud']['master_password']).email}"


@dataclass(frozen=True)
class Check:
    """One check. C(proved) says that a recent license sync makes it needless."""

    name: str
    title: str
    look: t.Callable[[Scene], str]
    proved: bool = False


CHECKS = (
    Check("P1", "version of the server", _version),
    Check("P2", "cloud communication", _cloud_communication),
    Check("P3", "installation id in the cloud", _installation, proved=True),
    Check("P4", "installation key in the cloud", _installation_key, proved=True),
    Check("P5", "addresses of the cloud on the server", _configured),
    Check("P6", "organization in the cloud", _cloud_organization, proved=True),
    Check("P7", "organization on the server", _local_organization),
    Check("P8", "role of the user", _role),
    Check("P9", "seats", _seats, proved=True),
    Check("P10", "license in force", _health),
    Check("P11", "organization enabled", _enabled),
    Check("P12", "billing-sync token in the cloud", _token, proved=True),
    Check("P13", "master passwords", _master_passwords, proved=True),
)


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: Check
    state: str
    detail: str
    problem: SelfhostError | None = None

    def as_dict(self) -> Values:
        """Return it as the module does."""
        return {"check": self.check.name, "title": self.check.title, "state": self.state, "detail": self.detail}


def run_checks(scene: Scene) -> list[Finding]:
    """Run every check; one that fails does not keep the others from running."""
    return [_run(check, scene) for check in CHECKS]


def _run(check: Check, scene: Scene) -> Finding:
    try:
        synced = scene.recently_synced() if check.proved else None
        if synced:
            return Finding(check, "proved", f"by the license sync of {synced}")
        return Finding(check, "ok", check.look(scene))
    except Notice as notice:
        return Finding(check, "notice", str(notice))
    except Skipped:
        return Finding(check, "skipped", "")
    except SelfhostError as problem:
        return Finding(check, "problem", str(problem), problem)


def problems_of(findings: t.Iterable[Finding]) -> dict[str, tuple[str, SelfhostError]]:
    """Return each problem once, by its text, with the first check that found it."""
    found: dict[str, tuple[str, SelfhostError]] = {}
    for finding in findings:
        problem = finding.problem
        for one in problem.problems if isinstance(problem, Problems) else [problem] if problem else []:
            found.setdefault(str(one), (finding.check.name, one))
    return found


def configured_problems(configured: Params | None, installation_id: str | None, region: Region | None) -> list[SelfhostError]:
    """Compare what the server's env file says with the installation and the region; Skipped when there is nothing to compare."""
    given = {name: value for name, value in (configured or {}).items() if value is not None}
    wanted: dict[str, tuple[str, str]] = {}
    if installation_id:
        wanted["installation_id"] = ("globalSettings__installation__id", installation_id)
    if region:
        names = {"__cloudRegion": "cloud_region", "__identityUri": "identity_uri", "__apiUri": "api_uri"}
        for setting, value in region.settings.items():
            name = next((option for end, option in names.items() if setting.endswith(end)), "push_uri")
            wanted[name] = (setting, value)
    compared = [(name, *wanted[name]) for name in given if name in wanted]
    if not compared:
        raise Skipped
    return [
        SelfhostError(
            f"It says {given[name] or '(not set)'}, but must say {value}.",
            field=setting,
            remedy="Set region in the role bw.selfhost.server, or choose the cloud region the installation id was requested in.",
        )
        for name, setting, value in compared
        if not _same(name, given[name], value)
    ]


def _same(name: str, found: str, wanted: str) -> bool:
    # Without these two settings a server uses the US cloud (bitwarden/server src/Core/Settings/GlobalSettings.cs).
    us = REGIONS["us"].endpoints
    found = found or {"api_uri": us.api, "identity_uri": us.identity}.get(name, "")
    return found.rstrip("/").lower() == wanted.rstrip("/").lower()
