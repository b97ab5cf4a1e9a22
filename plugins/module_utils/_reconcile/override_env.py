# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings in bwdata/env/global.override.env: from wanted values to a planned edit."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host import files
from ansible_collections.bw.selfhost.plugins.module_utils._model import settings as catalogue
from ansible_collections.bw.selfhost.plugins.module_utils._model.env_file import EnvFile, Piece
from ansible_collections.bw.selfhost.plugins.module_utils._model.env_value import quote
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import MASK, Change, Plan
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Region
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.file_edit import FileEdit

_NOBODY = 65534  # what the containers use instead of root (run.sh, entrypoint.sh)
_HOST = re.compile(r"https?://([^/:?#\s]+)", re.IGNORECASE)
# Secrets inside values and comments that are none themselves: user:password@ in URLs, Password= in connection strings.
_EMBEDDED = re.compile(r"(?<=://)[^/\s@]+(?=@)|(?<=password=)[^;\s]+|(?<=pwd=)[^;\s]+", re.IGNORECASE)


def plan_settings(
    bwdata: str,
    settings: t.Mapping[str, t.Any],
    absent: t.Iterable[str] = (),
    region: str | None = None,
    allow_unknown: bool = False,
) -> FileEdit:
    """Plan the edit that gives global.override.env the wanted settings.

    Args:
        bwdata: the installation's directory.
        settings: values by full name, as YAML has them; None removes a setting.
        absent: further settings to remove.
        region: C(us) or C(eu): the cloud whose label and addresses the file shall have.
        allow_unknown: accept names that the catalogue does not know.

    Raises:
        SelfhostError: something wanted, or the file, is not as it must be; nothing has been written.
    """
    path = Path(bwdata) / "env/global.override.env"
    file = files.read(path) or _new(path)
    document = EnvFile.parse(file.data or b"")
    old = document.pieces
    wanted, warnings = _checked(settings, absent, allow_unknown)
    if region:
        wanted = _with_region(REGIONS[region], wanted, document)
    warnings += _removals_in_doubt(document, wanted)
    # Removals first: they may make room for the right spelling of a name.
    ordered = sorted(wanted.items(), key=lambda item: item[1] is not None)
    changes = [change for name, value in ordered for change in _change(document, name, value)]
    _check_result(document, wanted)
    if file.mode & 0o077:
        warnings.append(f"{path} holds secrets, and others may read it (mode {file.mode:04o}). Setup writes it with mode 0600.")
    before, after = _shown(old, document.pieces)
    return FileEdit(file, document.render(), Plan(tuple(changes)), before, after, warnings + _oddities(document))


def _new(path: Path) -> files.File:
    """Describe the file that does not exist yet: private, and owned as Setup would."""
    try:
        status = path.parent.stat()
    except OSError:
        remedy = "Set bwdata to the directory that bitwarden.sh install made."
        raise SelfhostError("The directory does not exist.", field=str(path.parent), remedy=remedy) from None
    ids = files.read(path.with_name("uid.env"))
    owner = EnvFile.parse(ids.data or b"").effective({}) if ids else {}
    uid, gid = (
        int(owner[key]) or _NOBODY if owner.get(key, "").isdigit() else default
        for key, default in (("LOCAL_UID", status.st_uid), ("LOCAL_GID", status.st_gid))
    )
    return files.File(path, None, 0o600, uid, gid)


def _checked(
    settings: t.Mapping[str, t.Any], absent: t.Iterable[str], allow_unknown: bool
) -> tuple[dict[str, str | None], list[str]]:
    """Return every wanted setting as text, None for those to remove, and warnings."""
    wanted: dict[str, str | None] = {}
    warnings: list[str] = []
    problems: list[SelfhostError] = []
    spellings: dict[str, str] = {}
    for name, value in [*((str(name), value) for name, value in settings.items()), *((name, None) for name in absent)]:
        try:
            if wanted.get(name) is not None:
                raise SelfhostError("It is in settings and in absent.", field=name, remedy="Decide for one of them.")
            if value is None:
                catalogue.check_removal(name)
                wanted[name] = None
                continue
            other = spellings.setdefault(name.lower(), name)
            if other != name:
                raise SelfhostError(f"It is the same setting as {other}.", field=name, remedy="Give it once.")
            warning = catalogue.check_name(name, allow_unknown=allow_unknown)
            warnings += [warning] if warning else []
            wanted[name] = catalogue.to_text(name, value)
            quote(name, wanted[name] or "", single_quotes=name not in catalogue.SETUP_READS)
        except SelfhostError as problem:
            problems.append(problem)
    refuse_all(problems)
    return wanted, warnings


