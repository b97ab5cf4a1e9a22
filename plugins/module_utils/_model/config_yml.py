# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bwdata/config.yml: its keys, and the document edited as text, because managed hosts have no YAML library.

Source: bitwarden/server util/Setup/Configuration.cs, Context.cs, NginxConfigBuilder.cs (ac309aa19e).
The file is a flat mapping of scalars and block lists. Setup writes it anew at every rebuild and drops comments then.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

Value = t.Union[bool, str, "list[str]", None]

# key: (kind, what a missing key means)
KEYS: dict[str, tuple[str, Value]] = {
    "url": ("url", "https://localhost"),
    "generate_compose_config": ("bool", True),
    "generate_nginx_config": ("bool", True),
    "http_port": ("port", "80"),
    "https_port": ("port", "443"),
    "ssl": ("bool", True),
    "ssl_versions": ("text", None),
    "ssl_ciphersuites": ("text", None),
    "ssl_curves": ("text", None),
    "ssl_managed_lets_encrypt": ("bool", False),
    "ssl_certificate_path": ("path", None),
    "ssl_key_path": ("path", None),
    "ssl_ca_path": ("path", None),
    "ssl_diffie_hellman_path": ("path", None),
    "nginx_header_content_security_policy": ("csp", None),
    "push_notifications": ("bool", True),
    "database_docker_volume": ("bool", False),
    "real_ips": ("networks", None),
    "enable_key_connector": ("bool", False),
    "enable_scim": ("bool", False),
    "enable_built_in_ms_sql": ("bool", True),
}
_REMOVED = {"compose_version": "v2024.4.2"}
# What an operator should know before changing a key.
CAUTIONS = {
    "database_docker_volume": "The database of a live installation stays where it was: the server starts with an empty one.",
}
_FORMS = {
    "url": (r"https?://[^\s/?#]+", "a URL without a path and without a trailing slash, such as https://vault.example.com"),
    "port": (r"(|([^\s:]+:|\[[^\s\]]+\]:)?[0-9]{1,5})", "a port, or address:port, or empty for none"),
    "path": (r"(|/\S*)", "an absolute path inside the nginx container, such as /etc/ssl/vault.example.com/certificate.crt"),
    # Setup gives it to a .NET format function, which only knows {0}, the host.
    "csp": (r"([^{}]|\{0\}|\{\{|\}\})*", "a policy without braces other than {0}"),
}
_WORDS = {**dict.fromkeys(("true", "yes", "on", "y"), True), **dict.fromkeys(("false", "no", "off", "n"), False)}
_NULLS = ("", "~", "null", "Null", "NULL")
_INDICATORS = tuple("!&*|>@%`\"'[]{},#:?-")  # a plain text does not start with them
_HEADER = re.compile(r"(?P<key>[A-Za-z_][\w.\-]*)[ \t]*:(?P<rest>(?:[ \t][^\n]*)?\r?\n?)\Z")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'""")


class ConfigFile:
    """A lossless config.yml: what is not set or unset comes out byte for byte as it went in."""

    def __init__(self, lines: list[str], bom: str = "") -> None:
        self._bom = bom
        self._lines = lines
        self._spans = _spans(lines)
        self._eol = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"

    @classmethod
    def parse(cls, data: bytes) -> ConfigFile:
        """Read a document.

        Raises:
            SelfhostError: it is not a flat mapping; names the line.
        """
        text = data.decode("utf-8", "surrogateescape")
        bom, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        return cls(re.findall(r"[^\n]*\n|[^\n]+", text), bom)

    def render(self) -> bytes:
        """Return the document's bytes."""
        return (self._bom + "".join(self._lines)).encode("utf-8", "surrogateescape")

    @property
    def values(self) -> dict[str, Value]:
        """What every key means to Setup, see C(get)."""
        return {key: self.get(key) for key in KEYS}

    def get(self, key: str) -> Value:
        """Return what a key means to Setup: a boolean, a text or a list of texts; the default when it is missing.

        Raises:
            SelfhostError: the value is written in a way this module does not read; names the line.
        """
        kind, default = KEYS[key]
        if key not in self._spans:
            return _meaning(kind, default)
        start, end = self._spans[key]
        text = self._inline(key)[0]
        body = [(number, line) for number, line in enumerate(self._lines[start + 1 : end], start + 2) if _content(line)]
        if body and (text or kind != "networks"):
            raise _unread(body[0][0])
        if kind == "networks" and text.startswith("["):
            return _flow(text, start + 1)
        return _meaning(kind, [_item(line, number) for number, line in body] if body else _scalar(text, start + 1))

    def set(self, key: str, value: Value) -> bool:
        """Give a key a value, None meaning its default; say whether that changed the document.

        Raises:
            SelfhostError: the present value is written in a way this module does not read; names the line.
        """
        kind, default = KEYS[key]
        if self.get(key) == _meaning(kind, default if value is None else value):
            return False
        start, end = self._spans.get(key, (len(self._lines), len(self._lines)))
        if start and not self._lines[start - 1].endswith("\n"):
            self._lines[start - 1] += self._eol
        self._lines[start:end] = [] if value is None or value == [] else self._written(key, value)
        self._spans = _spans(self._lines)
        return True

    def _inline(self, key: str) -> tuple[str, str]:
        """Return the text of a key's value on its own line, and the comment behind it."""
        header = t.cast("re.Match[str]", _HEADER.match(self._lines[self._spans[key][0]]))
        return _split(header["rest"], self._spans[key][0] + 1)

    def _written(self, key: str, value: Value) -> list[str]:
        comment = self._inline(key)[1] if key in self._spans else ""
        ending = f" {comment}{self._eol}" if comment else self._eol
        if isinstance(value, list):
            return [f"{key}:{ending}", *(f"- {_text(item)}{self._eol}" for item in value)]
        return [f"{key}: {_text(value)}{ending}"]


