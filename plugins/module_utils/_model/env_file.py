# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An env file as a lossless document, read as Docker Compose 2.24 and later reads it.

Source: compose-spec/compose-go dotenv/ up to v2.13.0.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.env_value import SPACES, interpolate, literal, quote
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_BOM = "\ufeff"
_BLANKS = SPACES.replace("\n", "")
_INLINE = "\t\v\f\r \x85\xa0"  # what Compose allows around names and separators

# One statement with the rest of its line. A quoted value may span lines; what follows it on its last line,
# unless blank or a comment, is a statement of its own. The look-aheads for blanks keep long runs of them linear.
_STATEMENT = re.compile(
    rf"""[{_BLANKS}]*
    (?: (?P<other>(?:\#[^\n]*)?(?:\n|\Z))
      | (?:export[{_INLINE}]+)?
        (?![{_INLINE}])(?P<key>[\w.\-\[\]{_INLINE}]*)
        (?: [=:][{_INLINE}]*(?![{_INLINE}])
            (?: (?P<quoted>"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')
                (?P<tail>[{_BLANKS}]*(?:\#[^\n]*)?(?:\n|\Z))?
              | (?P<bare>(?!["'])[^\n]*)(?:\n|\Z))
          | (?P<inherited>\n)
          | (?P<nameless>\Z)))""",
    re.VERBOSE | re.DOTALL,
)
_OPENS_QUOTE = re.compile(rf"""[^\n=:]*[=:][{_INLINE}]*["']""")


class Piece(t.NamedTuple):
    """One statement with the rest of its line, or a line without one.

    Attributes:
        text: the text as it stands; all pieces together are the document.
        key: the name it assigns; None when it assigns nothing.
        raw: the value as written, with its quotes; for a name without a separator, that name.
        comment: the trailing comment with the blanks before it.
        start: offset in the text that was parsed; None for a new line.
        alone: False when it shares a line with another statement.
    """

    text: str
    key: str | None = None
    raw: str = ""
    comment: str = ""
    start: int | None = None
    alone: bool = True


