# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""config.yml is compared by meaning and edited as text."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.bw.selfhost.plugins.module_utils._model.config_yml import KEYS, ConfigFile, check
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from hypothesis import given, settings, strategies as st

# As Setup writes it, with an operator's additions.
FILE = b"""# Note: After making changes to this file you need to run the `rebuild` command.
url: https://vault.example.com # the proxy's
http_port: 80
# Leave empty to remove the mapping.
https_port: '443'
ssl: yes
ssl_versions:
ssl_ca_path:\x20
ssl_certificate_path: "/etc/ssl/vault.example.com/certificate.crt"
nginx_header_content_security_policy: default-src 'self'; img-src {0}
real_ips:
- 10.0.0.0/8 # office

# and
- '192.0.2.1'
  # end
mine: |
  a: b

  # c
enable_scim: false
"""


def test_reads_what_setup_reads() -> None:
    document = ConfigFile.parse(FILE)
    assert document.render() == FILE
    assert document.values == {
        **{key: {None: [] if kind == "networks" else ""}.get(default, default) for key, (kind, default) in KEYS.items()},
        "url": "https://vault.example.com",
        "ssl_certificate_path": "/etc/ssl/vault.example.com/certificate.crt",
        "nginx_header_content_security_policy": "default-src 'self'; img-src {0}",
        "real_ips": ["10.0.0.0/8", "192.0.2.1"],
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ssl", True),
        ("url", "https://vault.example.com"),
        ("http_port", 80),
        ("http_port", None),
        ("https_port", "443"),
        ("ssl_versions", ""),
        ("ssl_ca_path", None),
        ("ssl_key_path", None),
        ("enable_key_connector", False),
        ("real_ips", ["10.0.0.0/8", "192.0.2.1"]),
    ],
)
def test_same_meaning_leaves_the_bytes_alone(key: str, value: object) -> None:
    document = ConfigFile.parse(FILE)
    assert not document.set(key, check(key, value))
    assert document.render() == FILE


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        (
            "url",
            "https://b.example.com",
            b"url: https://vault.example.com # the proxy's",
            b"url: https://b.example.com # the proxy's",
        ),
        ("ssl", False, b"ssl: yes", b"ssl: false"),
        ("http_port", "", b"http_port: 80", b"http_port: "),
        ("http_port", "127.0.0.1:8080", b"http_port: 80", b"http_port: 127.0.0.1:8080"),
        ("http_port", "[::1]:8080", b"http_port: 80", b"http_port: '[::1]:8080'"),
        ("ssl_versions", "a: 'b'", b"ssl_versions:", b"ssl_versions: 'a: ''b'''"),
        ("ssl_certificate_path", None, b'ssl_certificate_path: "/etc/ssl/vault.example.com/certificate.crt"\n', b""),
        ("real_ips", ["::1"], b"- 10.0.0.0/8 # office\n\n# and\n- '192.0.2.1'\n", b"- '::1'\n"),
        ("real_ips", [], b"real_ips:\n- 10.0.0.0/8 # office\n\n# and\n- '192.0.2.1'\n", b""),
        ("enable_key_connector", True, b"enable_scim: false\n", b"enable_scim: false\nenable_key_connector: true\n"),
        ("ssl_key_path", "/etc/ssl/k", b"enable_scim: false\n", b"enable_scim: false\nssl_key_path: /etc/ssl/k\n"),
    ],
)
def test_a_change_touches_one_key(key: str, value: object, old: bytes, new: bytes) -> None:
    document = ConfigFile.parse(FILE)
    assert document.set(key, check(key, value))
    assert document.render() == FILE.replace(old, new)
    assert not document.set(key, check(key, value))
    again = ConfigFile.parse(document.render())
    assert again.get(key) == document.get(key)


def test_line_ends_and_bom_are_kept() -> None:
    document = ConfigFile.parse(b"\xef\xbb\xbfurl: https://a.example.com\r\nssl: true")
    assert document.set("ssl", False)
    assert document.set("enable_scim", True)
    assert document.render() == b"\xef\xbb\xbfurl: https://a.example.com\r\nssl: false\r\nenable_scim: true\r\n"


