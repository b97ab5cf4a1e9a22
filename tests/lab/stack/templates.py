"""The files Setup generates: the catalogue of config.yml, docker-compose.yml, nginx/default.conf and web/app-id.json."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Config = dict[str, t.Any]

#: Key, type, default, first version, comment. The order is the order in the file.
CONFIG = (
    ("url", str, "https://localhost", (), "Full URL of the installation in a browser. (Required)"),
    ("generate_compose_config", bool, True, (), "Generate ./docker/docker-compose.yml."),
    ("generate_nginx_config", bool, True, (), "Generate ./nginx/default.conf."),
    ("http_port", str, "80", (), "Host port for HTTP. Leave empty to remove the port mapping."),
    ("https_port", str, "443", (), "Host port for HTTPS. Leave empty to remove the port mapping."),
    ("ssl", bool, True, (), "Configure nginx for SSL."),
    ("ssl_versions", str, None, (), "SSL versions of nginx. Leave empty for the recommended default."),
    ("ssl_ciphersuites", str, None, (), "SSL ciphersuites of nginx. Leave empty for the recommended default."),
    ("ssl_curves", str, None, (2026, 3, 2), "SSL curves of nginx. Leave empty for the recommended default."),
    ("ssl_managed_lets_encrypt", bool, False, (), "Installation uses a managed Let's Encrypt certificate."),
    ("ssl_certificate_path", str, None, (), "The certificate, as seen in the nginx container (./ssl is /etc/ssl there)."),
    ("ssl_key_path", str, None, (), "The key of the certificate, as seen in the nginx container."),
    ("ssl_ca_path", str, None, (), "The CA certificate, as seen in the nginx container."),
    ("ssl_diffie_hellman_path", str, None, (), "The Diffie Hellman ephemeral parameters, as seen in the nginx container."),
    ("nginx_header_content_security_policy", str, None, (), "The Content-Security-Policy header of nginx."),
    ("push_notifications", bool, True, (), "Use the push relay for live sync of mobile apps."),
    ("database_docker_volume", bool, False, (), "Keep the database in a Docker volume."),
    ("real_ips", list, None, (), "Proxies whose X-Forwarded-For nginx trusts."),
    ("enable_key_connector", bool, False, (), "Enable Key Connector."),
    ("enable_scim", bool, False, (), "Enable SCIM."),
    ("enable_built_in_ms_sql", bool, True, (2025, 7, 1), "Enable the built-in MS SQL Server."),
)
CONFIG_HEAD = (
    "# Note: After making changes to this file you need to run the `rebuild` or `update`\n# command for them to be applied.\n"
)

#: service -> (which of the versions, networks, volumes "below bwdata:in the container", env files seen from docker/).
_CA, _CORE = "ca-certificates:/etc/bitwarden/ca-certificates", "core:/etc/bitwarden/core"
_BOTH, _IDENTITY = ("default", "public"), "identity:/etc/bitwarden/identity"
_OVERRIDE = ("global.env", "../env/uid.env", "../env/global.override.env")
_GLOBAL = ("global.env", "../env/uid.env")


def _logs(service: str) -> str:
    return f"logs/{service}:/etc/bitwarden/logs"


SERVICES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "mssql": (
        "core",
        (),
        ("mssql/data:/var/opt/mssql/data", "logs/mssql:/var/opt/mssql/log", "mssql/backups:/etc/bitwarden/mssql/backups"),
        ("mssql.env", "../env/uid.env", "../env/mssql.override.env"),
    ),
    "web": ("web", (), ("web:/etc/bitwarden/web",), _GLOBAL),
    "attachments": ("core", (), ("core/attachments:/etc/bitwarden/core/attachments",), _GLOBAL),
    "api": ("core", _BOTH, (_CORE, _CA, _logs("api")), _OVERRIDE),
    "identity": ("core", _BOTH, (_IDENTITY, _CORE, _CA, _logs("identity")), _OVERRIDE),
    "sso": ("core", _BOTH, (_IDENTITY, _CORE, _CA, _logs("sso")), _OVERRIDE),
    "admin": ("core", _BOTH, (_CORE, _CA, _logs("admin")), _OVERRIDE),
    "icons": ("core", _BOTH, (_CA, _logs("icons")), _GLOBAL),
    "notifications": ("core", _BOTH, (_CA, _logs("notifications")), _OVERRIDE),
    "events": ("core", _BOTH, (_CA, _logs("events")), _OVERRIDE),
    "nginx": (
        "core",
        _BOTH,
        ("nginx:/etc/bitwarden/nginx", "letsencrypt:/etc/letsencrypt", "ssl:/etc/ssl", "logs/nginx:/var/log/nginx"),
        ("../env/uid.env",),
    ),
    "key-connector": (
        "kc",
        _BOTH,
        ("key-connector:/etc/bitwarden/key-connector", _CA, _logs("key-connector")),
        ("../env/uid.env", "../env/key-connector.override.env"),
    ),
    "scim": ("core", _BOTH, (_CORE, _CA, _logs("scim")), _OVERRIDE),
}
#: Services that exist only with a config.yml key.
OPTIONAL = {"mssql": "enable_built_in_ms_sql", "key-connector": "enable_key_connector", "scim": "enable_scim"}


class Versions:
    """The three image tags."""

    def __init__(self, core: str, web: str, key_connector: str) -> None:
        self.core, self.web, self.key_connector = core, web, key_connector

    def tag(self, kind: str) -> str:
        return {"core": self.core, "web": self.web, "kc": self.key_connector}[kind]

    def number(self) -> tuple[int, ...]:
        return version_number(self.core)


def version_number(version: str) -> tuple[int, ...]:
    """`latest` is newer than everything."""
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (9999,)


def config_yml(config: Config, version: tuple[int, ...]) -> str:
    blocks = []
    for name, _type, _default, since, comment in CONFIG:
        if since <= version:
            value = _yaml(config[name])
            blocks.append(f"# {comment}\n{name}:{'' if value.startswith(chr(10)) else ' '}{value}\n")
    return CONFIG_HEAD + "#\n" + "#\n".join(blocks)


def _yaml(value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "".join(f"\n- {_yaml(item)}" for item in value) or "[]"
    text = str(value)
    plain = text and text == text.strip() and text[0] not in "&*!|>%@`\"'[{#-?:," and ": " not in text and " #" not in text
    return text if plain and text[-1] != ":" else "'" + text.replace("'", "''") + "'"


_VOLUMES = """
volumes:
  mssql_data:
    labels:
      com.bitwarden.product: bitwarden
