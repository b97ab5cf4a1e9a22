# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keeps a sync from doing harm: refused before the first write, with the numbers.

Source of the servers' limits: bitwarden/server src/Api/AdminConsole/Public/Models/Request/OrganizationImportRequestModel.cs.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_plan import Case
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Problems = t.Iterator[SelfhostError]
LONGEST_NAME, LONGEST_ID = 100, 300  # characters
HALF = 50  # percent
TEAMS_STARTER = 10  # seats; it is the only plan with a fixed number of them
_SHOWN = 3


def refusals(case: Case) -> list[SelfhostError]:
    """Return everything that speaks against the plan."""
    if not case.directory.present and not case.directory.skipped:
        return [
            SelfhostError(
                f"Nobody was found below {case.options.users.base} with {case.options.users.filter}.",
                field="users.filter",
                remedy="Nothing was changed. Check base, object_class and filter, and what the account of bind_dn may see.",
            )
        ]
    return [problem for guard in _GUARDS for problem in guard(case)]


def warnings(case: Case) -> list[str]:
    """Return what people should know although it is no reason to stop."""
    said = []
    needed, seats = seats_needed(case), case.state.seats
    if seats and needed > seats.now and _takes_seats(case):
        said.append(f"The organization has {seats.now} seats and will need {needed}: the cloud buys the rest by itself.")
    by_hand = {group.name for group in case.state.groups if not group.external_id}
    same = sorted(step.change.name for step in case.of("group_create") if step.change.name in by_hand)
    if same:
        said.append(f"There will be a second group of the same name, since the first was not made by a directory: {_some(same)}.")
    return said


def _few_people(case: Case) -> Problems:
    found, least = len(case.directory.users), case.options.min_directory_users
    if found < least:
        yield SelfhostError(
            f"The directory has {found} people who can be members, and at least {least} are expected.",
            field="min_directory_users",
            remedy=f"Nothing was changed. {len(case.directory.skipped)} entries were skipped: check base, filter and attributes.",
        )


def _duplicates(case: Case) -> Problems:
    users, groups = case.directory.users, case.directory.groups
    found: tuple[tuple[str, str, t.Iterable[tuple[str, str]]], ...] = (
        ("users.email_attribute", "e-mail address", ((user.email, user.dn) for user in users)),
        ("users.external_id_attribute", "external id", ((user.external_id, user.dn) for user in users)),
        ("groups.external_id_attribute", "external id", ((group.external_id, group.dn) for group in groups)),
    )
    for field, what, pairs in found:
        where: dict[str, list[str]] = {}
        for value, dn in pairs:
            where.setdefault(value, []).append(dn)
        twice = [f"{value} ({' and '.join(names)})" for value, names in where.items() if len(names) > 1]
        if twice:
            yield SelfhostError(
                f"{len(twice)} times several entries have the same {what}: {_some(twice)}.",
                field=field,
                remedy="Let a filter leave all but one of them out, or correct the directory.",
            )


def _duplicates_on_server(case: Case) -> Problems:
    sides: tuple[tuple[str, t.Iterable[str | None]], ...] = (
        ("members", (member.external_id for member in case.state.members)),
        ("groups", (group.external_id for group in case.state.groups)),
    )
    for kind, ids in sides:
        twice = [id for id, count in Counter(id for id in ids if id).items() if count > 1]
        if twice:
            yield SelfhostError(
                f"Several {kind} of the organization have the same external id, so that any import fails: {_some(twice)}.",
                field=kind,
                remedy="Give all but one of them another one, by the public API.",
            )


