# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client organizations of a provider: created, added, renamed, given seats and owners, let go."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import Progress
from ansible_collections.bw.selfhost.plugins.module_utils._model import client_plan as model, client_rules, client_wishes
from ansible_collections.bw.selfhost.plugins.module_utils._model.client import Case, Wish, in_order, uncounted, wish_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.confirmation import Candidate, refusal, waits_for
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import client_creation, client_owner, client_scene
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.client_changes import carry_out
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.client_scene import Scene
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.portal import Portal, find_portal
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.writes import RERUN

Values = dict[str, t.Any]
Params = t.Mapping[str, t.Any]


@dataclass
class Owners:
    """The owners who have accepted, by the clients' names: who may be confirmed now, and why the others may not."""

    confirmed: dict[str, Candidate] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    refusals: list[SelfhostError] = field(default_factory=list)


def ensure(params: Params, check_mode: bool, progress: Progress) -> tuple[Plan, Values, list[str]]:
    """Bring the clients that are named to what was asked for."""
    portal = find_portal(params, progress)
    refuse_all(portal.refusals(admin=False) + client_scene.not_billable(portal))
    wishes = [wish_of(item) for item in params["clients"]]
    scene = client_scene.look(portal, wishes)
    problems = client_wishes.refusals(wishes) + client_rules.unclear(wishes, scene.clients)
    cases = client_scene.cases(scene, [wish for wish in wishes if not _named(wish, problems)], progress)
    owners = _owners(portal, cases, params)
    bounds = client_rules.Bounds(portal.seat, scene.pools, params["max_purchased_seats"])
    refuse_all(problems + client_rules.impossible(cases, bounds) + owners.refusals)
    _unlock(portal, cases, owners)
    if not check_mode:
        half = client_creation.half_created(scene, [case.client for case in cases if case.client])
        cases = [_marked(case, half) for case in cases]
    plans = {case.wish.name: model.plan(case, owners.confirmed) for case in cases}
    todo, values = sum(plans.values(), Plan()), {"purchased_seats": client_rules.purchased(cases)}
    created = {case.wish.name for case in cases if case.action == "create"}
    if todo.changed and not check_mode:
        scene, cases = _apply(scene, cases, plans, owners, progress)
    return todo, {**values, **_values(portal, cases, owners, created)}, _warnings(scene, cases)


def _named(wish: Wish, problems: t.Iterable[SelfhostError]) -> bool:
    """Say whether something is wrong with a wish already, so that nothing more can be said of it."""
    return any(str(problem.field).startswith(wish.field()) for problem in problems)


def _owners(portal: Portal, cases: t.Sequence[Case], params: Params) -> Owners:
    """Sort out which of the owners who have accepted are confirmed now."""
    found = Owners()
    for case in cases:
        name, who = case.wish.name, client_owner.candidate(portal, case)
        if who is None:
            continue
        found.phrases[name] = who.phrase
        found.waiting[name] = waits_for(who, params["confirm_owners"], params["confirm_domains"])
        found.refusals += filter(None, [refusal(who, case.wish.field("owner_fingerprint"))])
        if not found.waiting[name]:
            found.confirmed[name] = who
    return found


def _unlock(portal: Portal, cases: t.Sequence[Case], owners: Owners) -> None:
    """Find a missing or wrong master password before anything is changed."""
    actions = {case.action for case in cases}
    if actions & {"create", "adopt"} or owners.confirmed:
        _unused = portal.key
    for case in cases:
        if case.action == "adopt":
            _unused = client_owner.workplace(portal, case).key
    if "destroy" in actions:
        _account = portal.account


def _marked(case: Case, half_created: t.Collection[str]) -> Case:
    return dataclasses.replace(case, half_created=case.client is not None and case.client.id in half_created)


def _apply(
    scene: Scene, cases: t.Sequence[Case], plans: t.Mapping[str, Plan], owners: Owners, progress: Progress
) -> tuple[Scene, list[Case]]:
    """Carry out the plans one after the other, then look again; return what is there now."""
    half = {case.wish.name for case in cases if case.half_created}
    todo = [case for case in in_order(cases) if plans[case.wish.name].changed]
    for number, case in enumerate(todo, start=1):
        if carry_out(scene, case, owners.confirmed.get(case.wish.name)):
            half.add(case.wish.name)
        progress(f"{number} of {len(todo)} clients done")
    names = {case.wish.name for case in todo}
    now = client_scene.look(scene.portal, [case.wish for case in cases])
    looked = {case.wish.name: case for case in client_scene.cases(now, [case.wish for case in todo], progress)}
    after = [dataclasses.replace(looked.get(case.wish.name, case), half_created=case.wish.name in half) for case in cases]
    left = [case.wish.name for case in after if case.wish.name in names and model.plan(case, owners.confirmed).changed]
    if left:
        raise SelfhostError(
            f"The server accepted the requests but did not change {', '.join(left)}.", field="clients", remedy=RERUN
        )
    return now, after


def _values(portal: Portal, cases: t.Sequence[Case], owners: Owners, created: t.Collection[str]) -> Values:
    kept = [case for case in cases if case.wish.present]
    return {
        "provider_id": portal.id,
        "provider_name": portal.name,
        "clients": [model.shown(case, owners.phrases.get(case.wish.name), case.wish.name in created) for case in kept],
        "pending": [found for case in kept for found in model.pending(case, owners.waiting.get(case.wish.name, ""))],
    }


def _warnings(scene: Scene, cases: t.Sequence[Case]) -> list[str]:
    half = [case.client for case in cases if case.half_created and case.client]
    said = [f"{client.name} ({client.id}): {model.HALF_CREATED}." for client in half]
    for pool in scene.pools:
        missing = uncounted(pool, scene.clients) - sum(client.seats for client in half if client.plan == pool.name)
        if missing > 0:
            said.append(
                f"{pool.name}: clients have {missing} seats that the provider's bill does not count. One of them may be created "
                "half way only; a run without check mode that names it finds out."
            )
    return said