def check(key: str, value: object) -> Value:
    """Return a wanted value in the shape of its key.

    Raises:
        SelfhostError: there is no such key, or the value is not of its kind.
    """
    if key not in KEYS:
        raise _unknown(key)
    kind = KEYS[key][0]
    if value is None:
        return None
    if kind == "bool":
        return _boolean(key, value)
    if kind == "networks":
        return _networks(key, value)
    if isinstance(value, (bool, list, dict)):
        raise _wrong(key, "a text")
    text = str(value)
    pattern, description = _FORMS.get(kind, (r"[^\x00-\x1f]*", "a text of one line"))
    if not re.fullmatch(pattern, text) or re.search(r"[\x00-\x1f]", text):
        raise _wrong(key, description)
    if kind == "port" and text and not 1 <= int(text.rpartition(":")[2]) <= 65535:
        raise _wrong(key, "a port between 1 and 65535")
    return text


def _boolean(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise _wrong(key, "true or false")


def _networks(key: str, value: object) -> list[str]:
    try:
        if not isinstance(value, list):
            raise ValueError
        for item in value:
            ipaddress.ip_network(str(item), strict=False)
    except ValueError:
        raise _wrong(key, "a list of IP addresses or networks") from None
    return [str(item) for item in value]


def _wrong(key: str, description: str) -> SelfhostError:
    return SelfhostError(f"The value is not {description}.", field=key, remedy="Correct the value.")


def _unknown(key: str) -> SelfhostError:
    if key in _REMOVED:
        return SelfhostError(f"Setup does not know this key since release {_REMOVED[key]}.", field=key, remedy="Leave it out.")
    close = difflib.get_close_matches(key.lower(), KEYS, n=1)
    remedy = f"Did you mean {close[0]}?" if close else f"Use one of {', '.join(KEYS)}."
    return SelfhostError("config.yml has no such key, and Setup drops keys it does not know.", field=key, remedy=remedy)


def _unread(number: int) -> SelfhostError:
    return SelfhostError(
        f"Line {number} of config.yml is written in a way this module does not read.",
        remedy="Write it as Setup does: one key per line with a plain or quoted value, list items on lines that start with '- '.",
    )


def _content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _spans(lines: list[str]) -> dict[str, tuple[int, int]]:
    """Return the first line of each key and the one behind its last."""
    spans: dict[str, tuple[int, int]] = {}
    key = None
    for index, line in enumerate(lines):
        header = _HEADER.match(line)
        if header:
            key = header["key"]
            if key in spans:
                raise SelfhostError(f"Line {index + 1} of config.yml gives {key} a second time.", field=key, remedy="Remove one.")
            spans[key] = (index, index + 1)
        elif _content(line) and not (key is None and line.rstrip() == "---"):
            if key is None or not re.match(r"[ \t]|-\s", line):
                raise _unread(index + 1)
            spans[key] = (spans[key][0], index + 1)
    return spans


def _meaning(kind: str, value: Value) -> Value:
    """Return the one form of the values that mean the same to Setup."""
    if kind == "bool":
        return _WORDS.get(value.lower(), value) if isinstance(value, str) else value
    return value or ([] if kind == "networks" else "")


def _split(rest: str, number: int) -> tuple[str, str]:
    """Return a value's text and the comment behind it, without blanks around them."""
    content = rest.strip(" \t\r\n")
    quoted = _QUOTED.match(content)
    mark = re.compile(r"(?<![^ \t])#").search(content, quoted.end() if quoted else 0)
    end = mark.start() if mark else len(content)
    text = content[:end].rstrip(" \t")
    if quoted and text != quoted[0]:
        raise _unread(number)
    return text, content[end:]


def _scalar(text: str, number: int) -> str | None:
    """Return the value of a scalar that YAML reads into a text; None for null."""
    if text in _NULLS:
        return None
    if text.startswith("'") and _QUOTED.fullmatch(text):
        return text[1:-1].replace("''", "'")
    try:
        value = json.loads(text) if text.startswith('"') else text if _is_plain(text) else None
    except ValueError:  # an escape that only YAML knows
        value = None
    if value is None:
        raise _unread(number)
    return str(value)


def _item(line: str, number: int) -> str:
    match = re.match(r"[ ]*-(?=[ \t])(.*)\Z", line, re.DOTALL)
    value = _scalar(_split(match[1], number)[0], number) if match else None
    if value is None:
        raise _unread(number)
    return value


def _flow(text: str, number: int) -> Value:
    match = re.fullmatch(r"\[([^\[\]{}\"'#]*)\]", text)
    if not match:
        raise _unread(number)
    return [item.strip() for item in match[1].split(",") if item.strip()]


def _is_plain(text: str) -> bool:
    special = text.startswith(_INDICATORS) or text.endswith(":") or text != text.strip()
    return not special and ": " not in text and " #" not in text and text not in _NULLS


def _text(value: Value) -> str:
    """Return a value as YAML text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value or "")
    return text if not text or _is_plain(text) else "'" + text.replace("'", "''") + "'"