def _too_long(case: Case) -> Problems:
    users, groups = case.directory.users, case.directory.groups
    found: tuple[tuple[str, str, int, t.Iterable[str]], ...] = (
        ("groups.name_attribute", "The name of a group", LONGEST_NAME, (group.name for group in groups)),
        ("users.external_id_attribute", "An external id", LONGEST_ID, (user.external_id for user in users)),
        ("groups.external_id_attribute", "An external id", LONGEST_ID, (group.external_id for group in groups)),
    )
    for field, what, most, texts in found:
        long = [f"{text} ({len(text)})" for text in texts if len(text) > most]
        if long:
            yield SelfhostError(
                f"{what} has at most {most} characters, and these have more: {_some(long)}.",
                field=field,
                remedy="Choose another attribute, such as entryUUID for external ids, or leave these out.",
            )


_LOOK = "Nothing was changed. Look at the directory and the filters; if they are right, allow more with {}."


def _shrunk(case: Case) -> bool:
    return 100 * len(case.gone) > max(HALF, case.options.max_removals_percent) * len(case.ours)


def _shrink(case: Case) -> Problems:
    if _shrunk(case):
        yield SelfhostError(
            f"{_share(case.gone, case.ours)} members who came from this directory are missing in it.",
            field="max_removals_percent",
            remedy=_LOOK.format("max_removals and max_removals_percent"),
        )


def _removals(case: Case) -> Problems:
    names = [member.email for member in case.losing]
    if not _shrunk(case) and _beyond(case, len(names), len(case.ours)):
        yield SelfhostError(
            f"{_share(names, case.ours)} members who came from this directory would be removed, or lose groups because they are "
            f"missing in it, and {_most(case)} may: {_some(names)}.",
            field="max_removals",
            remedy=_LOOK.format("max_removals and max_removals_percent"),
        )


def _empty_groups(case: Case) -> Problems:
    if _beyond(case, len(case.emptied), len(case.groups)):
        yield SelfhostError(
            f"{_share(case.emptied, case.groups)} groups that came from this directory would be deleted or lose all members, and "
            f"{_most(case)} may: {_some(case.emptied)}.",
            field="max_removals",
            remedy=_LOOK.format("max_removals and max_removals_percent"),
        )


def _beyond(case: Case, count: int, total: int) -> bool:
    return count > case.options.max_removals or 100 * count > case.options.max_removals_percent * total


def _most(case: Case) -> str:
    return f"at most {case.options.max_removals}, and {case.options.max_removals_percent} %,"


def _share(some: t.Sized, all: t.Sized) -> str:
    return f"{len(some)} of {len(all)} ({100 * len(some) / max(len(all), 1):.0f} %)"


def seats_needed(case: Case) -> int:
    """Return how many seats members will take."""
    leaving = {step.id for step in case.of("remove")}
    staying = case.state.occupied - sum(member.id in leaving and member.takes_seat for member in case.state.members)
    return staying + len(case.of("restore")) + (len(case.of("invite")) if case.options.invite else 0)


def _takes_seats(case: Case) -> bool:
    return bool(case.of("restore") or (case.options.invite and case.of("invite")))


def _seats(case: Case) -> Problems:
    limits = [limit for limit in (case.options.seats, case.state.seats.most if case.state.seats else None) if limit is not None]
    needed = seats_needed(case)
    # A server that has fewer seats than members refuses each import, whatever is in it.
    if not limits or needed <= min(limits) or not case.of("restore", "link", "invite", "group_create", "group_update"):
        return
    remedy = "Add seats, or remove people."
    if min(limits) == TEAMS_STARTER:
        remedy = "The plan Teams Starter has no more than 10 seats: change the plan, or let a filter choose fewer people."
    yield SelfhostError(
        f"{needed} seats are needed, and there are {min(limits)}; {case.state.occupied} are taken, "
        f"{len(case.of('invite'))} people would be invited, {len(case.of('remove'))} removed.",
        field="seats",
        remedy=f"Nothing was changed. {remedy}",
    )


def _some(names: t.Sequence[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


_GUARDS: tuple[t.Callable[[Case], Problems], ...] = (
    _few_people,
    _duplicates,
    _duplicates_on_server,
    _too_long,
    _shrink,
    _removals,
    _empty_groups,
    _seats,
)