"""
_HEAD = """#
# WARNING: This file is generated. Changes are overwritten on update.
# Additions belong in a `docker-compose.override.yml` file in the same directory,
# settings in ./bwdata/config.yml.
#

"""


def docker_compose_yml(config: Config, versions: Versions) -> str:
    blocks = [_service(name, config, versions) for name in SERVICES if config.get(OPTIONAL.get(name, ""), True)]
    volumes = _VOLUMES if config["database_docker_volume"] else ""
    networks = "\nnetworks:\n  default:\n    internal: true\n  public:\n    internal: false\n"
    return _HEAD + "services:\n" + "\n".join(blocks) + volumes + networks


def _service(name: str, config: Config, versions: Versions) -> str:
    kind, networks, volumes, env_files = SERVICES[name]
    lines = [f"  {name}:", f"    image: ghcr.io/bitwarden/{name}:{versions.tag(kind)}"]
    lines += [f"    container_name: bitwarden-{name}", "    restart: always"]
    if name == "mssql":
        lines.append("    stop_grace_period: 60s")
    lines += _items("depends_on", _depends_on(name, config))
    if name == "nginx":
        ports = ((config["http_port"], 8080), (config["https_port"], 8443))
        lines += _items("ports", [f"'{host}:{inside}'" for host, inside in ports if host])
    mounts = [f"../{volume}" for volume in volumes]
    if name == "mssql" and config["database_docker_volume"]:
        mounts[0] = "mssql_data:/var/opt/mssql/data"
    lines += _items("volumes", mounts) + _items("env_file", env_files) + _items("networks", networks)
    return "\n".join(lines) + "\n"


def _depends_on(name: str, config: Config) -> list[str]:
    if name == "nginx":
        return ["web", "admin", "api", "identity"]
    return ["mssql"] if name == "admin" and config["enable_built_in_ms_sql"] else []


def _items(key: str, values: t.Sequence[str]) -> list[str]:
    return [f"    {key}:", *(f"      - {value}" for value in values)] if values else []


def domain(config: Config) -> str:
    """The host name in C(url), without port."""
    host: str = str(config["url"]).partition("://")[2].split("/")[0]
    return host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host


_POLICY = "default-src 'self'; connect-src 'self' wss://{0}; object-src 'self' blob:;"
_LOCATIONS = ("attachments", "api", "icons", "notifications", "events", "sso", "identity", "admin", "scim", "key-connector")


def nginx_default_conf(config: Config) -> str:
    """A short form with everything config.yml decides. ValueError: a brace .NET's format string does not know."""
    host = domain(config)
    policy = config["nginx_header_content_security_policy"] or _POLICY
    if "{" in policy.replace("{0}", "") or "}" in policy.replace("{0}", ""):
        raise ValueError("Input string was not in a correct format.")
    lines = [
        "# WARNING: This file is generated. Changes are overwritten on update.",
        "",
        "server {",
        "  listen 8080 default_server;",
    ]
    lines.append(f"  server_name {host};")
    if config["ssl"]:
        lines += [f"  return 301 {config['url']}$request_uri;", "}", "", "server {", "  listen 8443 ssl http2;"]
        lines += [f"  server_name {host};", *_ssl(config, host)]
    lines += [f"  set_real_ip_from {address};" for address in config["real_ips"] or []]
    lines.append(f'  add_header Content-Security-Policy "{policy.replace("{0}", host)}";')
    lines.append("  include /etc/bitwarden/nginx/extra-locations/*.conf;")
    lines.append("  location = /alive { default_type text/plain; return 200 alive; }")
    lines.append("  location / { proxy_pass http://web:5000/; }")
    present = [name for name in _LOCATIONS if config.get(OPTIONAL.get(name, ""), True)]
    lines += [f"  location /{name}/ {{ proxy_pass http://{name}:5000/; }}" for name in present]
    return "\n".join([*lines, "}", ""])


