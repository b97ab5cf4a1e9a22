# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of several things an id or a name means."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Entry = t.Mapping[str, t.Any]


def choose(entries: t.Iterable[Entry], params: t.Mapping[str, t.Any], noun: str) -> Entry | None:
    """Return the entry that the options C(<noun>_id) or C(<noun>_name) mean; the only one if neither is given; None without any.

    Args:
        entries: the wire's dictionaries with C(id) and C(name).
        params: the module's options.
        noun: C(organization) or C(provider).
    """
    field, wanted = named(params, noun)
    if field.endswith("_id") and wanted:
        found = [entry for entry in entries if entry["id"].lower() == wanted.lower()]
    else:
        found = [entry for entry in entries if not wanted or entry["name"] == wanted]
    if len(found) > 1:
        names = ", ".join(f"{entry['name']} ({entry['id']})" for entry in found)
        raise SelfhostError(f"Several {noun}s could be meant: {names}.", field=field, remedy=f"Set {noun}_id.")
    return found[0] if found else None


def named(params: t.Mapping[str, t.Any], noun: str) -> tuple[str, str | None]:
    """Return the option that says which one is meant, and its value."""
    by_name = bool(params.get(f"{noun}_name")) and not params.get(f"{noun}_id")
    field = f"{noun}_name" if by_name else f"{noun}_id"
    return field, params.get(field)
