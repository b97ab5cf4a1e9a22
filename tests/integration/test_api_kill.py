# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run that is broken off anywhere can be repeated: for each request of page A, and each way in which it can fail.

Each step of the page is run with one fault at one of its requests, then run again in peace. After that the servers must be
exactly as after an undisturbed step, so that whatever follows cannot tell the difference.
"""

from __future__ import annotations

import contextlib
import typing as t
from unittest import mock

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.integration.page_a import PageA, ok
from tests.lab import Lab

pytestmark = pytest.mark.slow

KINDS = ("status:500", "reset_before", "timeout", "status_after:500", "reset_after", "torn")
PATIENCE = 0.4  # seconds, instead of the option's whole ones; a lab that is late for once is just one more fault

State = dict[str, t.Any]


@contextlib.contextmanager
def impatient() -> t.Iterator[None]:
    """Wait for an answer only as long as the lab needs for one."""
    patient = HTTPAdapter.send

    def send(self: HTTPAdapter, *args: t.Any, **options: t.Any) -> requests.Response:
        return patient(self, *args, **{**options, "timeout": PATIENCE})

    with mock.patch.object(HTTPAdapter, "send", send):
        yield


@pytest.mark.lab(scenario="page_a")
def test_every_request_of_page_a(lab: Lab) -> None:
    page = PageA(lab)
    page.results["log_in"] = ok(page.log_in())
    for step in ("log_in", "preflight", "license", "billing_sync", "sponsorship"):
        kill_everywhere(lab, page, step)


@pytest.mark.lab(scenario="first_license")
def test_every_request_of_a_first_license(lab: Lab) -> None:
    page = PageA(lab)
    page.results["log_in"] = ok(page.log_in())
    page.results["preflight"] = ok(page.preflight())
    kill_everywhere(lab, page, "license")


def kill_everywhere(lab: Lab, page: PageA, step: str) -> None:
    before, logins = lab.snapshot(), (page.server, page.cloud)
    lab.clear_requests()
    page.results[step] = ok(getattr(page, step)())
    asked, wanted, after = lab.requests("client"), state(lab), lab.snapshot()
    for index, request in enumerate(asked):
        for kind in KINDS:
            lab.restore(before)
            page.server, page.cloud = logins
            kill(lab, page, step, kind, index)
            assert state(lab) == wanted, f"{kind} at {index}: {request.method} {request.path}"
    lab.restore(after)


def kill(lab: Lab, page: PageA, step: str, kind: str, index: int) -> None:
    lab.clear_requests()
    lab.fault(kind, index=index)
    with impatient():
        first = getattr(page, step)()
    lab.clear_faults()
    if first["failed"]:
        error = first["error"]
        assert error["cause"], first
        assert error["field"], first
        ok(page.log_in())  # as a whole rerun does
        page.results["preflight"] = ok(page.preflight())
        again = getattr(page, step)()
        assert not again["failed"], f"{kind} at {index}: {again['msg']}"


def state(lab: Lab) -> State:
    """Everything that page A brings about; what differs between two equal runs (ids, keys, dates) is left out."""
    found = {
        "organizations": [
            {name: row[name] for name in ("name", "seats", "enabled", "licenseKey")} | {"keys": bool(row["publicKey"])}
            for row in lab.rows("selfhost", "organization")
        ],
        "members": [(row["email"], row["type"], row["status"]) for row in lab.rows("selfhost", "member")],
        "collections": len(lab.rows("selfhost", "collection")),
        "connections": [connection(lab, row) for row in lab.rows("selfhost", "connection")],
        "keys": [(row["organizationId"], row["type"]) for row in lab.rows("eu", "organization_api_key")],
        "sponsorships": [(row["friendlyName"], row["toDelete"]) for row in lab.rows("selfhost", "sponsorship")],
    }
    return {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in found.items()}


def connection(lab: Lab, row: State) -> State:
    config, cloud_id = row["config"], row["config"]["CloudOrganizationId"]
    keys = lab.rows("eu", "organization_api_key")
    right = any((key["organizationId"], key["apiKey"]) == (cloud_id, config["BillingSyncKey"]) for key in keys)
    return {"enabled": row["enabled"], "right key": right, "cloud": cloud_id, "synced": bool(config["LastLicenseSync"])}
