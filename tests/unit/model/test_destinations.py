# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server must reach, from its settings."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import (
    destinations,
    host_name,
    mismatch,
    through_proxy,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.proxy import bypassed, parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS
from hypothesis import given, strategies as st

G = "globalSettings__"


def names(settings: dict[str, str], **options: object) -> list[str]:
    return [one.name for one in destinations(settings, **options)]  # type: ignore[arg-type]


def test_without_settings_a_server_talks_to_the_us_cloud_and_pushes_nothing() -> None:
    assert names({}) == ["api.bitwarden.com:443/tcp", "identity.bitwarden.com:443/tcp"]


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_a_region_is_three_services(region: str) -> None:
    found = destinations(REGIONS[region].settings)
    domain = REGIONS[region].domain
    assert [one.host for one in found] == [f"api.{domain}", f"identity.{domain}", f"push.{domain}"]
    assert [one.url for one in found] == [
        f"https://api.{domain}/alive",
        f"https://identity.{domain}/alive",
        f"https://push.{domain}/",
    ]
    assert all(one.reason and one.source for one in found)


@pytest.mark.parametrize("value", ["", " ", "REPLACE", "SECRET"])
def test_placeholders_switch_push_off_and_addresses_back_to_the_us(value: str) -> None:
    assert names({f"{G}pushRelayBaseUri": value, f"{G}installation__apiUri": value}) == [
        "api.bitwarden.com:443/tcp",
        "identity.bitwarden.com:443/tcp",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("installation__apiUri", "https://bw-api.proxy.example.com:8443/x/", "bw-api.proxy.example.com:8443/tcp"),
        ("mail__smtp__host", "Mail.Example.com.", "mail.example.com:25/tcp"),
        ("mail__smtp__host", "2001:DB8::25", "[2001:db8::25]:25/tcp"),
        ("mail__sendGridApiKey", "key", "api.sendgrid.com:443/tcp"),
        ("amazon__region", "eu-west-1", "email.eu-west-1.amazonaws.com:443/tcp"),
        ("hibpApiKey", "key", "haveibeenpwned.com:443/tcp"),
        ("yubico__key", "key", "api.yubico.com:443/tcp"),
        ("sqlServer__connectionString", "Data Source=tcp:db.example.com,1444;Password=x", "db.example.com:1444/tcp"),
        ("sqlServer__connectionString", r"Server=db.example.com\INST;User=sa", "db.example.com:1433/tcp"),
        ("postgreSql__connectionString", "Host=pg.example.com;Port=5433;Password=x", "pg.example.com:5433/tcp"),
        ("mySql__connectionString", "server=my.example.com;uid=x", "my.example.com:3306/tcp"),
        ("distributedCache__redis__connectionString", "r1.example.com:6380,password=x,ssl=true", "r1.example.com:6380/tcp"),
        ("GLOBALSETTINGS__MAIL__SMTP__HOST", "mail.example.com", "mail.example.com:25/tcp"),
    ],
)
def test_settings_of_the_operator_are_destinations(setting: str, value: str, name: str) -> None:
    key = setting if setting.lower().startswith("globalsettings") else G + setting
    assert name in names({key: value})


def test_other_settings_refine_them() -> None:
    found = names(
        {
            f"{G}mail__smtp__host": "mail.example.com",
            f"{G}mail__smtp__port": "587",
            f"{G}yubico__key": "key",
            f"{G}yubico__validationUrls__0": "https://otp.example.com/wsapi/2.0/verify",
        },
        purposes=["settings"],
    )
    assert found == ["mail.example.com:587/tcp", "otp.example.com:443/tcp"]


@pytest.mark.parametrize("value", ["Data Source=tcp:mssql,1433;Password=x", "Server=mssql"])
def test_names_of_compose_never_leave_the_machine(value: str) -> None:
    assert names({f"{G}sqlServer__connectionString": value}, purposes=["settings"]) == []