def _ssl(config: Config, host: str) -> list[str]:
    live = f"/etc/letsencrypt/live/{host}/"
    managed = config["ssl_managed_lets_encrypt"]
    pairs = (
        ("ssl_certificate", live + "fullchain.pem" if managed else config["ssl_certificate_path"]),
        ("ssl_certificate_key", live + "privkey.pem" if managed else config["ssl_key_path"]),
        ("ssl_dhparam", live + "dhparam.pem" if managed else config["ssl_diffie_hellman_path"]),
        ("ssl_trusted_certificate", None if managed else config["ssl_ca_path"]),
        ("ssl_protocols", config["ssl_versions"] or "TLSv1.2 TLSv1.3"),
        ("ssl_ciphers", config["ssl_ciphersuites"] or "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
        ("ssl_ecdh_curve", config["ssl_curves"] or "X25519:X25519MLKEM768:prime256v1:secp384r1"),
    )
    return [f"  {name} {value};" for name, value in pairs if value]


def app_id_json(config: Config) -> str:
    ids = [config["url"], "ios:bundle-id:com.8bit.bitwarden", "android:apk-key-hash:dUGFzUzf3lmHSLBDBIv+WaFyZMI"]
    return json.dumps({"trustedFacets": [{"version": {"major": 1, "minor": 0}, "ids": ids}]}, indent=2) + "\n"
