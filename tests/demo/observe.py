"""What became true of each row of page A, looked up in the world and not in what a module said."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from tests.demo import SPONSORED, Demo
from tests.lab import Request

_SETTINGS = "globalSettings__"
_PROBED = (("eu", "/alive"), ("eu", "/"))


@dataclass(frozen=True)
class Row:
    """One row of the page: its name, what the page says, whether it is so, and what was seen."""

    name: str
    says: str
    true: bool
    observed: str


def rows(page: Demo, served: t.Sequence[Request], output: str) -> list[Row]:
    """Look at the containers, the scripts' calls, both servers and the license file.

    Args:
        page: where page A was applied, and applied again.
        served: the requests that the lab answered meanwhile.
        output: all that ansible-playbook printed.
    """
    return [
        _cloud_communication(page),
        _region(page),
        _restart(page),
        _egress(served),
        _license(page),
        *_billing_sync(page, output),
        _sponsorship(page),
    ]


def _environment(page: Demo) -> t.Mapping[str, str]:
    return page.stack.containers()["api"].environment


def _cloud_communication(page: Demo) -> Row:
    seen = _environment(page).get(f"{_SETTINGS}enableCloudCommunication")
    return Row("A1", "cloud communication is on in the api container", seen == "true", f"enableCloudCommunication={seen}")


def _region(page: Demo) -> Row:
    keys = ("baseServiceUri__cloudRegion", "installation__identityUri", "installation__apiUri", "pushRelayBaseUri")
    seen = [_environment(page).get(f"{_SETTINGS}{key}", "") for key in keys]
    in_region = seen == ["EU", *(f"https://{name}.bitwarden.eu" for name in ("identity", "api", "push"))]
    return Row("A2", "region, identity, api and push agree", in_region, " ".join(seen))


def _restart(page: Demo) -> Row:
    commands = [call.argv[0] for call in page.stack.calls() if call.tool == "bitwarden.sh"]
    return Row(
        "A3", "the least that applies it, once in two runs", commands == ["restart"], f"bitwarden.sh {', '.join(commands)}"
    )


def _egress(served: t.Sequence[Request]) -> Row:
    asked = {request.service for request in served if (request.server, request.path) in _PROBED}
    reached = {request.server for request in served if request.origin == "server" and request.status == 200}
    seen = f"probed: {', '.join(sorted(asked))}; the api container was answered by: {', '.join(sorted(reached))}"
    return Row("A4", "cloud is reached, and that is proved", asked == {"api", "identity", "push"} and reached == {"eu"}, seen)


def _license(page: Demo) -> Row:
    stored = page.lab.stored_license() or {}
    organization = page.lab.rows("selfhost", "organization")[0]
    fits = stored.get("InstallationId") == page.lab.facts["installation_id"] and organization["seats"] == stored.get("Seats")
    return Row(
        "A5", "license applied (it was for 10 seats)", fits and organization["seats"] == 25, f"{organization['seats']} seats"
    )


def _billing_sync(page: Demo, output: str) -> tuple[Row, Row]:
    keys = [row["apiKey"] for row in page.lab.rows("eu", "organization_api_key") if row["type"] == 1]
    connections = page.lab.rows("selfhost", "connection")
    stored = [row["config"].get("BillingSyncKey") for row in connections if row["enabled"]]
    hidden = not any(key in output for key in keys)
    return (
        Row("A6", "billing-sync token made, and not printed", len(keys) == 1 and hidden, f"{len(keys)} token, hidden: {hidden}"),
        Row("A7", "connection stores that token", stored == keys, f"{len(connections)} connection"),
    )


def _sponsorship(page: Demo) -> Row:
    [connection] = page.lab.rows("selfhost", "connection")
    synced = connection["config"].get("LastLicenseSync")
    before = _offer(page)
    page.lab.run_sponsorship_sync()
    after = _offer(page)
    mailed = [mail.to for mail in page.lab.mailbox(SPONSORED)]
    states = f"license synced {str(synced)[:16]}; offer: {before}, after the daily sync: {after}"
    return Row(
        "A8",
        "license synced, sponsorship offered",
        bool(synced) and [before, after] == ["awaiting sync", "sent"] and bool(mailed),
        states,
    )


def _offer(page: Demo) -> str:
    offers = [row for row in page.lab.rows("selfhost", "sponsorship") if row["offeredToEmail"] == SPONSORED]
    return "none" if not offers else "sent" if offers[0]["lastSyncDate"] else "awaiting sync"