class EnvFile:
    """A lossless env file: whatever is not set or unset comes out byte for byte as it went in."""

    def __init__(self, pieces: list[Piece], text: str = "", bom: str = "") -> None:
        self._pieces = pieces
        self._last = _index(pieces)
        self._text = text
        self._bom = bom
        self._eol = "\r\n" if text[: text.rfind("\n") + 1].endswith("\r\n") else "\n"
        self._open_end = bool(text) and not text.endswith("\n")

    @classmethod
    def parse(cls, data: bytes) -> EnvFile:
        """Read a document.

        Raises:
            SelfhostError: Compose would refuse the file; names the line, never a value.
        """
        text = data.decode("utf-8", "surrogateescape")
        bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
        pieces: list[Piece] = []
        position = 0
        while position < len(text):
            match = _STATEMENT.match(text, position)
            if match is None or (match["nameless"] is None and " " in (match["key"] or "").rstrip(SPACES)):
                raise _unreadable(text, position, match is None)
            piece = _piece(match)
            follows = bool(pieces) and not pieces[-1].text.endswith("\n")
            pieces.append(piece._replace(alone=False) if follows else piece)
            position = match.end()
        return cls(pieces, text, bom)

    def render(self) -> bytes:
        """Return the document's bytes: those it was parsed from as long as nothing was changed."""
        text = "".join(piece.text for piece in self._pieces)
        if self._open_end:
            text = text[: len(text) - len(_line_end(text))]
        return (self._bom + text).encode("utf-8", "surrogateescape")

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces in file order."""
        return tuple(self._pieces)

    @property
    def lines(self) -> dict[str, list[int]]:
        """Every key in file order, with the line numbers that its assignments had when the document was parsed."""
        found: dict[str, list[int]] = {}
        line, position = 1, 0
        for piece in self._pieces:
            numbers = [] if piece.key is None else found.setdefault(piece.key, [])
            if piece.start is not None:
                line, position = line + self._text.count("\n", position, piece.start), piece.start
                numbers.append(line)
        return found

    def __contains__(self, key: str) -> bool:
        return key in self._last

    def get(self, key: str) -> str | None:
        """Return a key's effective value; None when it is absent or refers to variables."""
        last = self._last.get(key)
        return None if last is None else literal(self._pieces[last].raw)

    def effective(self, outer: t.Mapping[str, str]) -> dict[str, str]:
        """Return what Compose gives to a container.

        Args:
            outer: the environment of the compose command over the values of earlier env files.

        Raises:
            SelfhostError: Compose would refuse an interpolation; names the line, never a value.
        """
        values: dict[str, str] = {}
        for piece in self._pieces:
            if piece.key is not None:
                values[piece.key] = self._interpolated(piece, lambda name: outer.get(name, values.get(name)))
            elif piece.raw in outer:
                values[piece.raw] = outer[piece.raw]
        return values

    def check(self) -> None:
        """Find what Compose only refuses when it creates containers.

        Raises:
            SelfhostError: names the line, never a value.
        """
        for piece in self._pieces:
            if piece.key == "":
                raise SelfhostError(f"Line {self._line(piece)} has a value without a name.", remedy="Correct that line by hand.")
            if piece.key is not None and "$" in piece.raw:
                self._interpolated(piece, lambda name: name)

    def set(self, key: str, value: str, *, single_quotes: bool = True) -> bool:
        """Give a key a value; say whether that changed the document.

        An existing key is changed where it is assigned last; a new one goes to the end, where Setup keeps such keys.

        Args:
            key: the name.
            value: what the containers shall see.
            single_quotes: False for keys that Setup reads itself, because it only takes off double quotes.

        Raises:
            SelfhostError: no way to write the value means the same to every reader; the value is not in the text.
        """
        raw = quote(key, value, single_quotes=single_quotes)
        last = self._last.get(key)
        if last is None:
            self._append(Piece(f"{key}={raw}{self._eol}", key, raw))
            return True
        piece = self._pieces[last]
        if literal(piece.raw) == value:
            return False
        self._editable(piece)
        if piece.comment and not raw:
            raw = '""'  # a comment right behind the separator would become the value
        text = f"{key}={raw}{piece.comment}{_line_end(piece.text)}"
        self._pieces[last] = Piece(text, key, raw, piece.comment, piece.start)
        return True

    def unset(self, key: str) -> bool:
        """Remove every assignment of a key with the rest of their lines; say whether there was one."""
        if key not in self._last:
            return False
        for piece in self._pieces:
            if piece.key == key:
                self._editable(piece)
        self._pieces = [piece for piece in self._pieces if piece.key != key]
        self._last = _index(self._pieces)
        return True

    def _append(self, piece: Piece) -> None:
        if self._pieces:
            last = self._pieces[-1]
            if not last.text.endswith("\n"):
                self._pieces[-1] = last._replace(text=last.text + self._eol)
        self._last[t.cast(str, piece.key)] = len(self._pieces)
        self._pieces.append(piece)

    def _interpolated(self, piece: Piece, lookup: t.Callable[[str], str | None]) -> str:
        try:
            return interpolate(piece.raw, lookup)
        except ValueError as error:
            raise SelfhostError(
                f"Compose refuses the variables in line {self._line(piece)}: {error}.",
                field=piece.key,
                remedy="Write the value in single quotes, where $ is plain text; giving it as a setting does that.",
            ) from None

    def _editable(self, piece: Piece) -> None:
        if not piece.alone:
            cause = f"Line {self._line(piece)} has text behind a closing quote."
            raise SelfhostError(cause, field=piece.key, remedy="Correct that line by hand.")

    def _line(self, piece: Piece) -> int:
        return self._text.count("\n", 0, piece.start or 0) + 1


def _index(pieces: list[Piece]) -> dict[str, int]:
    """Return where each key is assigned last."""
    return {piece.key: number for number, piece in enumerate(pieces) if piece.key is not None}


def _piece(match: re.Match[str]) -> Piece:
    text, start = match[0], match.start()
    if match["other"] is not None:
        return Piece(text, start=start)
    key = match["key"].rstrip(SPACES)
    if match["inherited"]:
        return Piece(text, raw=key, start=start)
    if match["nameless"] is not None:  # Compose takes a last line without separator and line end for a value without a name
        return Piece(text, "", key, start=start)
    if match["quoted"]:
        tail = match["tail"]
        return Piece(text, key, match["quoted"], (tail or "").rstrip(SPACES), start, alone=tail is not None)
    value = match["bare"]
    raw = value.partition(" #")[0].rstrip(SPACES)
    return Piece(text, key, raw, value[len(raw) :].rstrip(SPACES), start)


def _unreadable(text: str, position: int, unmatched: bool) -> SelfhostError:
    start = len(text) - len(text[position:].lstrip(SPACES))
    line = text.count("\n", 0, start) + 1
    if unmatched and _OPENS_QUOTE.match(text, start):
        return SelfhostError(f"Line {line} opens a quote that nothing closes.", remedy="Close the quote.")
    return SelfhostError(
        f"Line {line} has a character or blank that Compose does not accept in a name.",
        remedy="Correct that line: letters, digits and _ make a name, and # a comment.",
    )


def _line_end(text: str) -> str:
    return "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""