@pytest.mark.parametrize(
    "text", [b"real_ips: []", b"real_ips: [ 10.0.0.1, 10.0.0.2 ] # c", b"real_ips:\n  - 10.0.0.1\n  - 10.0.0.2"]
)
def test_other_ways_to_write_a_list(text: bytes) -> None:
    assert ConfigFile.parse(text).get("real_ips") in ([], ["10.0.0.1", "10.0.0.2"])


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"url: https://a.example.com\nnonsense\n", 2),
        (b"{url: a}\n", 1),
        (b"- a\n", 1),
        (b"%YAML 1.1\n", 1),
        (b"url: a\n---\nurl: b\n", 2),
        (b"ssl: true\n\nssl: false\n", 3),
        (b"url:a\n", 1),
    ],
)
def test_what_is_no_flat_mapping_is_refused_by_line(data: bytes, line: int) -> None:
    with pytest.raises(SelfhostError, match=f"Line {line} of config.yml") as caught:
        ConfigFile.parse(data)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("key", "data", "line"),
    [
        ("url", b"url: &a https://a.example.com\n", 1),
        ("url", b"url: |\n  https://a.example.com\n", 2),
        ("url", b"url: https://a\n  .example.com\n", 2),
        ("url", b"url: 'https://a\n", 1),
        ("url", b'url: "a" b\n', 1),
        ("url", b'url: "\\x41"\n', 1),
        ("url", b"url: a: b\n", 1),
        ("real_ips", b"real_ips:\n- a: b\n", 2),
        ("real_ips", b"real_ips:\n- - a\n", 2),
        ("real_ips", b"real_ips:\n-\n", 2),
        ("real_ips", b"real_ips: [a, [b]]\n", 1),
        ("real_ips", b"real_ips: a\n- b\n", 2),
    ],
)
def test_a_value_that_is_not_understood_is_refused_by_line_and_only_when_it_matters(key: str, data: bytes, line: int) -> None:
    document = ConfigFile.parse(data)
    with pytest.raises(SelfhostError, match=f"Line {line} of config.yml"):
        document.set(key, "x")
    assert document.set("enable_scim", True)
    assert document.render() == data + b"enable_scim: true\n"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("enable_skim", True, "Did you mean enable_scim?"),
        ("compose_version", "3", "since release v2024.4.2"),
        ("whatever", 1, "Use one of url"),
        ("ssl", "yes", "not true or false"),
        ("ssl", 1, "not true or false"),
        ("url", "vault.example.com", "not a URL"),
        ("url", "https://vault.example.com/", "not a URL"),
        ("url", "https://vault.example.com/path", "not a URL"),
        ("url", "https://vault. example.com", "not a URL"),
        ("http_port", "http", "not a port"),
        ("http_port", 70000, "between 1 and 65535"),
        ("http_port", True, "not a text"),
        ("ssl_key_path", "relative", "not an absolute path"),
        ("ssl_versions", "a\nb", "not a text of one line"),
        ("ssl_versions", "a\0b", "not a text of one line"),
        ("nginx_header_content_security_policy", "default-src {1}", "braces"),
        ("real_ips", "10.0.0.1", "not a list of"),
        ("real_ips", ["office"], "not a list of"),
    ],
)
def test_bad_values_are_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(SelfhostError, match=message.replace("?", r"\?")) as caught:
        check(key, value)
    assert caught.value.field == key
    assert caught.value.remedy


# --- properties ---

_LINE_TEXT = st.text(
    st.one_of(st.sampled_from(list("ab:# '\"-[]{}&*!|>%@`~?")), st.characters(blacklist_categories=("Cc", "Cs"))), max_size=20
)
_WANTED: st.SearchStrategy[tuple[str, t.Any]] = st.one_of(
    st.tuples(st.just("ssl_versions"), st.none() | _LINE_TEXT),
    st.tuples(st.just("ssl"), st.none() | st.booleans()),
    st.tuples(st.just("real_ips"), st.none() | st.lists(st.ip_addresses().map(str), max_size=3)),
    st.tuples(st.just("http_port"), st.none() | st.integers(1, 65535)),
)


@given(st.lists(_WANTED, max_size=6))
@settings(max_examples=200, deadline=None)
def test_edits_mean_to_yaml_what_they_mean_here_and_happen_once(wanted: list[tuple[str, t.Any]]) -> None:
    document = ConfigFile.parse(FILE)
    for key, value in wanted:
        document.set(key, check(key, value))
        assert not document.set(key, check(key, value))
    data = document.render()
    again = ConfigFile.parse(data)
    assert again.values == document.values
    loaded = yaml.load(data, yaml.BaseLoader)
    for key, _value in wanted:
        value = document.get(key)
        words = {True: ("true", "yes"), False: ("false",)}.get(value, ()) if isinstance(value, bool) else [value]
        assert key not in loaded or loaded[key] in words
    assert loaded["mine"] == "a: b\n\n# c\n"


@given(st.one_of(st.binary(max_size=40), st.text("ab:-# \n'\"[]|", max_size=40).map(str.encode)))
@settings(max_examples=300, deadline=None)
def test_parse_then_render_is_the_identity(data: bytes) -> None:
    try:
        document = ConfigFile.parse(data)
    except SelfhostError:
        return
    assert document.render() == data
