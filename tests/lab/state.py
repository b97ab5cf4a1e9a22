"""The lab's memory: rows of JSON, one table per world and kind."""

from __future__ import annotations

import itertools
import json
import typing as t
from collections import defaultdict

Row = dict[str, t.Any]
Dump = dict[tuple[str, str], dict[str, Row]]


class _Table:
    """Rows by id, in the order of their creation, with an index for every set of fields that was ever asked for."""

    def __init__(self, rows: t.Mapping[str, Row] | None = None) -> None:
        self.rows: dict[str, Row] = dict(rows or {})
        self._numbers = itertools.count(len(self.rows))
        self._order = {row_id: number for number, row_id in enumerate(self.rows)}
        self._indexes: dict[tuple[str, ...], dict[tuple[t.Any, ...], set[str]]] = {}

    def put(self, row: Row) -> None:
        self._forget(row["id"])
        self.rows[row["id"]] = row
        if row["id"] not in self._order:
            self._order[row["id"]] = next(self._numbers)
        for names, index in self._indexes.items():
            index[tuple(map(row.get, names))].add(row["id"])

    def delete(self, row_id: str) -> None:
        self._forget(row_id)
        self.rows.pop(row_id, None)
        self._order.pop(row_id, None)

    def _forget(self, row_id: str) -> None:
        if row := self.rows.get(row_id):
            for names, index in self._indexes.items():
                index[tuple(map(row.get, names))].discard(row_id)

    def hits(self, match: t.Mapping[str, t.Any]) -> t.Collection[str]:
        if not match:
            return self.rows
        names = tuple(sorted(match))
        if names not in self._indexes:
            index = self._indexes[names] = defaultdict(set)
            for row in self.rows.values():
                index[tuple(map(row.get, names))].add(row["id"])
        return self._indexes[names].get(tuple(match[name] for name in names), ())

    def find(self, match: t.Mapping[str, t.Any]) -> t.Iterable[Row]:
        return (self.rows[row_id] for row_id in sorted(self.hits(match), key=self._order.__getitem__))


class State:
    """Rows by (world, kind, id). Kinds are words of the field: C(user), C(organization), C(connection) ...

    A stored row is never changed in place. Callers get copies whose nested values are shared and must not be changed.
    """

    def __init__(self) -> None:
        self._tables: defaultdict[tuple[str, str], _Table] = defaultdict(_Table)

    def get(self, world: str, kind: str, row_id: str) -> Row | None:
        """Return one row."""
        found = self._tables[world, kind].rows.get(row_id)
        return None if found is None else dict(found)

    def find(self, world: str, kind: str, match: t.Mapping[str, t.Any]) -> list[Row]:
        """Return the rows whose fields equal C(match), in the order of their creation."""
        return [dict(row) for row in self._tables[world, kind].find(match)]

    def count(self, world: str, kind: str, match: t.Mapping[str, t.Any]) -> int:
        """Return how many rows have fields that equal C(match)."""
        return len(self._tables[world, kind].hits(match))

    def put(self, world: str, kind: str, row: Row) -> None:
        """Store a row under its C(id)."""
        self._tables[world, kind].put(json.loads(json.dumps(row)))

    def delete(self, world: str, kind: str, row_id: str) -> None:
        """Remove a row, if it is there."""
        self._tables[world, kind].delete(row_id)

    def dump(self) -> Dump:
        """Return everything."""
        return {name: dict(table.rows) for name, table in self._tables.items()}

    def load(self, rows: Dump) -> None:
        """Replace everything."""
        self._tables.clear()
        self._tables.update({name: _Table(table) for name, table in rows.items()})
