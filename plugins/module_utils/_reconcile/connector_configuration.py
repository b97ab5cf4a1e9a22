# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a Directory Connector's data file to what is declared, in an order that a kill at any moment leaves repeatable."""

from __future__ import annotations

from ansible_collections.bw.selfhost.plugins.module_utils._host.connector import Connector
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_document import (
    Document,
    check_owner,
    differences,
    has_account,
    merged,
    new,
    outdated_cache,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_generations import Generation, check_layout, layout_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_options import Wish
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.connector_session import Session


def check(document: Document, wish: Wish, generation: Generation) -> None:
    """Refuse a data file that another organization has, or that only another program reads."""
    check_layout(layout_of(document), generation)
    check_owner(document, wish.organization_id)


def expected(document: Document, wish: Wish, generation: Generation) -> Plan:
    """Return what is to be changed, as far as that is known without a program that could do it."""
    layout = layout_of(document)
    plan = _migration(layout, generation) if layout and layout.number < generation.number else Plan()
    found = differences(document, wish.sections(layout or generation))
    return plan + (_clearing(found) if outdated_cache(document, wish.sections(layout or generation)) else Plan()) + found


def configure(connector: Connector, session: Session, wish: Wish, generation: Generation) -> Plan:
    """Write what is missing or different, and let the program forget its last sync first if that no longer holds.

    First, because a kill in between then leaves a difference for the next run to find.
    """
    data = connector.data
    document = data.document() or {}
    check(document, wish, generation)
    layout, plan = layout_of(document), Plan()
    if layout and layout.number < generation.number:
        plan += _migration(layout, generation)
        connector.run("data-file")  # any command migrates; this one does nothing else
        document = data.document() or {}
    document = {**({} if layout else new(generation)), **document}
    sections = wish.sections(generation)
    plan += differences(document, sections)
    if generation.nested and not has_account(document, wish.organization_id):
        data.write(merged(document, [section for section in sections if section.name == "server"]))
        session.login()  # only this makes the account that everything else goes into
        document = data.document() or {}
    remaining = differences(document, sections)
    if outdated_cache(document, sections):
        plan = _clearing(remaining) + plan
        connector.run("clear-cache")
        document = data.document() or {}
    if remaining.changed:
        data.write(merged(document, sections))
    return plan


def _migration(layout: Generation, generation: Generation) -> Plan:
    fields = {"generation": layout.number}, {"generation": generation.number}
    return Plan((Change("update", "file", "data.json", *fields, reason="The program migrates it."),))


def _clearing(differing: Plan) -> Plan:
    names = ", ".join(change.name for change in differing.changes)
    return Plan((Change("run", "sync cache", "clear", reason=f"Options have changed: {names}"),))
