# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The typed catalogue of what global.override.env may say; the data stands in settings_data.py."""

from __future__ import annotations

import difflib
import re
import typing as t
from functools import cache

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.settings_data import ELSEWHERE, REMOVED, SETTINGS, SETUP_ORDER

INSTALLATION_ID = "globalSettings__installation__id"
INSTALLATION_KEY = "globalSettings__installation__key"
CLOUD_REGION = "globalSettings__baseServiceUri__cloudRegion"
PUSH_RELAY = "globalSettings__pushRelayBaseUri"
# Setup creates these again at the next rebuild, with new random or default values; the push relay it only knows as a placeholder.
SETUP_OWNED = frozenset(SETUP_ORDER) - {PUSH_RELAY}
# Setup reads these from the file itself and only takes off double quotes (EnvironmentFileBuilder.cs, Program.cs).
SETUP_READS = frozenset(
    {
        "globalSettings__sqlServer__connectionString",
        "globalSettings__sqlServer__migrationExecutionTimeoutSeconds",
        "globalSettings__identityServer__certificatePassword",
        "globalSettings__baseServiceUri__vault",
        PUSH_RELAY,
    }
)
# No service starts, or reaches the cloud, while these are placeholders.
NEEDED = (INSTALLATION_ID, INSTALLATION_KEY)

_ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_UNSET = {"placeholder": ("", "SECRET", "REPLACE"), "empty": ("",)}
_RANGES = {"globalSettings__mail__smtp__port": (1, 65535)}
_INT = (-(2**31), 2**31 - 1)
# kind: what a value must match, and how to say so
_FORMS = {
    "bool": (r"(?i:true|false)", "true or false (a word such as yes, no, 1 or 0 stops the services at their start)"),
    "int": (r"-?[0-9]{1,10}", "a whole number"),
    "number": (r"-?[0-9]+(\.[0-9]+)?", "a number"),
    "uri": (r"https?://[^\s/?#]+\S*", "a URL such as https://host.example.com, without blanks"),
    "guid": (r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "a GUID of 32 hexadecimal digits with dashes"),
    "email": (r"[^@\s,]+@[^@\s,]+", "one e-mail address"),
    "emails": (r"\s*([^@\s,]+@[^@\s,]+\s*(,\s*|$))+", "e-mail addresses separated by commas"),
    "timespan": (r"-?([0-9]+\.)?[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?", "a time span such as 00:15:00 or 7.00:00:00"),
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_SECRET_WORD = re.compile(r"passw|pwd|secret|key|token|credential|connection_?string|dsn", re.IGNORECASE)
_WILD = ("N", "KEY", "ROLE", "CATEGORY", "FLAG")


class Setting(t.NamedTuple):
    """One environment key: its name as the server's own tools spell it, what it takes and who uses it."""

    name: str
    kind: str
    use: str
    extra: str
    since: str

    @property
    def secret(self) -> bool:
        """Whether the value must never be shown."""
        return self.kind == "secret"

    @property
    def values(self) -> list[str]:
        """The words an enumeration takes; empty for other kinds."""
        return self.kind.split("|") if "|" in self.kind else []

    def is_unset(self, text: str) -> bool:
        """Whether the server takes this text for "not set"."""
        return text.strip().upper() in _UNSET.get(self.extra, ())


class _Table:
    """Rows by name in any case; a segment such as N or KEY in a row's name stands for any index or word."""

    def __init__(self, rows: t.Iterable[tuple[t.Any, ...]]) -> None:
        self.rows = {row[0].lower(): row for row in rows}
        self._wild = [(_pattern(row[0]), row) for row in self.rows.values() if any(p in _WILD for p in row[0].split("__"))]
        self._exact = {name: row for name, row in self.rows.items() if all(row is not other for pattern, other in self._wild)}
        self._any_wild = re.compile("|".join(pattern for pattern, row in self._wild) or "(?!)", re.IGNORECASE)

    def find(self, name: str) -> tuple[t.Any, ...] | None:
        """Return the row for a name, its first cell being the name in the right spelling."""
        if not self._any_wild.fullmatch(name):
            return self._exact.get(name.lower())
        for pattern, candidate in self._wild:
            match = re.fullmatch(pattern, name, re.IGNORECASE)
            if match:
                words = iter(match.groups())
                spelled = "__".join(next(words) if part in _WILD else part for part in candidate[0].split("__"))
                return (spelled, *candidate[1:])
        return None


def _pattern(name: str) -> str:
    return "__".join({"N": "([0-9]+)"}.get(part, "(.+)") if part in _WILD else re.escape(part) for part in name.split("__"))


_KNOWN, _REMOVED, _ELSEWHERE = _Table(SETTINGS), _Table(REMOVED), _Table(ELSEWHERE)


def find(name: str) -> Setting | None:
    """Return the setting a name stands for, in any case, list index and map key filled in; None for an unknown name."""
    row = _KNOWN.find(name)
    return None if row is None else Setting(*row)


@cache
def is_secret(name: str) -> bool:
    """Say whether a key's value must not be shown: by the catalogue, or by its name when the catalogue does not know it."""
    if not _SECRET_WORD.search(name):  # every secret of the catalogue has such a word in its name
        return False
    setting, other = find(name), _REMOVED.find(name) or _ELSEWHERE.find(name)
    return setting.secret if setting is not None else other is None or bool(other[-1])


def may_be_masked(value: object) -> bool:
    """Say whether a secret can be masked wherever it occurs; short and common words would garble every text."""
    return len(str(value)) >= 6 and str(value).upper() not in _UNSET["placeholder"]


def suggest(name: str) -> str | None:
    """Return the known setting somebody probably meant."""
    lowered = name.lower()
    ends = [row for row in _KNOWN.rows if row.endswith(f"__{lowered}")]
    close = ends or difflib.get_close_matches(lowered, _KNOWN.rows, n=1, cutoff=0.75)
    return _KNOWN.rows[close[0]][0].replace("__N", "__0") if close else None


def doubt(name: str) -> str | None:
    """Return the setting somebody may have meant by a name of which nothing is known; None for known names."""
    return None if find(name) or _REMOVED.find(name) or _ELSEWHERE.find(name) else suggest(name)


def check_name(name: str, *, allow_unknown: bool) -> str | None:
    """Judge whether a key may be set.

    Args:
        name: the key as the operator wrote it.
        allow_unknown: accept what the catalogue does not know, or knows to have no effect.

    Returns: a warning, or None.

    Raises:
        SelfhostError: it may not.
    """
    setting = find(name)
    problem = _misplaced(name) if setting is None else _misused(name, setting)
    if problem is None:
        if setting is not None and setting.use == "cloud_only":
            return f"{name} has no effect on a self-hosted server."
        return None
    if allow_unknown and setting is None and _NAME.fullmatch(name):
        return str(problem)
    raise problem


def check_removal(name: str) -> None:
    """Refuse to remove what Setup would create again with another value."""
    if name in SETUP_OWNED:
        setting = find(name)
        raise SelfhostError(
            "Setup owns this setting: without it the next rebuild or update writes a default or a new random value.",
            field=name,
            remedy=f"Give it another value instead of removing it{', such as REPLACE' if setting and setting.extra else ''}.",
        )


def to_text(name: str, value: object) -> str:
    """Return a value as the text of the env file.

    Args:
        name: the key.
        value: what YAML made of the operator's value: a text, a boolean or a number.

    Raises:
        SelfhostError: the value is not of the setting's type; the value is not in the text.
    """
    setting = find(name)
    if isinstance(value, (list, dict)):
        remedy = f"Give every item a setting of its own: {name}__0, {name}__1 ..."
        raise SelfhostError("The value is a list or mapping.", field=name, remedy=remedy)
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if setting is None or setting.is_unset(text):
        return text
    expected = _expected(setting, text)
    if expected:
        raise SelfhostError(f"The value is not {expected}.", field=name, remedy="Correct the value.")
    return text.lower() if setting.kind == "bool" else text


def same(name: str, current: str | None, wanted: str) -> bool:
    """Say whether a value in the file means the wanted one."""
    setting = find(name)
    if current is not None and setting is not None and setting.kind == "bool":
        return current.lower() == wanted
    return current == wanted


def is_missing(name: str, value: str) -> bool:
    """Say whether a value stands for one that the operator has yet to give."""
    setting = find(name)
    return value == _ZERO_GUID if name == INSTALLATION_ID else setting is not None and setting.is_unset(value)


def _misplaced(name: str) -> SelfhostError | None:
    """Say what is wrong with a name that is not in the catalogue."""
    removed, elsewhere, close = _REMOVED.find(name), _ELSEWHERE.find(name), suggest(name)
    if elsewhere is not None:
        return SelfhostError(
            "No service that gets this file reads this setting.", field=name, remedy=f"It belongs into {elsewhere[1]}."
        )
    if removed is not None:
        instead = f"Use {removed[2]} instead." if removed[2] else "Remove it; it has no successor."
        return SelfhostError(f"The server does not know this setting since release {removed[1]}.", field=name, remedy=instead)
    return SelfhostError(
        "The server has no such setting.",
        field=name,
        remedy=f"Did you mean {close}?" if close else "Check the name; allow_unknown accepts every name.",
    )


def _misused(name: str, setting: Setting) -> SelfhostError | None:
    """Say what is wrong with a name that is in the catalogue, in some spelling."""
    if name != setting.name:
        cause = "The name is spelled in another case: for Compose and Setup that is a second setting."
        return SelfhostError(cause, field=name, remedy=f"Write {setting.name}.")
    if setting.use == "generated":
        return SelfhostError("The images fix this setting; another value breaks the server.", field=name, remedy="Leave it out.")
    return None


def _expected(setting: Setting, text: str) -> str:
    """Return what a value should have been; empty when it is that."""
    if setting.values:
        return "" if text in setting.values else f"one of {', '.join(setting.values)}"
    pattern, description = _FORMS.get(setting.kind, (r"(?s:.*)", ""))
    if not re.fullmatch(pattern, text):
        return description
    if setting.kind == "int":
        low, high = _RANGES.get(setting.name, _INT)
        return "" if low <= int(text) <= high else f"between {low} and {high}"
    if setting.name == INSTALLATION_ID and text == _ZERO_GUID:
        return "an installation id: all zeros stop the services at their start"
    return ""
