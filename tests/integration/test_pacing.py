# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many requests to a cloud with its limits, in the time of the lab's clock."""

from __future__ import annotations

import functools
import itertools
import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._client import collections, pace, parallel
from ansible_collections.bw.selfhost.plugins.module_utils._client.parallel import each
from ansible_collections.bw.selfhost.plugins.module_utils._client.server import Server, connect

from tests.integration.module_runner import run_module
from tests.integration.page_a import at_cloud, ok
from tests.lab import Lab
from tests.virtual import Virtual

NAME = "2.MTIzNDU2Nzg5MDEyMzQ1Ng==|MTIzNDU2Nzg5MDEyMzQ1Ng==|MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
COUNT = 500
LEAST = COUNT // 60 * 60 + COUNT % 60 // 5 - 1  # seconds: full minutes of 60 requests, then five a second from the first on


@pytest.fixture
def virtual(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Virtual:
    """The client's waits move the lab's clock and take no time."""
    lab.set_organization("eu", lab.facts["cloud_organization_id"], allowAdminAccessToAllCollectionItems=True)
    lab.rate_limits()
    virtual = Virtual(lab.advance)
    for module in (pace, parallel):
        monkeypatch.setattr(module, "time", virtual)
    return virtual


def create_collections(lab: Lab, server: Server, count: int, told: t.Callable[[str], None]) -> list[str]:
    body = {"name": NAME, "externalId": None, "groups": [], "users": []}
    create = functools.partial(collections.create, server, lab.facts["cloud_organization_id"], body)
    return each(server, [create] * count, told)


def test_five_hundred_collections(lab: Lab, virtual: Virtual) -> None:
    told: list[tuple[float, str]] = []
    server = connect(at_cloud(lab))
    made = create_collections(lab, server, COUNT, lambda text: told.append((virtual.slept, text)))
    assert virtual.slept < 3 * LEAST
    assert {seen.status for seen in lab.requests()} == {200}
    rows = lab.rows(lab.facts["region"], "collection", organizationId=lab.facts["cloud_organization_id"])
    assert {row["id"] for row in rows} >= set(made)
    assert len(set(made)) == COUNT
    moments = [0, *(moment for moment, _text in told), virtual.slept]
    assert max(after - before for before, after in itertools.pairwise(moments)) <= 11
    waits = [text for _moment, text in told if text.startswith("waiting ")]
    assert waits[0].endswith(f" s for the cloud's limit of 60 requests a minute; 60 of {COUNT} done")


def test_one_organization_with_five_hundred_collections(lab: Lab, virtual: Virtual) -> None:
    person, facts = lab.people["cloud_owner"], lab.facts
    where = {**at_cloud(lab), "master_password": person.master_password, "organization_id": facts["cloud_organization_id"]}
    wanted = [{"name": f"Department/{number}"} for number in range(COUNT)]
    assert len(ok(run_module("organization", {**where, "collections": wanted}))["changes"]) == COUNT
    assert virtual.slept < 3 * LEAST
    assert {seen.status for seen in lab.requests()} == {200}
    lab.clear_requests()
    assert not ok(run_module("organization", {**where, "collections": wanted}))["changed"]
    assert lab.writes() == []


def test_somebody_else_behind_the_same_address(lab: Lab, virtual: Virtual) -> None:
    """Then the cloud turns requests away, but the operator sees nothing of it but a wait."""
    told: list[str] = []
    create_collections(lab, connect(at_cloud(lab)), 40, told.append)
    assert told == []
    assert len(create_collections(lab, connect(at_cloud(lab)), 40, told.append)) == 40
    assert 429 in {seen.status for seen in lab.requests()}
    assert "because the server limits requests; 20 of 40 done" in told[0]
    assert virtual.slept < 130
