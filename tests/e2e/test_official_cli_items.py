"""The official client reads the items that the product imported, and the product reads the official client's exports."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.e2e.client import RELEASES, Client
from tests.integration.export_files import all_kinds, organization_json
from tests.integration.module_runner import run_module
from tests.integration.page_a import at_server, ok
from tests.lab import Lab

pytestmark = pytest.mark.cli

Members = dict[str, t.Any]
KNOWN = range(1, 6)  # types that the client knows


def imported(lab: Lab, **source: str) -> Members:
    """Import as the owner."""
    options = {**at_server(lab), "master_password": lab.people["owner"].master_password, "missing_collections": "create"}
    return ok(run_module("vault_import", {**options, **source}, environ=lab.environment()))


def told(value: t.Any) -> t.Any:
    """What an item says, without ids, dates of its own, and what is empty; dates to the second."""
    if isinstance(value, dict):
        own = (
            "id",
            "organizationId",
            "folderId",
            "collectionIds",
            "creationDate",
            "revisionDate",
            "deletedDate",
            "archivedDate",
            "object",
        )
        found = {name: told(inner) for name, inner in value.items() if name not in own}
        return {name: inner for name, inner in found.items() if inner not in (None, [], {}, False)}
    if isinstance(value, list):
        return [told(inner) for inner in value]
    return value[:19] if isinstance(value, str) and value.startswith("2026-") else value


def by_name(items: list[Members]) -> dict[str, Members]:
    return {one["name"]: told(one) for one in items}


@pytest.mark.parametrize("lab", RELEASES[-1:], indirect=True)
def test_there_and_back(client: Client, lab: Lab, tmp_path: Path) -> None:
    items = [one for one in all_kinds() if one["type"] in KNOWN]
    first = imported(lab, content=organization_json(items))
    assert len(first["imported"]) == len(items)

    owner, place = lab.people["owner"], lab.facts["organization_id"]
    client.session("login", owner.email, "--passwordenv", "PASSWORD", PASSWORD=owner.master_password)
    listed = client.run("list", "items", "--organizationid", place)["data"]
    assert by_name(listed).keys() == by_name(items).keys()
    assert {name: one["login"]["password"] for name, one in by_name(listed).items() if one["type"] == 1} == {
        one["name"]: one["login"]["password"] for one in items if one["type"] == 1
    }

    for form in ("json", "csv"):
        file = tmp_path / f"export.{form}"
        client.run("export", "--organizationid", place, "--format", form, "--output", str(file))
        again = imported(lab, src=str(file))
        assert again["imported"] == [], form
        if form == "json":
            assert by_name(json.loads(file.read_text())["items"]) == by_name(items)
            assert [one["differs_in"] for one in again["existing"]] == [[]] * len(items)
        else:
            assert len(again["existing"]) == sum(one["type"] in (1, 2) for one in items)