def test_purposes_and_declared_ones() -> None:
    extra = [{"host": "login.example.com", "reason": "single sign-on"}, {"host": "192.0.2.1", "port": 514, "protocol": "udp"}]
    assert names({}, purposes=["update"], extra=extra) == [
        "192.0.2.1:514/udp",
        "func.bitwarden.com:443/tcp",
        "login.example.com:443/tcp",
        "selfhost.bitwarden.com:443/tcp",
    ]


def test_the_same_destination_stands_once_with_all_its_reasons() -> None:
    extra = [{"host": "api.bitwarden.com", "reason": "backup job"}]
    found = destinations({}, ["cloud"], extra)[0]
    assert (found.reason.split("; ")[0], found.source) == ("backup job", f"destinations; {G}installation__apiUri")
    assert found.url == "https://api.bitwarden.com/alive"


@pytest.mark.parametrize(
    ("settings", "extra", "field"),
    [
        ({f"{G}installation__apiUri": "api.bitwarden.com"}, [], f"{G}installation__apiUri"),
        ({f"{G}installation__apiUri": "https://api.bitwarden.com:x"}, [], f"{G}installation__apiUri"),
        ({f"{G}mail__smtp__host": "mail example"}, [], f"{G}mail__smtp__host"),
        ({f"{G}mail__smtp__host": "mail.example.com", f"{G}mail__smtp__port": "70000"}, [], f"{G}mail__smtp__port"),
        ({}, [{"host": "https://x.example.com"}], "destinations"),
        ({}, [{"host": "x.example.com", "port": -1}], "destinations"),
    ],
)
def test_bad_addresses_are_refused_by_field(settings: dict[str, str], extra: list[dict[str, object]], field: str) -> None:
    with pytest.raises(SelfhostError) as caught:
        destinations(settings, extra=extra)
    assert caught.value.field == field
    assert caught.value.remedy


def test_all_bad_addresses_are_named_at_once_and_none_shows_a_secret() -> None:
    settings = {
        f"{G}sqlServer__connectionString": "Server=hunter2 hunter2.example",
        f"{G}installation__apiUri": "ftp://user:hunter2@example.com",
    }
    with pytest.raises(SelfhostError) as caught:
        destinations(settings)
    assert "sqlServer" in str(caught.value)
    assert "apiUri" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_region_that_is_only_a_label_is_told() -> None:
    told = mismatch({f"{G}baseServiceUri__cloudRegion": "EU"})
    assert told
    assert "api.bitwarden.com and identity.bitwarden.com" in told
    assert "region: eu" in told
    assert mismatch(REGIONS["eu"].settings) is None
    assert mismatch({}) is None


def test_a_proxy_is_the_only_https_destination() -> None:
    found = destinations({f"{G}mail__smtp__host": "mail.example.com", **REGIONS["eu"].settings})
    through = through_proxy(found, "http://user:secret@proxy.example.com:3128", "push.bitwarden.eu")
    assert [one.name for one in through] == ["mail.example.com:25/tcp", "proxy.example.com:3128/tcp", "push.bitwarden.eu:443/tcp"]
    assert "secret" not in repr(through)
    assert through_proxy(found, "", "") == found


@pytest.mark.parametrize(
    ("entry", "host", "matches"),
    [
        ("*", "a.example.com", True),
        (".example.com", "a.example.com", True),
        ("example.com", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("example.com", "badexample.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("localhost, 127.0.0.1", "127.0.0.1", True),
        ("", "a.example.com", False),
    ],
)
def test_no_proxy(entry: str, host: str, matches: bool) -> None:
    assert bypassed(host, entry) is matches


@pytest.mark.parametrize("url", ["ftp://proxy:1", "http://user:hunter2@", "http://proxy:x", "socks5://proxy:1"])
def test_a_bad_proxy_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SelfhostError) as caught:
        parse(url)
    assert url not in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from([G + one for one in ("mail__smtp__host", "installation__apiUri", "sqlServer__connectionString")]),
        st.text(),
    )
)
def test_any_text_is_a_destination_or_refused(settings: dict[str, str]) -> None:
    try:
        found = destinations(settings)
    except SelfhostError:
        return
    assert all(host_name(one.host, "x") == one.host and 1 <= one.port <= 65535 for one in found)
