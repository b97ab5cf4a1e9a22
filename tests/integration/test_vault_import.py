# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Items get into an organization, each once, and nobody gets to see what is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.integration.export_files import COLLECTIONS, all_kinds, item, organization_csv, organization_json
from tests.integration.module_runner import run_module
from tests.integration.page_a import at_cloud, at_server, ok
from tests.integration.test_api_kill import KINDS
from tests.lab import Lab, crypto
from tests.lab.people import key64

Result = dict[str, t.Any]
ROOT = Path(__file__).parents[2]
KEY = key64("local organization")


def run(lab: Lab, check: bool = False, **options: t.Any) -> Result:
    """Import as the owner of the self-hosted organization, with new collections."""
    password = {"master_password": lab.people["owner"].master_password}
    return run_module("vault_import", {**at_server(lab), **password, "missing_collections": "create", **options}, check=check)


def opened(text: str | None, key: bytes = KEY) -> str | None:
    return None if text is None else crypto.decrypt(text, key).decode()


def collections(lab: Lab) -> dict[str, str]:
    """Names by id, decrypted by the lab's own means."""
    return {row["id"]: str(opened(row["name"])) for row in lab.rows("selfhost", "collection")}


def vault(lab: Lab) -> list[tuple[t.Any, ...]]:
    """Every item of the organization with its collections, decrypted by the lab's own means."""
    names = collections(lab)
    places = [(row["cipherId"], names[row["collectionId"]]) for row in lab.rows("selfhost", "place")]
    return sorted(
        (opened(row["name"]), row["type"], opened(row["notes"]), sorted(name for id, name in places if id == row["id"]))
        for row in lab.rows("selfhost", "cipher")
    )


def wanted(items: t.Sequence[Result]) -> list[tuple[t.Any, ...]]:
    """What C(vault) is to be after an import."""
    return sorted(
        (one["name"], one["type"], one.get("notes"), [COLLECTIONS[int(id)] for id in one.get("collectionIds", ())])
        for one in items
    )


def note(name: str, *places: str, **more: t.Any) -> Result:
    return {"type": 2, "name": name, "collectionIds": list(places), **more}


# --- once ------------------------------------------------------------------------------------------------------------


def test_items_of_all_kinds(lab: Lab, tmp_path: Path) -> None:
    items = all_kinds()
    file = tmp_path / "export.json"
    file.write_text(organization_json(items))
    planned = run(lab, src=str(file), check=True)
    assert lab.writes() == [] == lab.rows("selfhost", "cipher")
    result = ok(run(lab, src=str(file)))
    assert vault(lab) == wanted(items)
    assert sorted(collections(lab).values()) == sorted(COLLECTIONS)
    assert (planned["changed"], planned["changes"]) == (result["changed"], result["changes"]) == (True, planned["changes"])
    assert [one["name"] for one in result["imported"]] == [one["name"] for one in items]
    assert {one["id"] for one in result["imported"]} == {row["id"] for row in lab.rows("selfhost", "cipher")}
    lab.clear_requests()
    again = ok(run(lab, src=str(file)))
    assert (again["changed"], again["imported"], lab.writes()) == (False, [], [])
    assert [one["differs_in"] for one in again["existing"]] == [[]] * len(items)


def test_csv(lab: Lab) -> None:
    result = ok(run(lab, content=organization_csv()))
    assert (len(result["imported"]), len(lab.rows("selfhost", "cipher"))) == (40, 40)
    rows = {opened(row["name"]): row for row in lab.rows("selfhost", "cipher")}
    assert opened(rows["Item 0"]["login"]["password"]) == "s3cret-0-password äöü"
    assert (rows["Item 1"]["type"], opened(rows["Item 1"]["fields"][0]["value"])) == (2, "s3cret-1-value äöü")
    lab.clear_requests()
    again = ok(run(lab, content=organization_csv()))
    assert (again["changed"], len(again["existing"]), lab.writes()) == (False, 40, [])


def test_equal_items_are_counted(lab: Lab) -> None:
    three, five = organization_json([note("x")] * 3), organization_json([note("x")] * 5)
    for content, imported in ((three, 3), (three, 0), (five, 2), (five, 0), (three, 0)):
        assert len(ok(run(lab, content=content))["imported"]) == imported
    assert len(lab.rows("selfhost", "cipher")) == 5


def test_trash_does_not_count(lab: Lab) -> None:
    content = organization_json([note("x")])
    ok(run(lab, content=content))
    (row,) = lab.rows("selfhost", "cipher")
    lab.put_row("selfhost", "cipher", **{**row, "deletedDate": "2026-08-01T00:00:00Z"})
    assert len(ok(run(lab, content=content))["imported"]) == 1


def test_what_is_changed_is_told_and_left_alone(lab: Lab) -> None:
    ok(run(lab, content=organization_json([item(0, 1), note("x", "0")])))
    before = lab.rows("selfhost", "cipher")
    login, other = item(0, 1), note("x", "1", notes="new")
    login["login"]["password"] = "other"
    result = ok(run(lab, content=organization_json([login, other])))
    assert [one["differs_in"] for one in result["existing"]] == [["login.password"], ["notes", "collections"]]
    assert (result["changed"], lab.rows("selfhost", "cipher")) == (False, before)


