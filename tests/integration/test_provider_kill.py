# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A run for a provider that is broken off anywhere can be repeated: the same state in the end, no client and no mail twice."""

from __future__ import annotations

import contextlib
import typing as t
from unittest import mock

import pytest
import requests
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_creation
from requests.adapters import HTTPAdapter

from tests.integration.page_a import ok
from tests.integration.provider_desk import NEW, Desk
from tests.integration.test_api_kill import KINDS, impatient
from tests.lab import Lab

OWNER = str(NEW["owner_email"])
TECH = {"email": "tech@msp.example"}
pytestmark = [pytest.mark.lab(scenario="msp"), pytest.mark.slow]

State = dict[str, t.Any]
Run = t.Callable[[], State]


class Killed(BaseException):
    """The process ends here, without a chance to do anything more."""


@contextlib.contextmanager
def dying(at: int, answered: bool) -> t.Iterator[None]:
    """Kill the process at one of its requests: before it is sent, or after the server has done it."""
    alive, count = HTTPAdapter.send, iter(range(1000))

    def send(self: HTTPAdapter, *args: t.Any, **options: t.Any) -> requests.Response:
        now = next(count)
        if now == at and not answered:
            raise Killed
        response = alive(self, *args, **options)
        if now == at:
            raise Killed
        return response

    with mock.patch.object(HTTPAdapter, "send", send), pytest.raises(Killed):
        yield


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab is never still busy."""
    monkeypatch.setattr(client_creation, "WAIT", 0)


def state(lab: Lab) -> State:
    """Everything that the runs bring about; what differs between two equal runs (ids, keys, dates) is left out."""
    desk = Desk(lab)
    clients = {
        name: {part: row[part] for part in ("planType", "seats", "status", "enabled", "billingEmail")}
        | {"members": desk.members(name)}
        for name, row in desk.links().items()
    }
    return {
        "clients": clients,
        "organizations": len(lab.rows("eu", "organization")),
        "pools": desk.pools(),
        "collections": len(lab.rows("eu", "collection")),
        "users": sorted((desk.email(row), row["type"], row["status"]) for row in lab.rows("eu", "provider_user")),
        "invitations": {email: len(lab.mailbox(email)) for email in (OWNER, TECH["email"])},
    }


def kill_everywhere(lab: Lab, run: Run, kinds: t.Sequence[str] = KINDS) -> None:
    before = lab.snapshot()
    lab.clear_requests()
    ok(run())
    asked, wanted, after = lab.requests("client"), state(lab), lab.snapshot()
    for index, request in enumerate(asked):
        for kind in kinds:
            lab.restore(before)
            where = f"{kind} at {index}: {request.method} {request.path}"
            fail(lab, run, kind, index, where)
            assert state(lab) == wanted, where
        for answered in (False, True):
            lab.restore(before)
            with dying(index, answered):
                run()
            ok(run())
            assert state(lab) == wanted, f"killed at {index}: {request.method} {request.path}, answered: {answered}"
    lab.restore(after)


def fail(lab: Lab, run: Run, kind: str, index: int, where: str) -> None:
    lab.clear_requests()
    lab.fault(kind, index=index)
    with impatient():
        first = run()
    lab.clear_faults()
    if first["failed"]:
        assert first["error"]["cause"], first
        assert first["error"]["field"], first
        again = run()
        assert not again["failed"], f"{where}: {again['msg']}"


def test_creation(lab: Lab) -> None:
    kill_everywhere(lab, lambda: Desk(lab).clients({**NEW, "billing_email": "invoices@client.example"}))


def test_confirmation_of_the_owner(lab: Lab) -> None:
    ok(Desk(lab).clients(NEW))
    lab.accept_invitation(OWNER, server="eu")
    kill_everywhere(lab, lambda: Desk(lab).clients(NEW))


def test_changes(lab: Lab) -> None:
    alpha = {"organization_id": lab.facts["alpha_organization_id"], "name": "Renamed", "seats": 12, "owner_email": OWNER}
    kill_everywhere(lab, lambda: Desk(lab).clients(alpha))


def test_letting_go_and_adding(lab: Lab) -> None:
    alpha, beta, gamma = (lab.facts[f"{name}_organization_id"] for name in ("alpha", "beta", "gamma"))
    wishes = (
        {"name": "Alpha Client", "state": "detached", "confirm_destroy": alpha},
        {"name": "Beta Client", "state": "absent", "confirm_destroy": beta},
        {"name": "Gamma Company", "existing_organization_id": gamma, "confirm_existing": gamma},
    )
    kill_everywhere(
        lab, lambda: Desk(lab).clients(*wishes), kinds=("status:500", "reset_before", "status_after:500", "reset_after")
    )


def test_users(lab: Lab) -> None:
    kill_everywhere(lab, lambda: Desk(lab).users(TECH))
    lab.accept_invitation(TECH["email"], server="eu")
    sam = lab.people["service_user"].email
    kill_everywhere(lab, lambda: Desk(lab).users(TECH, {"email": sam, "role": "provider_admin"}))
    kill_everywhere(lab, lambda: Desk(lab).users({**TECH, "state": "absent"}))
