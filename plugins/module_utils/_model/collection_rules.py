# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is refused of collections and groups, before anything is written."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.bw.selfhost.plugins.module_utils._model.access import MANAGE
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import reach
from ansible_collections.bw.selfhost.plugins.module_utils._model.crypto.text import longest_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import ADMIN_ACCESS, Collection, Group
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_case import Case

Problems = t.Iterator[SelfhostError]
# UTF-8 bytes that fit when they are encrypted, and plain characters.
LONGEST_COLLECTION, LONGEST_GROUP, LONGEST_EXTERNAL_ID = longest_text(1000), 100, 300


def twice(keys: t.Iterable[str], field: str) -> Problems:
    """Refuse what a list names more than once."""
    for key, count in Counter(keys).items():
        if count > 1:
            yield SelfhostError(f"{key!r} is named {count} times.", field=field, remedy="Name each one once.")


def some(names: t.Sequence[str]) -> str:
    """Return the first of many names as a text."""
    return ", ".join([*names[:20], *(["…"] if len(names) > 20 else [])])


def names(case: Case) -> Problems:
    """Names that are missing, too long or not unique, in the options or on the server."""
    wishes = {"collections": case.desired.collections, "groups": case.desired.groups}
    for field, listed in wishes.items():
        yield from twice((wish.name for wish in listed or ()), field)
    for wish in case.desired.collections or ():
        yield from _size(wish.name, f"collections[{wish.name[:50]}]", len(wish.name.encode()), LONGEST_COLLECTION, "bytes")
        if len(wish.external_id or "") > LONGEST_EXTERNAL_ID:
            yield SelfhostError(
                f"The external_id is longer than {LONGEST_EXTERNAL_ID} characters.",
                field=f"collections[{wish.name}]",
                remedy="Shorten it.",
            )
    for group in case.desired.groups or ():
        yield from _size(group.name, f"groups[{group.name[:50]}]", len(group.name), LONGEST_GROUP, "characters")


def _size(name: str, field: str, size: int, longest: int, unit: str) -> Problems:
    if not name:
        yield SelfhostError("A name is empty.", field=field, remedy="Write a name.")
    if size > longest:
        yield SelfhostError(f"The name has {size} {unit}; {longest} fit.", field=field, remedy="Shorten it.")


def references(case: Case) -> Problems:
    """References to what does not exist, or is there more than once."""
    clones = {"collection": _clones(case.current.collections), "group": _clones(case.current.groups)}
    for collection in case.desired.collections or ():
        field = f"collections[{collection.name}]"
        if collection.name in clones["collection"]:
            yield _several(collection.name, field, "collection")
        groups, members = [[key for key, _word in pairs or ()] for pairs in (collection.groups, collection.members)]
        yield from _references(case, f"{field}.groups", groups, "group", clones["group"])
        yield from _references(case, f"{field}.members", members, "member", frozenset())
    for group in case.desired.groups or ():
        field = f"groups[{group.name}]"
        if group.name in clones["group"]:
            yield _several(group.name, field, "group")
        yield from _references(case, f"{field}.members", group.members or (), "member", frozenset())


def _references(case: Case, field: str, keys: t.Sequence[str], kind: str, clones: t.Container[str]) -> Problems:
    there: t.Container[str] = case.target.groups if kind == "group" else case.target.members
    yield from twice(keys, field)
    for key in keys:
        if key in clones:
            yield _several(key, field, kind)
        elif key not in there:
            yield SelfhostError(
                f"The organization has no {kind} {key!r}, and the task does not make one.",
                field=field,
                remedy=f"Check the spelling, or name it in {kind}s, too.",
            )


def _several(name: str, field: str, kind: str) -> SelfhostError:
    return SelfhostError(
        f"The organization has more than one {kind} {name!r}.", field=field, remedy="Rename or delete all but one of them."
    )


def _clones(objects: t.Mapping[str, Collection | Group]) -> set[str]:
    """The names under which the server has several."""
    return {found.name for key, found in objects.items() if key != found.name}


def groups_allowed(case: Case) -> Problems:
    """Groups where the plan has none."""
    wanted = any(collection.groups for collection in case.desired.collections or ())
    if not case.facts.entry.get("useGroups") and (case.keys("group") or wanted):
        yield SelfhostError(
            "The plan of the organization has no groups.", field="groups", remedy="Give access to members instead."
        )