def _with_region(region: Region, wanted: dict[str, str | None], document: EnvFile) -> dict[str, str | None]:
    """Add a region's settings, refusing what contradicts it."""
    refuse_all(
        [
            SelfhostError(f"The value contradicts region: {region.name}.", field=name, remedy="Leave one of the two out.")
            for name in region.settings
            if name in wanted and (wanted[name] is None or _region(name, wanted[name]) not in (None, region))
        ]
    )
    registered = _region(catalogue.CLOUD_REGION, document.get(catalogue.CLOUD_REGION))
    identity = (catalogue.INSTALLATION_ID, catalogue.INSTALLATION_KEY)
    if registered and registered != region and not all(wanted.get(name) for name in identity):
        raise SelfhostError(
            f"cloudRegion in the file says that the installation is registered in region {registered.name}; "
            f"its id and key are worth nothing in region {region.name}.",
            field="region",
            remedy=f"Correct the region, or also give {' and '.join(identity)} of that region.",
        )
    return {**region.settings, **wanted}


def _region(name: str, value: str | None) -> Region | None:
    """Return the region a label or address belongs to; None for addresses and texts of one's own."""
    if name == catalogue.CLOUD_REGION:
        return next((region for region in REGIONS.values() if region.label == (value or "").upper()), None)
    host = _HOST.match(value or "")
    return next((region for region in REGIONS.values() if host and f".{host[1]}".endswith(f".{region.domain}")), None)


def _change(document: EnvFile, name: str, value: str | None) -> t.Iterator[Change]:
    exists, current = name in document, document.get(name)
    if value is None:
        changed = document.unset(name)
    elif catalogue.same(name, current, value):
        return
    else:
        changed = document.set(name, value, single_quotes=name not in catalogue.SETUP_READS)
    if changed:
        action = "delete" if value is None else "update" if exists else "create"
        old = {"value": "(refers to variables)" if current is None else _harmless(current)} if exists else {}
        new = {} if value is None else {"value": _harmless(value)}
        yield Change(action, "setting", name, old, new, frozenset({"value"} if catalogue.is_secret(name) else ()))


def _check_result(document: EnvFile, wanted: t.Mapping[str, str | None]) -> None:
    """Refuse a result that Compose would not start, or that leaves the outcome of this task open."""
    document.check()
    mine = {name.lower(): name for name, value in wanted.items() if value is not None}
    refuse_all(
        [
            SelfhostError(
                f"The file also has {key} (line {numbers[-1]}), and which spelling wins is not defined.",
                field=mine[key.lower()],
                remedy=f"Remove the other one: absent: [{key}].",
            )
            for key, numbers in document.lines.items()
            if mine.get(key.lower(), key) != key
        ]
    )


def _removals_in_doubt(document: EnvFile, wanted: t.Mapping[str, str | None]) -> list[str]:
    names = [name for name, value in wanted.items() if value is None and name not in document]
    doubts = ((name, catalogue.doubt(name)) for name in names)
    return [f"{name} is not in the file. Did you mean {meant}?" for name, meant in doubts if meant]


def _oddities(document: EnvFile) -> list[str]:
    """Return what is odd about the file as it will be."""
    lines = document.lines
    repeated = [f"{key} (lines {', '.join(map(str, numbers))})" for key, numbers in lines.items() if len(numbers) > 1]
    spellings: dict[str, list[str]] = {}
    for key in lines:
        spellings.setdefault(key.lower(), []).append(key)
    varied = [" and ".join(names) for names in spellings.values() if len(names) > 1]
    warnings = [f"Set more than once, the last one counts: {_some(repeated)}."] if repeated else []
    warnings += [f"One setting in several spellings, which one wins is not defined: {_some(varied)}."] if varied else []
    missing = [name for name in catalogue.NEEDED if name in lines and catalogue.is_missing(name, document.get(name) or "")]
    warnings += [f"The server has no value yet for {', '.join(missing)}."] if missing else []
    return warnings + _region_mix(document)


def _some(texts: list[str], most: int = 5) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def _region_mix(document: EnvFile) -> list[str]:
    """Say when the label names one region and the addresses, their defaults included, another."""
    label = _region(catalogue.CLOUD_REGION, document.get(catalogue.CLOUD_REGION))
    if label is None:
        return []
    others = [
        name
        for name, default in REGIONS["us"].settings.items()
        if _region(name, document.get(name) if name in document else default) not in (None, label)
    ]
    return [f"cloudRegion is {label.label}, but not so {', '.join(others)}. Set region: {label.name}."] if others else []


def _shown(before: t.Sequence[Piece], after: t.Sequence[Piece]) -> tuple[str, str]:
    """Return both documents as texts without secrets, which differ where the documents do."""
    olds, news = ({piece.text for piece in pieces} for pieces in (before, after))
    old = "".join(_show(piece, MASK if piece.text in news else f"{MASK} (old)") for piece in before)
    new = "".join(_show(piece, MASK if piece.text in olds else f"{MASK} (new)") for piece in after)
    return old, new


def _show(piece: Piece, mask: str) -> str:
    if any(map(catalogue.is_secret, (piece.text,) if piece.key is None else (piece.key, piece.comment))):
        return f"# {mask}\n" if piece.key is None else f"{piece.key}={mask}\n"
    return _harmless(piece.text, mask)


def _harmless(text: str, mask: str = MASK) -> str:
    """Mask secrets inside a text, and replace bytes that are not UTF-8, which a result cannot carry."""
    return _EMBEDDED.sub(mask, text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
