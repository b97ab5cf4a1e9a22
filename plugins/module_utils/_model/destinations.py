# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a self-hosted server must reach, and why: the one source of the firewall's rules, the probe and the explanation.

Sources: bitwarden/server src/Core/Settings/GlobalSettings.cs, src/Core/Platform/Push, src/Core/Platform/Mail,
src/Identity/IdentityServer (Yubico), util/Setup/EnvironmentFileBuilder.cs; bitwarden/self-host bitwarden.sh.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.proxy import bypassed, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS

PREFIX = "globalSettings__"
# For what a destination may be needed, in the operator's words.
PURPOSES = ("cloud", "settings", "update")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_UNSET = ("", "replace", "secret")
_PORTS = {"https": 443, "http": 80}
# How connection strings spell the server.
_SERVER = ("data source", "server", "host", "address", "addr", "network address")


@dataclass(frozen=True, order=True)
class Destination:
    """One service outside.

    Attributes:
        host: DNS name in lower case, or the canonical text of an IP address.
        port: port number.
        protocol: C(tcp) or C(udp).
        reason: why, for people.
        source: the setting or option that asks for it.
        url: what to ask it over HTTPS to prove that it answers; empty where a connection alone must do.
    """

    host: str
    port: int = 443
    protocol: str = "tcp"
    reason: str = ""
    source: str = ""
    url: str = ""

    @property
    def name(self) -> str:
        """Host, port and protocol as people write them: C(api.bitwarden.com:443/tcp)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.protocol}"


class Cloud(t.NamedTuple):
    """A service of the Bitwarden cloud: the setting that names it, and how it shows that it is alive."""

    setting: str
    default: str
    path: str
    reason: str


_US = REGIONS["us"].endpoints
CLOUD = (
    Cloud("installation__apiUri", _US.api, "/alive", "license sync, sponsorship sync and validation of the installation id"),
    Cloud("installation__identityUri", _US.identity, "/alive", "tokens for every call to the Bitwarden cloud"),
    Cloud("pushRelayBaseUri", "", "/", "push notifications to mobile apps"),
)


class Outgoing(t.NamedTuple):
    """A setting of the operator's own that makes a service connect to somewhere.

    C(form) says how to read its value: C(host), C(uri), C(list) (host:port, ...), C(database) (a connection string), or gives the
    name itself, with C({}) for the value.
    """

    setting: str
    form: str
    port: int
    reason: str


SETTINGS = (
    Outgoing("mail__smtp__host", "host", 25, "outgoing mail"),
    Outgoing("mail__sendGridApiKey", "api.sendgrid.com", 443, "outgoing mail through SendGrid"),
    Outgoing("amazon__region", "email.{}.amazonaws.com", 443, "outgoing mail through Amazon SES"),
    Outgoing("hibpApiKey", "haveibeenpwned.com", 443, "data breach reports"),
    Outgoing("yubico__key", "api.yubico.com", 443, "two-step login with YubiKey OTP"),
    Outgoing("baseServiceUri__fillAssistRules", "uri", 443, "rules for filling forms"),
    Outgoing("sqlServer__connectionString", "database", 1433, "database"),
    Outgoing("postgreSql__connectionString", "database", 5432, "database"),
    Outgoing("mySql__connectionString", "database", 3306, "database"),
    Outgoing("distributedCache__redis__connectionString", "list", 6379, "cache"),
    Outgoing("notifications__redisConnectionString", "list", 6379, "notifications"),
    Outgoing("eventLogging__rabbitMq__hostName", "host", 5672, "event log"),
)
# These only say where a service of SETTINGS really is.
_REPLACES = {"mail__sendGridApiKey": "mail__sendGridApiHost", "yubico__key": "yubico__validationUrls__0"}
_OWN_PORT = {"mail__smtp__host": "mail__smtp__port"}
UPDATE = (
    Destination("func.bitwarden.com", reason="download of bitwarden.sh and its helpers", source="bitwarden.sh"),
    Destination("selfhost.bitwarden.com", reason="version check of the System Administrator Portal", source="bitwarden.sh"),
)


def destinations(
    settings: t.Mapping[str, str], purposes: t.Iterable[str] = PURPOSES[:2], extra: t.Iterable[t.Mapping[str, t.Any]] = ()
) -> tuple[Destination, ...]:
    """Return what a server with these effective settings must reach, each once, reasons joined.

    Args:
        settings: the environment of its services by full name; spelling of letters does not matter, as in .NET.
        purposes: which of C(PURPOSES) count.
        extra: what the operator declares: C(host), C(port), C(protocol), C(reason).

    Raises:
        SelfhostError: a setting or declaration is no usable address; every such problem is named.
    """
    given = {key.lower(): value.strip() for key, value in settings.items()}
    found: list[Destination] = []
    problems: list[SelfhostError] = []
    steps: list[tuple[t.Callable[[t.Any], list[Destination]], t.Any]] = [(_declared, one) for one in extra]
    if "cloud" in purposes:
        steps += [(lambda one: _cloud(one, given), one) for one in CLOUD]
    if "settings" in purposes:
        steps += [(lambda one: _outgoing(one, given), one) for one in SETTINGS]
    for step, one in steps:
        try:
            found += step(one)
        except SelfhostError as problem:
            problems.append(problem)
    if "update" in purposes:
        found += UPDATE
    refuse_all(problems)
    return merged(found)


def merged(found: t.Iterable[Destination]) -> tuple[Destination, ...]:
    """Return every host and port once, with all its reasons and sources, in order."""
    by_name: dict[str, Destination] = {}
    for one in found:
        known = by_name.get(one.name)
        if known:
            reason, source = _joined(known.reason, one.reason), _joined(known.source, one.source)
            one = replace(known, reason=reason, source=source, url=known.url or one.url)  # noqa: PLW2901
        by_name[one.name] = one
    return tuple(sorted(by_name.values()))


def through_proxy(found: t.Iterable[Destination], url: str, no_proxy: str) -> tuple[Destination, ...]:
    """Return what a firewall must let through when a forward proxy (its URL, or none) reaches all HTTPS destinations but some."""
    if not url:
        return tuple(found)
    proxy = parse(url)
    there = Destination(host_name(proxy.host, "proxy"), proxy.port, reason="forward proxy", source="proxy")
    # Only what speaks HTTP goes through it; mail and databases do not.
    return merged(there if one.port == 443 and not bypassed(one.host, no_proxy) else one for one in found)


def mismatch(settings: t.Mapping[str, str]) -> str | None:
    """Return a sentence when the region's label says one cloud and the addresses say another; the label alone moves nothing."""
    given = {key.lower(): value.strip() for key, value in settings.items()}
    label = given.get(f"{PREFIX}baseServiceUri__cloudRegion".lower(), "").lower()
    region = REGIONS.get(label)
    if region is None:
        return None
    hosts = {urlsplit(_value(one.setting, given) or one.default).hostname for one in CLOUD[:2]}
    wrong = sorted(host for host in hosts if host and not host.endswith(f".{region.domain}"))
    if not wrong:
        return None
    return (
        f"The settings say region {region.label}, but the server talks to {' and '.join(wrong)}. "
        f"Set region: {region.name} in bw.selfhost.override_env, which sets the addresses, too."
    )