def collection_limit(case: Case) -> Problems:
    """More collections than the plan has."""
    most, new = case.facts.entry.get("maxCollections"), len(case.target.collections.keys() - case.current.collections.keys())
    if most is not None and new and len(case.current.collections) + new > most:
        yield SelfhostError(
            f"The plan has {most} collections; there are {len(case.current.collections)}, and {new} would be created.",
            field="collections",
            remedy="Delete some in a run before this one, or change the plan.",
        )


def managers(case: Case) -> Problems:
    """Collections that nobody could manage; CollectionsController asks for a manager while admins have no access of their own."""
    if case.target.settings.get(ADMIN_ACCESS):
        return
    for key in case.keys("collection"):
        collection = case.target.collections[key]
        if MANAGE not in (*collection.groups.values(), *collection.members.values()):
            yield SelfhostError(
                "Nobody may manage this collection, which the server refuses while administrators have no access to everything.",
                field=f"collections[{key}]",
                remedy=f"Give a group or member the permission manage, or set settings.{ADMIN_ACCESS}.",
            )


def out_of_reach(case: Case) -> Problems:
    """Changes of collections that the server would refuse to this caller."""
    settings = case.target.settings
    may_edit = reach(case.caller, settings, case.current, "edit_any_collection")
    for key in case.keys("collection"):
        found = case.current.collections.get(key)
        if found is None and settings.get("limit_collection_creation") and not case.caller.may("create_new_collections"):
            yield _not_allowed("create", key)
        if found is not None and not may_edit(str(found.id)):
            yield _not_allowed("change", key)
    for key in case.keys("delete collection"):
        if not _may_delete(case, key):
            yield _not_allowed("delete", key)


def _may_delete(case: Case, key: str) -> bool:
    caller, settings = case.caller, case.target.settings
    if caller.provider or "delete_any_collection" in caller.permissions:
        return True
    if caller.is_admin and settings.get(ADMIN_ACCESS):
        return True
    collection = case.current.collections[key]
    mine = {group for group, found in case.current.groups.items() if caller.email in found.members}
    words = [word for group, word in collection.groups.items() if group in mine] + [collection.members.get(caller.email or "")]
    return MANAGE in words and (caller.is_admin or not settings.get("limit_collection_deletion"))


def _not_allowed(what: str, key: str) -> SelfhostError:
    return SelfhostError(
        f"The account may not {what} this collection.",
        field=f"collections[{key}]",
        remedy=f"Use an owner with settings.{ADMIN_ACCESS}, somebody who manages the collection, or a provider user.",
    )


def own_groups(case: Case) -> Problems:
    """Administrators who would let themselves in; the server refuses that while they have no access to everything."""
    email = case.caller.email
    if email is None or case.caller.provider or case.target.settings.get(ADMIN_ACCESS):
        return
    for name, group in case.target.groups.items():
        before = case.current.groups.get(name)
        if email in group.members and (before is None or email not in before.members):
            yield SelfhostError(
                "The account cannot add itself to a group.",
                field=f"groups[{name}].members",
                remedy=f"Let another administrator do it, or set settings.{ADMIN_ACCESS}.",
            )


def pruning(case: Case) -> Problems:
    """Pruning of what is not described, or of more than is allowed."""
    desired = case.desired
    listed = {"collections": desired.collections, "groups": desired.groups, "members": desired.members}
    needs = {"access": "collections", "memberships": "groups"}
    for name in sorted(desired.prune):
        if listed[needs.get(name, name)] is None:
            yield SelfhostError(
                f"{needs.get(name, name)} is not given.", field="prune", remedy=f"List what is to stay, or leave out {name}."
            )
    wished = {kind: {_key(wish) for wish in wishes or ()} for kind, wishes in listed.items()}
    doomed = [
        f"{kind[:-1]} {key}"
        for kind, stage in (("collections", "delete collection"), ("groups", "delete group"), ("members", "remove"))
        for key in case.keys(stage)
        if key not in wished[kind]
    ]
    if len(doomed) > desired.max_deletions:
        yield SelfhostError(
            f"Pruning would delete {len(doomed)}: {some(doomed)}.",
            field="max_deletions",
            remedy=f"If that is right, set max_deletions to {len(doomed)}.",
        )


def _key(wish: t.Any) -> str:
    return str(getattr(wish, "email", None) or wish.name)
