"""The lab's memory: rows of JSON in SQLite, one table for all worlds."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import typing as t
from pathlib import Path

Row = dict[str, t.Any]


class State:
    """Rows by (world, kind, id). Kinds are words of the field: C(user), C(organization), C(connection) ..."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # Nothing here must survive a power cut, and a reset has to be quick.
        self._db.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;")
        self._db.execute("CREATE TABLE rows (world, kind, id, body, PRIMARY KEY (world, kind, id))")

    def get(self, world: str, kind: str, row_id: str) -> Row | None:
        """Return one row."""
        found = self._db.execute(
            "SELECT body FROM rows WHERE world = ? AND kind = ? AND id = ?", (world, kind, row_id)
        ).fetchone()
        return json.loads(found[0]) if found else None

    def find(self, world: str, kind: str, match: t.Mapping[str, t.Any]) -> list[Row]:
        """Return the rows whose fields equal C(match), in the order of their creation."""
        bodies = self._db.execute("SELECT body FROM rows WHERE world = ? AND kind = ? ORDER BY rowid", (world, kind))
        rows = [json.loads(body) for (body,) in bodies]
        return [row for row in rows if all(row.get(key) == value for key, value in match.items())]

    def put(self, world: str, kind: str, row: Row) -> None:
        """Store a row under its C(id)."""
        self._db.execute(
            "INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT (world, kind, id) DO UPDATE SET body = excluded.body",
            (world, kind, row["id"], json.dumps(row)),
        )

    def delete(self, world: str, kind: str, row_id: str) -> None:
        """Remove a row, if it is there."""
        self._db.execute("DELETE FROM rows WHERE world = ? AND kind = ? AND id = ?", (world, kind, row_id))

    def dump(self) -> list[tuple[str, str, str, str]]:
        """Return everything."""
        return self._db.execute("SELECT world, kind, id, body FROM rows ORDER BY rowid").fetchall()

    def load(self, rows: t.Iterable[tuple[str, str, str, str]]) -> None:
        """Replace everything."""
        with self.together():
            self._db.execute("DELETE FROM rows")
            self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)

    @contextlib.contextmanager
    def together(self) -> t.Iterator[None]:
        """Write many rows at once."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self._db.close()