def test_items_are_found_by_a_field(lab: Lab) -> None:
    def file(name: str, number: str) -> str:
        return organization_json([note(name, fields=[{"name": "no", "value": number, "type": 0}])])

    options = {"match": "field", "match_field": "no"}
    assert len(ok(run(lab, content=file("a", "1"), **options))["imported"]) == 1
    assert ok(run(lab, content=file("b", "1"), **options))["existing"][0]["differs_in"] == ["name"]
    assert len(ok(run(lab, content=file("a", "2"), **options))["imported"]) == 1
    for items, what in (([note("a")], "lacks the field"), ([json.loads(file("a", "3"))["items"][0]] * 2, "has the same")):
        refused = run(lab, content=organization_json(items), **options)
        assert what in refused["msg"]


# --- collections -----------------------------------------------------------------------------------------------------


def test_missing_collections_are_named(lab: Lab) -> None:
    content = organization_json([note("x", "0"), note("y", "1"), note("z", "0")])
    refused = run(lab, content=content, missing_collections="fail")
    assert refused["failed"]
    assert "has no collection 'Ops'" in refused["msg"]
    assert "has no collection 'Ops/Db'" in refused["msg"]
    planned = ok(run(lab, content=content, missing_collections="fail", check=True))
    assert (len(planned["imported"]), len(planned["warnings"])) == (3, 2)
    assert lab.writes() == []


def test_existing_collections_are_used(lab: Lab) -> None:
    ok(run(lab, content=organization_json([note("x", "0")])))
    ok(run(lab, content=organization_json([note("y", "0")]), missing_collections="fail"))
    assert list(collections(lab).values()) == ["Ops"]
    assert vault(lab) == [("x", 2, None, ["Ops"]), ("y", 2, None, ["Ops"])]


def test_parents_are_created_too(lab: Lab) -> None:
    result = ok(run(lab, content="collections,type,name,login_uri,login_username,login_password\na/b/c,note,x,,,\n"))
    assert [change["name"] for change in result["changes"]] == ["a", "a/b", "a/b/c", "a/b/c"]
    assert sorted(collections(lab).values()) == ["a", "a/b", "a/b/c"]


def test_target_collection(lab: Lab) -> None:
    ok(run(lab, content=organization_json([note("x", "0"), note("y")]), target_collection="Old"))
    assert vault(lab) == [("x", 2, None, ["Old/Ops"]), ("y", 2, None, ["Old"])]


def test_two_collections_of_one_name(lab: Lab) -> None:
    ok(run(lab, content=organization_json([note("x", "0")])))
    (row,) = lab.rows("selfhost", "collection")
    lab.put_row("selfhost", "collection", **{**row, "id": "0e000000-0000-4000-8000-000000000001"})
    assert not run(lab, content=organization_json([note("x", "0")]))["failed"], "nothing has to be put into it"
    assert "Several collections are called 'Ops'" in run(lab, content=organization_json([note("y", "0")]))["msg"]


def test_items_without_collection(lab: Lab) -> None:
    result = ok(run(lab, content=organization_json([note("x")])))
    assert "1 items belong to no collection" in str(result["warnings"])


# --- where and by whom -----------------------------------------------------------------------------------------------


@pytest.mark.lab(scenario="msp")
def test_through_a_provider(lab: Lab) -> None:
    provider = lab.people["provider_user"]
    content = organization_json([note("x", "0"), item(1, 1)])
    options = {**at_cloud(lab, "provider_user"), "master_password": provider.master_password, "organization_name": "Alpha Client"}
    result = ok(run_module("vault_import", {**options, "content": content, "missing_collections": "create"}))
    key = key64("alpha organization")
    names = [opened(row["name"], key) for row in lab.rows("eu", "collection", organizationId=lab.facts["alpha_organization_id"])]
    assert names == ["Default collection", "Ops", "Ops/Db"]
    assert sorted(str(opened(row["name"], key)) for row in lab.rows("eu", "cipher")) == ["Item 1", "x"]
    assert "Nobody manages the new collections" in str(result["warnings"])
    lab.clear_requests()
    again = ok(run_module("vault_import", {**options, "content": content}))
    assert (again["changed"], lab.writes()) == (False, [])


@pytest.mark.lab(version="2025.8.0")
def test_new_types_need_a_new_server(lab: Lab) -> None:
    refused = run(lab, content=organization_json([item(0, 5), item(1, 6)]))
    assert "item 2 (Item 1): The server does not know items of type 6 yet" in refused["msg"]
    assert lab.writes() == []


def test_item_that_cannot_be_read_here(lab: Lab) -> None:
    ok(run(lab, content=organization_json([note("x"), note("y")])))
    row = next(row for row in lab.rows("selfhost", "cipher") if opened(row["name"]) == "x")
    lab.put_row("selfhost", "cipher", **{**row, "name": crypto.encrypt(b"x", b"k" * 64)})
    result = ok(run(lab, content=organization_json([note("x"), note("y")]), check=True))
    assert [one["name"] for one in result["imported"]] == ["x"]
    assert row["id"] in str(result["warnings"])


