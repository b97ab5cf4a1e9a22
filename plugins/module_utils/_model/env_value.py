# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One value of an env file: what Docker Compose makes of its text, and how to write it.

Source of the reading rules: compose-spec/compose-go dotenv/ and template/, as of Docker Compose 2.24 and later.
Source of the writing rules: what Compose 1.26 and later and Bitwarden's Setup (bitwarden/server
util/Setup/EnvironmentFileBuilder.cs) read alike.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

# What Go's unicode.IsSpace calls space; Python's own idea of it knows more characters.
SPACES = "\n\t\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

_NAME = "[_A-Za-z][_A-Za-z0-9]*"
_REFERENCE = re.compile(
    rf"\$(?:\$|(?P<named>{_NAME})|\{{(?:(?P<braced>{_NAME})(?:(?P<colon>:?)(?P<operator>[-+?])(?P<word>.*))?\}})?)"
)
_ESCAPE = re.compile(r'\\(?:([abfnrtv"\\$])|0(\d{0,3}))')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\", "$": "$$"}


def unquote(raw: str) -> tuple[str, bool]:
    """Return the text inside a value's quotes, escapes undone, and whether C($) is special in it."""
    mark = raw[:1]
    if mark not in ("'", '"') or not mark:
        return raw, True
    text = re.sub(r"\\(.)", lambda match: match[1] if match[1] == mark else match[0], raw[1:-1], flags=re.DOTALL)
    if mark == "'":
        return text, False
    return _ESCAPE.sub(_unescape, text), True


def literal(raw: str) -> str | None:
    """Return the value of a raw text, or None when it refers to variables (or tries to, and Compose refuses it)."""
    text, interpolated = unquote(raw)
    if not interpolated or "$" not in text:
        return text
    if any(match[0] != "$$" for match in _REFERENCE.finditer(text)):
        return None
    return text.replace("$$", "$")


def interpolate(raw: str, lookup: t.Callable[[str], str | None]) -> str:
    """Return the value of a raw text, its variables replaced.

    Raises:
        ValueError: Compose would refuse the text; says why without quoting it.
    """
    text, interpolated = unquote(raw)
    if not interpolated or "$" not in text:
        return text
    try:
        return _substitute(text, lookup)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def quote(key: str, value: str, *, single_quotes: bool = True) -> str:
    """Return the first way to write a value that every reader understands alike.

    Args:
        key: only named in errors.
        value: what the containers shall see.
        single_quotes: False for keys that Setup reads itself, because it only takes off double quotes.

    Raises:
        SelfhostError: there is no such way; the value is not in the text.
    """
    problem = _unwritable(value)
    if problem is None:
        if _bare(value) and (single_quotes or '"' not in value):
            return value
        if single_quotes and "'" not in value and not value.endswith("\\"):
            return f"'{value}'"
        if not any(character in value for character in '"$\\'):
            return f'"{value}"'
        problem = "mixes quotes, backslashes, # and $ in a way that not every reader of the file understands alike"
        if not single_quotes:
            problem = "holds a quote, a backslash or a $, and Setup reads this key without undoing single quotes"
    raise SelfhostError(f"The value {problem}.", field=key, remedy="Choose a value without these characters.")


def _unescape(match: re.Match[str]) -> str:
    if match[1]:
        return _ESCAPED[match[1]]
    digits = match[2]
    return chr(int(digits, 8)) if re.fullmatch("[0-3][0-7]{2}", digits) else f"\\{digits}"


def _unwritable(value: str) -> str | None:
    if any(character in value for character in "\n\r\0"):
        return "has a line break or a NUL character"
    if '\\"' in value:
        return 'has a backslash before a double quote (\\"), which Setup drops at the next rebuild'
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid Unicode text"
    return None


def _bare(value: str) -> bool:
    return value.strip(SPACES) == value and value[:1] not in ('"', "'") and "#" not in value and "$" not in value


def _substitute(text: str, lookup: t.Callable[[str], str | None]) -> str:
    return _REFERENCE.sub(lambda match: _replacement(match[0], lookup), text)


def _replacement(reference: str, lookup: t.Callable[[str], str | None]) -> str:
    if reference == "$$":
        return "$"
    end = _closing_brace(reference)
    match = t.cast("re.Match[str]", _REFERENCE.match(reference[:end]))
    name = match["named"] or match["braced"]
    if not name:
        raise ValueError("a brace is not closed")
    value = lookup(name)
    return (value or "" if match["operator"] is None else _operate(match, value, lookup)) + _substitute(reference[end:], lookup)


def _operate(match: re.Match[str], value: str | None, lookup: t.Callable[[str], str | None]) -> str:
    """Apply C(${NAME-word}), C(${NAME+word}) or C(${NAME?word}); a colon makes empty count as unset."""
    present = value is not None and (value != "" or not match["colon"])
    if match["operator"] == "?" and not present:
        raise ValueError("a required variable is missing")
    if (match["operator"] == "+") == present and match["operator"] != "?":
        return _substitute(match["word"], lookup)
    return value or ""


def _closing_brace(reference: str) -> int:
    """Return the offset behind the brace that closes the first one; the whole length when none does."""
    depth = 0
    for match in re.finditer(r"\{.?|\}", reference, re.DOTALL):
        depth += 1 if match[0][0] == "{" else -1
        if depth == 0:
            return match.end()
    return len(reference)
