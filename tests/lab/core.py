"""What the three worlds share: memory, clock, mailbox, switches, and the answers they give to anybody."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.lab import versions
from tests.lab.state import Row, State

if t.TYPE_CHECKING:
    from tests.lab.selfhost import SelfHost

REGIONS = {"us": "bitwarden.com", "eu": "bitwarden.eu"}


@dataclass(frozen=True)
class Mail:
    """A mail that one of the servers sent. C(token) is what its link carries, if it carries one."""

    server: str
    to: str
    subject: str
    text: str
    token: str | None = None


class Refusal(Exception):
    """An error answer. Without a message the body is empty; C(delay) is what the real server waits before it answers."""

    def __init__(
        self,
        status: int,
        message: str | None = None,
        fields: t.Mapping[str, list[str]] | None = None,
        *,
        delay: float = 0,
        headers: t.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, fields)
        self.status = status
        self.message = message
        self.fields = fields
        self.delay = delay
        self.headers = dict(headers or {})

    def body(self) -> Row | None:
        """Return the JSON body; source: bitwarden/server src/Libraries/ExceptionHandling/ErrorResponseModel.cs."""
        if self.message is None:
            return None
        return {
            "message": self.message,
            "validationErrors": self.fields,
            "exceptionMessage": None,
            "exceptionStackTrace": None,
            "innerExceptionMessage": None,
            "object": "error",
        }


def bad_request(message: str, *, delay: float = 0) -> Refusal:
    """A business rule says no."""
    return Refusal(400, message, delay=delay)


def invalid(field_name: str, text: str, *, delay: float = 0) -> Refusal:
    """The model state is invalid."""
    return Refusal(400, "The model state is invalid.", {field_name: [text]}, delay=delay)


def not_found() -> Refusal:
    """Not there, or not yours."""
    return Refusal(404, "Resource not found.")


def crash() -> Refusal:
    """What the real server answers where its code breaks."""
    return Refusal(500, "An unhandled server error has occurred.")


@dataclass
class Core:
    """The state behind all worlds."""

    state: State
    selfhost_version: str = versions.LATEST
    cloud_version: str = versions.LATEST
    real_delays: bool = False
    rate_limits: bool = False
    clock_offset: timedelta = timedelta()
    mails: list[Mail] = field(default_factory=list)
    selfhost: SelfHost = field(init=False)

    def now(self) -> datetime:
        """Return the lab's time, in UTC."""
        return datetime.now(UTC) + self.clock_offset


class World:
    """One server: C(us), C(eu) or C(selfhost)."""

    def __init__(self, name: str, core: Core) -> None:
        self.name = name
        self.core = core
        self.cloud = name in REGIONS

    @property
    def version(self) -> str:
        """The server's release."""
        return self.core.cloud_version if self.cloud else self.core.selfhost.version()

    @property
    def issuer(self) -> str:
        """C(iss) of the access tokens; a self-hosted server names its internal address."""
        return f"https://identity.{REGIONS[self.name]}" if self.cloud else "http://identity"

    def has(self, behaviour: str) -> bool:
        """Say whether this server's release shows a behaviour."""
        return versions.has(self.version, behaviour)

    def text(self, name: str) -> str:
        """Return a message in this server's wording."""
        return versions.text(self.version, name)

    def now(self) -> datetime:
        """Return the time."""
        return self.core.now()

    def get(self, kind: str, row_id: str | None) -> Row | None:
        """Return a row of this server."""
        return self.core.state.get(self.name, kind, row_id) if row_id else None

    def find(self, kind: str, **match: t.Any) -> list[Row]:
        """Return the rows of this server that match."""
        return self.core.state.find(self.name, kind, match)

    def one(self, kind: str, **match: t.Any) -> Row | None:
        """Return the first row of this server that matches."""
        return next(iter(self.find(kind, **match)), None)

    def count(self, kind: str, **match: t.Any) -> int:
        """Return how many rows of this server match."""
        return self.core.state.count(self.name, kind, match)

    def put(self, kind: str, row: Row) -> Row:
        """Store a row of this server."""
        self.core.state.put(self.name, kind, row)
        return row

    def delete(self, kind: str, row_id: str) -> None:
        """Remove a row of this server."""
        self.core.state.delete(self.name, kind, row_id)

    def mail(self, to: str, subject: str, text: str, token: str | None = None) -> None:
        """Send a mail into the lab's mailbox."""
        self.core.mails.append(Mail(self.name, to, subject, text, token))


def iso(moment: datetime) -> str:
    """Write a moment as the API does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def parse(text: str) -> datetime:
    """Read a moment of the API; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
