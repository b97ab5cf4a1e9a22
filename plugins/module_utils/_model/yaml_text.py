# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Data as YAML with comments, which no library writes: one value a line, in quotes unless nobody could mistake it."""

from __future__ import annotations

import re
import typing as t

Comments = t.Mapping[str, t.Sequence[str]]

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ .@/-]+[A-Za-z0-9_]+)*", re.ASCII)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}  # YAML 1.1 takes them for something else
_TEMPLATE = re.compile(r"\{[{%#]")


def lines(value: t.Any, comments: Comments, path: str = "") -> t.Iterator[str]:
    """Yield the lines of a dictionary or a list with something in it.

    Args:
        value: of dictionaries, lists, texts, numbers, booleans and None.
        comments: path such as C(sso.oidc), in which lists do not count -> what is said above it.
        path: where the value is.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            below = f"{path}.{name}".lstrip(".")
            yield from (f"# {comment}" for comment in comments.get(below, ()))
            yield from _entry(f"{scalar(name)}:", inner, comments, below)
    else:
        for inner in value:
            head, *rest = lines(inner, comments, path) if _is_block(inner) else [scalar(inner)]
            yield f"- {head}"
            yield from (f"  {line}" for line in rest)


def _entry(head: str, value: t.Any, comments: Comments, path: str) -> t.Iterator[str]:
    if not _is_block(value):
        yield f"{head} {scalar(value)}"
        return
    yield head
    yield from (f"  {line}" for line in lines(value, comments, path))


def _is_block(value: t.Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def scalar(value: t.Any) -> str:
    """Return one value on one line."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "[]" if isinstance(value, list) else "{}"
    return "null" if value is None else str(value)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    escaped = "".join(_ESCAPES.get(char, char) if char.isprintable() else f"\\U{ord(char):08X}" for char in text)
    # Without the tag, Ansible would evaluate a name that looks like a template.
    return f'!unsafe "{escaped}"' if _TEMPLATE.search(text) else f'"{escaped}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\"}