def test_items_of_other_makers(lab: Lab) -> None:
    """One of a type that is unknown here, one without a name, one whose note is damaged."""
    content = organization_json([note("x", notes="n"), note("--"), note("z")])
    ok(run(lab, content=content))
    for row in lab.rows("selfhost", "cipher"):
        other = {"x": {"notes": crypto.encrypt(b"n", b"k" * 64)}, "--": {"name": crypto.encrypt(b"", KEY)}, "z": {"type": 9}}
        lab.put_row("selfhost", "cipher", **{**row, **other[str(opened(row["name"]))]})
    result = ok(run(lab, content=content, check=True))
    assert [one["name"] for one in result["imported"]] == ["z"]
    assert [one["differs_in"] for one in result["existing"]] == [["notes"], []]
    assert "cannot be decrypted" not in str(result["warnings"])


# --- secrets, bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "csv"])
def test_no_secret_is_shown(lab: Lab, form: str) -> None:
    content = organization_json(all_kinds()) if form == "json" else organization_csv()
    changed = content.replace("s3cret-0", "s3cret-new")
    results = [run(lab, content=text, check=check) for text in (content, changed) for check in (True, False)]
    results.append(run(lab, content=content[:-50]))
    results.append(run(lab, content=content.replace("s3cret-0", "s3cret" * 2000)))
    assert [result["failed"] for result in results] == [False] * 4 + [True] * 2
    assert "s3cret" not in json.dumps(results)


@pytest.mark.parametrize("place", ["in the controller's process", "as a process of its own"])
def test_no_secret_is_shown_by_ansible(lab: Lab, tmp_path: Path, place: str) -> None:
    (tmp_path / "export.json").write_text(organization_json(all_kinds()))
    options = {**at_server(lab), "master_password": lab.people["owner"].master_password, "missing_collections": "create"}
    content = "{{ lookup('ansible.builtin.unvault', folder ~ '/export.json') }}"
    tasks = [
        {"bw.selfhost.vault_import": {**options, "content": content}, "register": "done"},
        {"ansible.builtin.debug": {"var": "done"}},
    ]
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    variables = {"folder": str(tmp_path)}
    if place == "as a process of its own":  # the same Python by another name counts as another one
        other = tmp_path / "python"
        other.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        other.chmod(0o755)
        variables["ansible_python_interpreter"] = str(other)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["ansible-playbook", "-vvvv", "--diff", "-e", json.dumps(variables), f"{tmp_path}/play.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Item 39" in done.stdout
    assert len(lab.rows("selfhost", "cipher")) == 40
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "content: It is empty."),
        (organization_json([note("x"), {**note("y"), "type": 9}]), "content, item 2 (y), type: The item's type is unknown."),
        ('{"items": [\n{]', "content, line 2, column 2: It is not JSON"),
        ("name,url\nx,y\n", "content, line 1: The header lacks login_uri, login_username, login_password and has unknown"),
        ("name,login_uri,login_username,login_password\n" + "x,,,\n" * 100_001, "content: It has more than 100,000 items."),
    ],
)
def test_bad_input(lab: Lab, content: str, what: str) -> None:
    refused = run(lab, content=content)
    assert refused["failed"]
    assert what in refused["msg"]
    assert lab.requests("client") == []


def test_bad_bytes(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    assert "src: The file cannot be read: No such file or directory." in run(lab, src=str(file))["msg"]
    file.write_bytes(b"name\n\xff")
    assert f"src ({file}): It is not UTF-8 (line 2, byte 5)." in run(lab, src=str(file))["msg"]


# --- broken off ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_broken_off_anywhere(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each request of an import in three parts, and each way in which it can fail: a rerun ends in the same state."""
    monkeypatch.setattr("ansible_collections.bw.selfhost.plugins.module_utils._model.import_request.MOST_ITEMS", 4)
    items = [*all_kinds(8), note("twin"), note("twin")]
    session = ok(run_module("login", at_server(lab)))["session"]
    options = {"session": session, "content": organization_json(items)}
    before = lab.snapshot()
    lab.clear_requests()
    ok(run(lab, **options))
    asked = lab.requests("client")
    assert len([request for request in asked if request.write]) == 3
    assert vault(lab) == wanted(items)
    for index, request in enumerate(asked):
        for kind in KINDS:
            lab.restore(before)
            lab.clear_requests()
            lab.fault(kind, index=index)
            first = run(lab, **options, timeout=1)
            lab.clear_faults()
            if first["failed"]:
                assert first["error"]["cause"], first
                ok(run(lab, **options))
            place = f"{kind} at {index}: {request.method} {request.path}"
            assert vault(lab) == wanted(items), place
            assert sorted(collections(lab).values()) == sorted(COLLECTIONS), place
            lab.clear_requests()
            assert not ok(run(lab, **options))["changed"], place
            assert lab.writes() == [], place
