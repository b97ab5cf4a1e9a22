# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys of config.yml that the generated files do not reflect yet, judged by what Setup makes of each key.

Source: bitwarden/server util/Setup/{NginxConfigBuilder,DockerComposeBuilder,EnvironmentFileBuilder}.cs and Templates/*.hbs.
Without a visible effect, so never reported: C(push_notifications), C(generate_*_config), and an ssl_* key or a
Content-Security-Policy that was set back to its built-in default.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

Config = t.Mapping[str, t.Any]
Effect = t.Callable[[Config, str], bool]


@dataclass(frozen=True)
class Generated:
    """What Setup generated: the texts of two files, and the vault URL of the api service."""

    nginx: str
    compose: str
    vault: str | None


def config_drift(config: Config, generated: Generated) -> list[str]:
    """Return the keys whose effect is missing in the generated files. Texts are compared, so C(80) and C("80") are the same.

    C(config) holds the effective values: the defaults of absent keys are filled in by the caller.
    """
    stale: list[str] = []
    if config.get("generate_nginx_config", True):
        # Without TLS nothing of it is generated.
        keys = [key for key in _NGINX if config.get("ssl") or not key.startswith("ssl_")]
        stale += [key for key in keys if not _NGINX[key](config, generated.nginx)]
    if config.get("generate_compose_config", True):
        stale += [key for key, applied in _COMPOSE.items() if not applied(config, generated.compose)]
    if generated.vault is not None and generated.vault != config.get("url") and "url" not in stale:
        stale.append("url")
    return stale


def host_of(config: Config) -> str:
    """The host part of the public URL, as Setup writes it everywhere."""
    return urlsplit(str(config.get("url") or "")).hostname or ""


def _server_name(config: Config, nginx: str) -> bool:
    # An empty server name is what some updates left behind.
    return _values(nginx, "server_name") == {host_of(config)}


def _tls(config: Config, nginx: str) -> bool:
    return bool(config.get("ssl")) == bool(re.search(r"^\s*listen 8443 ssl", nginx, re.MULTILINE))


def _real_ips(config: Config, nginx: str) -> bool:
    return _values(nginx, "set_real_ip_from") == {str(address) for address in config.get("real_ips") or []}


def _always(directive: str, key: str) -> Effect:
    """A directive that Setup always writes; an empty key leaves the value to Setup."""

    def applied(config: Config, nginx: str) -> bool:
        found, wanted = _values(nginx, directive), config.get(key)
        return not wanted or not found or found == {str(wanted)}

    return applied


def _path(directive: str, key: str, managed: str = "") -> Effect:
    """A directive that is there exactly when its key has a value, unless certbot's tree takes its place."""

    def applied(config: Config, nginx: str) -> bool:
        found = _values(nginx, directive)
        if config.get("ssl_managed_lets_encrypt"):
            return not managed or found == {f"/etc/letsencrypt/live/{host_of(config)}/{managed}"}
        return found == ({str(config[key])} if config.get(key) else set())

    return applied


def _managed(config: Config, nginx: str) -> bool:
    found = any(value.startswith("/etc/letsencrypt/live/") for value in _values(nginx, "ssl_certificate"))
    return bool(config.get("ssl_managed_lets_encrypt")) == found


def _policy(config: Config, nginx: str) -> bool:
    wanted = str(config.get("nginx_header_content_security_policy") or "").replace("{0}", host_of(config))
    wanted = wanted.replace("{{", "{").replace("}}", "}")
    return not wanted or f'add_header Content-Security-Policy "{wanted}"' in nginx


def _port(key: str, inside: int) -> Effect:
    def applied(config: Config, compose: str) -> bool:
        found = re.findall(rf"^\s*-\s*['\"]?(\S+):{inside}['\"]?\s*$", compose, re.MULTILINE)
        return found == ([str(config[key])] if config.get(key) else [])

    return applied


def _service(key: str, name: str) -> Effect:
    def applied(config: Config, compose: str) -> bool:
        return bool(config.get(key)) == bool(re.search(rf"^  {name}:\s*$", compose, re.MULTILINE))

    return applied


def _volume(config: Config, compose: str) -> bool:
    if not config.get("enable_built_in_ms_sql", True):
        return True
    return bool(config.get("database_docker_volume")) == ("mssql_data:/var/opt/mssql/data" in compose)


def _values(nginx: str, directive: str) -> set[str]:
    found = re.findall(rf"^\s*{directive}\s+([^;]*);", nginx, re.MULTILINE)
    return {value.strip('" ') for value in found} - {""}


_NGINX: dict[str, Effect] = {
    "url": _server_name,
    "ssl": _tls,
    "ssl_versions": _always("ssl_protocols", "ssl_versions"),
    "ssl_ciphersuites": _always("ssl_ciphers", "ssl_ciphersuites"),
    "ssl_curves": _always("ssl_ecdh_curve", "ssl_curves"),
    "ssl_managed_lets_encrypt": _managed,
    "ssl_certificate_path": _path("ssl_certificate", "ssl_certificate_path", "fullchain.pem"),
    "ssl_key_path": _path("ssl_certificate_key", "ssl_key_path", "privkey.pem"),
    "ssl_ca_path": _path("ssl_trusted_certificate", "ssl_ca_path"),
    "ssl_diffie_hellman_path": _path("ssl_dhparam", "ssl_diffie_hellman_path"),
    "nginx_header_content_security_policy": _policy,
    "real_ips": _real_ips,
}
_COMPOSE: dict[str, Effect] = {
    "http_port": _port("http_port", 8080),
    "https_port": _port("https_port", 8443),
    "database_docker_volume": _volume,
    "enable_key_connector": _service("enable_key_connector", "key-connector"),
    "enable_scim": _service("enable_scim", "scim"),
    "enable_built_in_ms_sql": _service("enable_built_in_ms_sql", "mssql"),
}