def host_name(text: str, field: str, *, secret: bool = False) -> str:
    """Return a host name or address in its canonical form. C(secret) says that the text may be a part of one.

    Raises:
        SelfhostError: it is neither.
    """
    host = text.strip().strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        host = ""
    if not _NAME.fullmatch(host):
        remedy = "Write a name such as proxy.example.com, without scheme or path."
        raise SelfhostError(f"{'It' if secret else repr(text)} is no host name or IP address.", field=field, remedy=remedy)
    return host


def _cloud(one: Cloud, given: t.Mapping[str, str]) -> list[Destination]:
    value = _value(one.setting, given) or one.default
    if not value:
        return []
    found = _from_uri(value, PREFIX + one.setting, one.reason)
    parts = urlsplit(value)
    return [replace(found, url=f"https://{parts.netloc.rpartition('@')[2]}{one.path}" if parts.scheme == "https" else "")]


def _outgoing(one: Outgoing, given: t.Mapping[str, str]) -> list[Destination]:
    value, field = _value(one.setting, given), PREFIX + one.setting
    if not value:
        return []
    elsewhere = _value(_REPLACES.get(one.setting, ""), given)
    if elsewhere:
        return [_from_uri(elsewhere, PREFIX + _REPLACES[one.setting], one.reason)]
    port = one.port
    if one.setting in _OWN_PORT:
        port = _port(_value(_OWN_PORT[one.setting], given) or port, PREFIX + _OWN_PORT[one.setting])
    if one.form == "uri":
        return [_from_uri(value, field, one.reason)]
    if one.form in _FORMS:
        return [
            Destination(host, found or port, reason=one.reason, source=field)
            for name, found in _FORMS[one.form](value)
            if (host := host_name(name, field, secret=one.form != "host")) and not _internal(host)
        ]
    return [Destination(one.form.format(value.lower()), port, reason=one.reason, source=field)]


