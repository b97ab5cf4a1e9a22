# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which keys of config.yml the generated files do not reflect."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.config_effects import Generated, config_drift

CONFIG: dict[str, t.Any] = {
    "url": "https://vault.example.com",
    "generate_compose_config": True,
    "generate_nginx_config": True,
    "http_port": "80",
    "https_port": "443",
    "ssl": True,
    "ssl_certificate_path": "/etc/ssl/a.crt",
    "ssl_key_path": "/etc/ssl/a.key",
    "enable_built_in_ms_sql": True,
}
NGINX = """
server {
  listen 8080 default_server;
  server_name vault.example.com;
  return 301 https://vault.example.com$request_uri;
}
server {
  listen 8443 ssl http2;
  server_name vault.example.com;
  ssl_certificate /etc/ssl/a.crt;
  ssl_certificate_key /etc/ssl/a.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers "A:B";
}
"""
COMPOSE = """
services:
  mssql:
    image: x
    volumes:
      - ../mssql/data:/var/opt/mssql/data
  nginx:
    ports:
      - '80:8080'
      - '443:8443'
"""


def stale(nginx: str = NGINX, compose: str = COMPOSE, vault: str = "https://vault.example.com", **config: t.Any) -> list[str]:
    return config_drift({**CONFIG, **config}, Generated(nginx, compose, vault))


def test_nothing_is_stale() -> None:
    assert stale() == []


@pytest.mark.parametrize(
    ("key", "value", "also"),
    [
        ("url", "https://other.example.com", []),
        ("url", "https://vault.example.com:8443", []),
        ("http_port", "8080", []),
        ("https_port", "", []),
        ("ssl_versions", "TLSv1.3", []),
        ("ssl_ciphersuites", "C", []),
        ("ssl_certificate_path", "/etc/ssl/b.crt", []),
        ("ssl_ca_path", "/etc/ssl/ca.crt", []),
        ("ssl_diffie_hellman_path", "/etc/ssl/dh.pem", []),
        ("real_ips", ["192.0.2.1"], []),
        ("ssl_managed_lets_encrypt", True, ["ssl_certificate_path", "ssl_key_path"]),
        ("enable_scim", True, []),
        ("enable_built_in_ms_sql", False, []),
        ("database_docker_volume", True, []),
        ("nginx_header_content_security_policy", "default-src {0}", []),
    ],
)
def test_one_key_is_stale(key: str, value: object, also: list[str]) -> None:
    assert sorted(stale(**{key: value})) == sorted([key, *also])


@pytest.mark.parametrize(
    ("nginx", "expected"),
    [
        (NGINX.replace("server_name vault.example.com;", "server_name ;"), ["url"]),
        (NGINX.replace("  ssl_ciphers", "  set_real_ip_from 192.0.2.1;\n  ssl_ciphers"), ["real_ips"]),
        ("", ["url", "ssl", "ssl_certificate_path", "ssl_key_path"]),
    ],
)
def test_generated_file_is_wrong(nginx: str, expected: list[str]) -> None:
    assert stale(nginx=nginx) == expected


def test_what_the_operator_generates_is_not_judged() -> None:
    assert stale(nginx="", compose="", generate_nginx_config=False, generate_compose_config=False) == []


def test_keys_that_setup_does_not_know_yet_are_not_stale() -> None:
    """Before v2026.3.2 Setup writes no curves, whatever config.yml says."""
    assert stale(ssl_curves="X25519") == []
