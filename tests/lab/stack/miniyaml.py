"""The small part of YAML that config.yml and compose files use: block maps, block and flow lists, plain and quoted scalars.

Every scalar is returned as text, an empty one and `null` as None. What is not understood is an error, never a guess.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{},#&*!|>%@-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+(.*)|)\Z""")


class YamlError(Exception):
    """The text is not in the supported part of YAML."""


def load(text: str) -> t.Any:
    lines = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        content = _without_comment(line).rstrip()
        if content.strip() and content != "---":
            lines.append((len(content) - len(content.lstrip(" ")), content.lstrip(" "), number))
    if not lines:
        return None
    reader = _Reader(lines)
    value = reader.block(lines[0][0])
    if reader.position < len(lines):
        raise YamlError(f"line {lines[reader.position][2]}: unexpected indentation")
    return value


def _without_comment(line: str) -> str:
    quote = ""
    for position, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote and line[position - 1] != "\\" else quote
        elif sign in "\"'" and (position == 0 or line[position - 1] in " [{,-"):
            quote = sign
        elif sign == "#" and (position == 0 or line[position - 1] in " \t"):
            return line[:position]
    return line


class _Reader:
    def __init__(self, lines: list[tuple[int, str, int]]) -> None:
        self.lines = lines
        self.position = 0

    def block(self, indent: int) -> t.Any:
        content = self.lines[self.position][1]
        if content == "-" or content.startswith("- "):
            return self.sequence(indent)
        if _KEY.match(content):
            return self.mapping(indent)
        self.position += 1
        return scalar(content)

    def here(self, indent: int) -> tuple[str, int] | None:
        """Content and number of the current line when it belongs to the block at `indent`."""
        if self.position < len(self.lines) and self.lines[self.position][0] == indent:
            return self.lines[self.position][1:]
        return None

    def sequence(self, indent: int) -> list[t.Any]:
        items: list[t.Any] = []
        while (line := self.here(indent)) and (line[0] == "-" or line[0].startswith("- ")):
            rest = line[0][1:].lstrip(" ")
            if rest:
                inner = indent + len(line[0]) - len(rest)
                self.lines[self.position] = (inner, rest, line[1])
                items.append(self.block(inner))
            else:
                self.position += 1
                items.append(self.nested(indent + 1))
        return items

    def mapping(self, indent: int) -> dict[str, t.Any]:
        result: dict[str, t.Any] = {}
        while line := self.here(indent):
            match = _KEY.match(line[0])
            if not match:
                raise YamlError(f"line {line[1]}: expected 'key: value'")
            key = scalar(match.group(1)) or ""
            if key in result:
                raise YamlError(f"line {line[1]}: mapping key {key!r} already defined")
            self.position += 1
            result[key] = scalar(match.group(2)) if match.group(2) else self.nested(indent)
        return result

    def nested(self, indent: int) -> t.Any:
        """The block below a key: deeper, or a list at the same depth."""
        if self.position < len(self.lines):
            depth, content, _number = self.lines[self.position]
            if depth > indent or (depth == indent and (content == "-" or content.startswith("- "))):
                return self.block(depth)
        return None


def scalar(text: str) -> t.Any:
    text = text.strip()
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text[0] == "'" and text[-1] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[0] == '"' and text[-1] == '"' and len(text) > 1:
        return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match.group(1), match.group(1)), text[1:-1])
    if text[0] == "[" and text[-1] == "]":
        return [scalar(part) for part in text[1:-1].split(",") if part.strip()]
    if text[0] == "{" and text[-1] == "}":
        pairs = [part.split(":", 1) for part in text[1:-1].split(",") if part.strip()]
        return {scalar(key): scalar(value) for key, value in pairs}
    if text[0] in "&*!|>%@`\"'[{":
        raise YamlError(f"unsupported scalar {text!r}")
    return text
