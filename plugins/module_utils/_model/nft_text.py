# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""nftables' JSON as the text that people know from C(nft list ruleset)."""

from __future__ import annotations

import json
import typing as t

_SHOWN_AS_NAME = ("accept", "drop", "reject", "return", "continue", "counter", "queue", "masquerade", "limit", "log", "notrack")
_INFIX = ("&", "|", "^", "<<", ">>")


def rule_text(statements: t.Iterable[t.Any]) -> str:
    """Return one rule; what we have no words for stays JSON."""
    return " ".join(_text(statement) for statement in statements if not (isinstance(statement, dict) and "counter" in statement))


def _text(value: t.Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if not isinstance(value, dict) or len(value) != 1:
        return value if isinstance(value, str) else json.dumps(value)
    ((kind, inner),) = value.items()
    try:
        return _WRITERS[kind](inner)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return kind if kind in _SHOWN_AS_NAME else json.dumps(value)


def _infix(sign: str) -> t.Callable[[t.Any], str]:
    return lambda sides: f" {sign} ".join(map(_text, sides))


def _match(match: t.Any) -> str:
    sign = "" if match["op"] in ("==", "in") else f"{match['op']} "
    return f"{_text(match['left'])} {sign}{_text(match['right'])}"


def _pair(pair: t.Any) -> str:
    return f"{_text(pair[0])} : {_text(pair[1])}" if isinstance(pair, list) else _text(pair)


_WRITERS: dict[str, t.Callable[[t.Any], str]] = {
    "match": _match,
    "payload": lambda inner: f"{inner['protocol']} {inner['field']}",
    "meta": lambda inner: inner["key"] if inner["key"] in ("iifname", "oifname", "iif", "oif") else f"meta {inner['key']}",
    "ct": lambda inner: f"ct {inner['key']}",
    "fib": lambda inner: f"fib {_infix('.')(inner['flags'])} {inner['result']}",
    "prefix": lambda inner: f"{inner['addr']}/{inner['len']}",
    "range": lambda inner: "-".join(map(_text, inner)),
    "concat": _infix("."),
    "elem": lambda inner: _text(inner["val"]),
    "set": lambda inner: f"{{ {', '.join(map(_pair, inner))} }}",
    "vmap": lambda inner: f"{_text(inner['key'])} vmap {_text(inner['data'])}",
    "jump": lambda inner: f"jump {inner['target']}",
    "goto": lambda inner: f"goto {inner['target']}",
    **{sign: _infix(sign) for sign in _INFIX},
}
