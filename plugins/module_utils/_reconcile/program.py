# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs that go on without Ansible: the modules' own code, packed into one file."""

from __future__ import annotations

import importlib.util
import io
import re
import typing as t
import zipfile

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_OURS = __name__.partition(".plugins.")[0] + "."
# Not ast, which takes twenty times as long, in every run of the module.
_IMPORT = re.compile(rf"^ *from ({re.escape(_OURS)}[\w.]+) import (\([^)]*\)|.*)", re.MULTILINE)
_SHEBANG = b"#!/usr/bin/env python3\n"
# A fixed time, so that the same sources always make the same bytes.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def program(entry: str) -> bytes:
    """Return a zip archive for C(python3 FILE ARGUMENTS): it calls C(entry.main(arguments)) and exits with what that returns.

    The archive holds C(entry) and all that it imports of this collection, directly or not; everything else must be Python's own.

    Args:
        entry: full name of a module of this collection.

    Raises:
        SelfhostError: a module's source is not here.
    """
    files = {"__main__.py": f"import sys\n\nfrom {entry} import main\n\nsys.exit(main(sys.argv[1:]))\n"}
    for name, source in _closure(entry).items():
        parts = name.split(".")
        for length in range(1, len(parts)):
            files.setdefault("/".join([*parts[:length], "__init__.py"]), "")
        files["/".join(parts) + ".py"] = source
    archive = io.BytesIO(_SHEBANG)
    archive.seek(0, io.SEEK_END)
    # Stored, because what a compressor makes of the same bytes depends on its version.
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as opened:
        for path in sorted(files):
            opened.writestr(_entry(path), files[path].encode())
    return archive.getvalue()


def _closure(entry: str) -> dict[str, str]:
    """Return the sources of a module and all it imports of this collection, by full name; packages are empty and left out."""
    found: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        source = _source(name)
        if source is not None:
            found[name] = source
            waiting += _imports(source)
        elif name == entry:
            raise SelfhostError("The source of the program is not here.", field=name, remedy="Install the collection anew.")
    return found


def _source(name: str) -> str | None:
    """Return a module's source from wherever Python imports it, which may be an archive; none of a package, class or function."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # the parent is no package: a name inside of a module
        return None
    if spec is None or spec.submodule_search_locations is not None:
        return None
    return t.cast("str | None", t.cast(t.Any, spec.loader).get_source(name))


def _imports(source: str) -> t.Iterator[str]:
    """Return the names of this collection that may be modules: of C(from a.b import c) both C(a.b) and C(a.b.c)."""
    for module, names in _IMPORT.findall(source):
        yield module
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names))


def _entry(path: str) -> zipfile.ZipInfo:
    """Return an archive's entry that looks the same whoever makes it."""
    entry = zipfile.ZipInfo(path, _MOMENT)
    entry.create_system = 3  # Unix
    entry.external_attr = 0o644 << 16
    return entry