def _hosts_of_list(value: str) -> t.Iterator[tuple[str, int | None]]:
    """Read C(host:port,host,option=value): how Redis connection strings name servers."""
    for part in value.split(","):
        if part.strip() and "=" not in part:
            name, colon, port = part.strip().rpartition(":")
            yield (name, int(port)) if colon and port.isdigit() else (part.strip(), None)


def _hosts_of_database(value: str) -> t.Iterator[tuple[str, int | None]]:
    """Read the server and port of an ADO.NET connection string; C(tcp:host\\instance,port) is how SQL Server spells them."""
    fields = {key.strip().lower(): text.strip() for key, _equals, text in (part.partition("=") for part in value.split(";"))}
    server = next((fields[key] for key in _SERVER if key in fields), "")
    for one in server.split(",") if "port" in fields or "host" in fields else [server]:
        name, _comma, port = one.strip().removeprefix("tcp:").partition(",")
        port = port or fields.get("port", "")
        if name:
            yield name.partition("\\")[0], int(port) if port.strip().isdigit() else None


_FORMS: dict[str, t.Callable[[str], t.Iterable[tuple[str, int | None]]]] = {
    "host": lambda value: [(value, None)],
    "list": _hosts_of_list,
    "database": _hosts_of_database,
}


def _declared(one: t.Mapping[str, t.Any]) -> list[Destination]:
    host = host_name(str(one["host"]), "destinations")
    port = _port(one.get("port") or 443, "destinations")
    return [
        Destination(host, port, one.get("protocol") or "tcp", one.get("reason") or "declared by the operator", "destinations")
    ]


def _from_uri(value: str, field: str, reason: str) -> Destination:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise _no_url(value, field) from None
    if parts.scheme.lower() not in _PORTS or not parts.hostname:
        raise _no_url(value, field)
    return Destination(host_name(parts.hostname, field), port or _PORTS[parts.scheme.lower()], reason=reason, source=field)


def _no_url(value: str, field: str) -> SelfhostError:
    shown = "It" if "@" in value else repr(value)
    return SelfhostError(f"{shown} is no URL.", field=field, remedy="Write it like https://api.bitwarden.com.")


def _port(value: object, field: str) -> int:
    if not str(value).isdigit() or not 1 <= int(str(value)) <= 65535:
        raise SelfhostError(f"{value!r} is no port number.", field=field, remedy="Write a number from 1 to 65535.")
    return int(str(value))


def _value(setting: str, given: t.Mapping[str, str]) -> str:
    value = given.get((PREFIX + setting).lower(), "")
    return "" if value.lower() in _UNSET else value


def _internal(host: str) -> bool:
    """Say whether a name is one of Compose's, such as mssql: those never leave the machine."""
    return "." not in host and ":" not in host


def _joined(one: str, other: str) -> str:
    return "; ".join(dict.fromkeys([*one.split("; "), *other.split("; ")]))
