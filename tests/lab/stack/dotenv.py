"""How Docker Compose 2.11.2 and later reads an env file.

Written from measurements of Compose and without a look at the product's parser, so that a mistake in one is seen by the other.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Lookup = t.Callable[[str], str | None]
    Warn = t.Callable[[str], None]

_BLANKS = " \t\v\f\r\x85\xa0"
_SPACES = _BLANKS + "\n"
_KEY_SIGNS = "_.-[]"
_EXPORT = re.compile(r"export[ \t\v\f\r\x85\xa0]+")
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\", "$": "$$"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*))?\Z", re.DOTALL)


class EnvError(Exception):
    """A line that makes Compose give up. The text starts with C(line <n>)."""


def parse(raw: bytes, lookup: Lookup, warn: Warn) -> dict[str, str]:
    """Read a whole file. `lookup` answers for variables from outside; keys of this file come after it."""
    text = raw.decode("utf-8-sig", "surrogateescape")
    found: dict[str, str] = {}

    def resolve(name: str) -> str | None:
        value = lookup(name)
        return found.get(name) if value is None else value

    position = _statement(text, 0)
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        try:
            key, separator, position = _key(text, position)
            if separator == "\n":
                inherited = lookup(key)
                if inherited is not None:
                    found[key] = inherited
            else:
                found[key], position = _value(text, position, resolve, warn)
        except EnvError as error:
            raise EnvError(f"line {line}: {error}") from None
        position = _statement(text, position)
    return found


def _statement(text: str, position: int) -> int:
    """Where the next statement starts: behind white space and comment lines."""
    while position < len(text):
        if text[position].isspace():
            position += 1
        elif text[position] == "#":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        else:
            break
    return position


def _key(text: str, start: int) -> tuple[str, str, int]:
    """Key, what ended it and where the value begins. A last line without separator is a value with an empty key."""
    export = _EXPORT.match(text, start)
    start = export.end() if export else start
    for position in range(start, len(text)):
        sign = text[position]
        if sign in "=:\n":
            key = text[start:position].rstrip(_SPACES)
            if " " in key:
                raise EnvError("key cannot contain a space")
            return key, sign, _skip_blanks(text, position + 1)
        if not (sign in _BLANKS or sign in _KEY_SIGNS or sign.isalpha() or sign.isnumeric()):
            line = text[start:].split("\n", 1)[0]
            raise EnvError(f'unexpected character "{sign}" in variable name "{line}"')
    return "", "", start


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANKS:
        position += 1
    return position


def _value(text: str, start: int, lookup: Lookup, warn: Warn) -> tuple[str, int]:
    quote = text[start : start + 1]
    if quote not in ('"', "'"):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        bare = text[start:end].split(" #", 1)[0].rstrip(_SPACES)
        return substitute(bare, lookup, warn), min(end + 1, len(text))
    body, end = _quoted(text, start)
    if quote == '"':
        body = substitute(_ESCAPE.sub(_unescape, body), lookup, warn)
    return body, end


def _quoted(text: str, start: int) -> tuple[str, int]:
    """The text between the quotes, escaped quotes resolved, and the position behind the closing quote."""
    quote, position, body = text[start], start + 1, ""
    while position < len(text):
        sign = text[position]
        if sign == quote:
            return body, position + 1
        if sign == "\\" and position + 1 < len(text):
            position += 1
            sign = quote if text[position] == quote else sign + text[position]
        body += sign
        position += 1
    raise EnvError("unterminated quoted value " + text[start:].split("\n", 1)[0])


def _unescape(match: re.Match[str]) -> str:
    escape = match.group()[1:]
    if escape in _ESCAPED:
        return _ESCAPED[escape]
    if escape[0] == "0" and re.fullmatch("[0-3][0-7][0-7]", escape[1:]):
        return chr(int(escape[1:], 8))
    return match.group()


def substitute(template: str, lookup: Lookup, warn: Warn) -> str:
    """Compose's interpolation: $$, $NAME, ${NAME} and ${NAME:-text} with its relatives; any other $ stays."""
    result, position = "", 0
    while True:
        dollar = template.find("$", position)
        if dollar < 0:
            return result + template[position:]
        result += template[position:dollar]
        text, position = _variable(template, dollar + 1, lookup, warn)
        result += text


def _variable(template: str, start: int, lookup: Lookup, warn: Warn) -> tuple[str, int]:
    """What stands for the `$` before `start`, and where the text goes on."""
    if template.startswith("$", start):
        return "$", start + 1
    name = _NAME.match(template, start)
    if name:
        return _known(name.group(), lookup, warn), name.end()
    if not template.startswith("{", start):
        return "$", start
    end = _closing_brace(template, start)
    braced = _BRACED.match(template[start + 1 : end]) if end > 0 else None
    if braced is None:
        raise EnvError(f'Invalid template: "{template}"')
    return _braced(braced, lookup, warn), end + 1


def _closing_brace(template: str, start: int) -> int:
    depth = 0
    for position in range(start, len(template)):
        depth += {"{": 1, "}": -1}.get(template[position], 0)
        if depth == 0:
            return position
    return -1


def _known(name: str, lookup: Lookup, warn: Warn) -> str:
    value = lookup(name)
    if value is None:
        warn(f'The "{name}" variable is not set. Defaulting to a blank string.')
    return value or ""


def _braced(match: re.Match[str], lookup: Lookup, warn: Warn) -> str:
    name, operator, text = match.groups()
    if not operator:
        return _known(name, lookup, warn)
    value = lookup(name)
    is_set = bool(value) if operator[0] == ":" else value is not None
    if operator[-1] == "+":
        return substitute(text, lookup, warn) if is_set else ""
    if is_set:
        return value or ""
    if operator[-1] == "?":
        raise EnvError(f"required variable {name} is missing a value: {substitute(text, lookup, warn)}")
    return substitute(text, lookup, warn)
