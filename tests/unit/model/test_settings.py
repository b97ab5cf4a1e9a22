# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The catalogue of settings: names, types, owners and secrets."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model import settings, settings_data
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

from tools import generate_settings

CLOUD = "globalSettings__enableCloudCommunication"
PORT = "globalSettings__mail__smtp__port"


def refusal(call: t.Callable[[], object]) -> SelfhostError:
    with pytest.raises(SelfhostError) as caught:
        call()
    assert caught.value.field
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("globalSettings__enableCloudComunication", f"Did you mean {CLOUD}?"),
        ("enableCloudCommunication", f"Did you mean {CLOUD}?"),
        ("globalSettings__yubico__validationUrls", "Did you mean globalSettings__yubico__validationUrls__0?"),
        ("globalsettings__enablecloudcommunication", f"Write {CLOUD}."),
        ("globalSettings__Yubico__validationUrls__12", "Write globalSettings__yubico__validationUrls__12."),
        ("globalSettings__yubico__validationUrls__N", "Did you mean globalSettings__yubico__validationUrls__0?"),
        ("globalSettings__stripeApiKey", "since release v1.46.0. Use globalSettings__stripe__apiKey instead."),
        ("globalSettings__captcha__hCaptchaSiteKey", "since release v2025.5.2. Remove it"),
        ("globalSettings__notificationHubs__3__hubName", "since release v2024.11.0"),
        ("iconsSettings__cacheHours", "docker/docker-compose.override.yml, service icons"),
        ("SA_PASSWORD", "env/mssql.override.env"),
        ("keyConnectorSettings__webVaultUri", "env/key-connector.override.env"),
        ("globalSettings__selfHosted", "Leave it out"),
        ("somethingElse", "allow_unknown"),
    ],
)
def test_names_that_are_refused(name: str, message: str) -> None:
    assert message in str(refusal(lambda: settings.check_name(name, allow_unknown=False)))


@pytest.mark.parametrize(
    "name",
    [
        CLOUD,
        "globalSettings__yubico__validationUrls__12",
        "Logging__LogLevel__Microsoft.AspNetCore",
        "globalSettings__launchDarkly__flagValues__some-flag",
        "adminSettings__admins",
    ],
)
def test_names_that_are_known(name: str) -> None:
    assert settings.check_name(name, allow_unknown=False) is None


def test_unknown_names_are_accepted_on_request_with_a_warning() -> None:
    assert settings.check_name("globalSettings__newKey", allow_unknown=True)
    assert settings.check_name("iconsSettings__cacheHours", allow_unknown=True)
    assert settings.check_name("globalSettings__stripe__apiKey", allow_unknown=False) == (
        "globalSettings__stripe__apiKey has no effect on a self-hosted server."
    )


@pytest.mark.parametrize(
    "name", ["", "a b", "a=b", "a\nb", "1a", "globalsettings__enablecloudcommunication", "globalSettings__selfHosted"]
)
def test_some_names_are_never_accepted(name: str) -> None:
    with pytest.raises(SelfhostError):
        settings.check_name(name, allow_unknown=True)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (CLOUD, True, "true"),
        (CLOUD, "False", "false"),
        (PORT, 587, "587"),
        (PORT, "25", "25"),
        ("globalSettings__sso__ssoTokenLifetimeInSeconds", 2.5, "2.5"),
        ("globalSettings__pushRelayBaseUri", "https://push.bitwarden.eu", "https://push.bitwarden.eu"),
        ("globalSettings__pushRelayBaseUri", "REPLACE", "REPLACE"),
        ("globalSettings__mail__smtp__password", "", ""),
        ("globalSettings__siteName", True, "true"),
        ("globalSettings__siteName", " any ' thing", " any ' thing"),
        ("adminSettings__admins", "a@example.com, b@example.com", "a@example.com, b@example.com"),
        ("adminSettings__admins", "", ""),
        ("adminSettings__deleteTrashDaysAgo", "", ""),
        ("globalSettings__passwordlessAuth__adminRequestExpiration", "7.00:00:00", "7.00:00:00"),
        ("globalSettings__installation__id", "11111111-2222-4333-8444-555555555555", "11111111-2222-4333-8444-555555555555"),
        ("globalSettings__baseServiceUri__cloudRegion", "EU", "EU"),
        ("notInTheCatalogue", 1, "1"),
    ],
)
def test_values_become_text(name: str, value: object, text: str) -> None:
    assert settings.to_text(name, value) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (CLOUD, "yes"),
        (CLOUD, "no"),
        (CLOUD, 1),
        (CLOUD, ""),
        (PORT, True),
        (PORT, "smtp"),
        (PORT, 0),
        (PORT, 65536),
        (PORT, ""),
        ("globalSettings__organizationInviteExpirationHours", 2**31),
        ("globalSettings__sso__ssoTokenLifetimeInSeconds", "soon"),
        ("globalSettings__installation__apiUri", "https://api.bitwarden .eu"),
        ("globalSettings__installation__apiUri", "https://api.bitwarden.eu/ x"),
        ("globalSettings__installation__apiUri", "api.bitwarden.eu"),
        ("globalSettings__installation__apiUri", ""),
        ("globalSettings__installation__id", "1234"),
        ("globalSettings__installation__id", "00000000-0000-0000-0000-000000000000"),
        ("globalSettings__mail__replyToEmail", "nobody"),
        ("adminSettings__admins", "a@example.com b@example.com"),
        ("globalSettings__passwordlessAuth__userRequestExpiration", "15m"),
        ("globalSettings__baseServiceUri__cloudRegion", "eu"),
        ("globalSettings__databaseProvider", "oracle"),
        ("globalSettings__siteName", ["a"]),
        ("globalSettings__siteName", {"a": 1}),
    ],
)
def test_values_of_a_wrong_type_are_refused(name: str, value: object) -> None:
    assert refusal(lambda: settings.to_text(name, value)).field == name


def test_lists_have_a_setting_per_item() -> None:
    assert "globalSettings__fido2__origins__0" in str(refusal(lambda: settings.to_text("globalSettings__fido2__origins", ["x"])))


@pytest.mark.parametrize("name", sorted(settings.SETUP_OWNED))
def test_what_setup_writes_cannot_be_removed(name: str) -> None:
    assert "Setup" in str(refusal(lambda: settings.check_removal(name)))


def test_what_operators_add_can_be_removed() -> None:
    for name in (CLOUD, "globalSettings__installation__apiUri", "globalSettings__pushRelayBaseUri", "anything"):
        settings.check_removal(name)


def test_removals_of_misspelled_names_are_doubted() -> None:
    assert settings.doubt("globalSettings__enableCloudComunication") == CLOUD
    for name in (CLOUD, CLOUD.lower(), "globalSettings__stripeApiKey", "SA_PASSWORD", "somethingElse"):
        assert settings.doubt(name) is None


def test_secrets_are_known_by_catalogue_or_by_name() -> None:
    for row in settings_data.SETTINGS:
        assert settings.is_secret(row[0].replace("__N", "__7")) is (row[1] == "secret"), row
    for name, *_rest, secret in (*settings_data.REMOVED, *settings_data.ELSEWHERE):
        assert settings.is_secret(name.replace("__N", "__7")) is secret, name
    for name in ("somePassword", "other__apiKey", "x_TOKEN", "my__connectionString", "GLOBALSETTINGS__INSTALLATION__KEY"):
        assert settings.is_secret(name)
    for name in ("globalsettings__webpush__vapidpublickey", "something__else", PORT):
        assert not settings.is_secret(name)


def test_only_distinctive_secrets_are_masked_everywhere() -> None:
    assert settings.may_be_masked("s3cret")
    for value in (True, 1, None, "", "true", "SECRET", "replace"):
        assert not settings.may_be_masked(value)


def test_booleans_are_compared_without_regard_to_case() -> None:
    assert settings.same(CLOUD, "True", "true")
    assert not settings.same(CLOUD, None, "false")
    assert not settings.same("globalSettings__siteName", "True", "true")


def test_placeholders_count_as_missing() -> None:
    for name, value in (
        (settings.INSTALLATION_KEY, "replace"),
        (settings.INSTALLATION_ID, "00000000-0000-0000-0000-000000000000"),
    ):
        assert settings.is_missing(name, value)
    assert not settings.is_missing(settings.INSTALLATION_KEY, "x")
    assert not settings.is_missing("globalSettings__siteName", "REPLACE")


def test_no_name_is_listed_twice() -> None:
    names = [row[0].lower() for row in (*settings_data.SETTINGS, *settings_data.REMOVED, *settings_data.ELSEWHERE)]
    assert len(set(names)) == len(names)
    assert settings.SETUP_OWNED | settings.SETUP_READS | set(settings.NEEDED) <= {row[0] for row in settings_data.SETTINGS}


def test_generator_writes_the_data_it_was_given() -> None:
    entry = {"secret": False, "use": "core", "meaning": "", "type": "string"}
    text = generate_settings.render(
        {
            "server_version": "2030.1.0",
            "settings": [
                {**entry, "name": "a", "type": "secret", "secret": True, "placeholder_means_unset": True},
                {**entry, "name": "b", "type": "enum", "values": ["x", "y"], "since": "v1"},
            ],
            "admin_settings": [{**entry, "name": "c", "format": "csv of email", "setup": "empty value"}],
            "other_keys": [{**entry, "name": "d" * 110}],
            "removed": [{"name": "e", "removed": "v2", "secret": True, "replaced_by": 'the "f"'}],
            "uid_env": [{**entry, "name": "LOCAL_UID"}],
            **{part: [] for part in ("icons_keys", "mssql_env", "key_connector_env")},
            "setup_order": ["a"],
        }
    )
    module: dict[str, t.Any] = {}
    exec(text, module)
    assert module["SETTINGS"] == (
        ("a", "secret", "core", "placeholder", ""),
        ("b", "x|y", "core", "", "v1"),
        ("c", "emails", "core", "empty", ""),
        ("d" * 110, "string", "core", "", ""),
    )
    assert module["REMOVED"] == (("e", "v2", 'the "f"', True),)
    assert module["ELSEWHERE"] == (("LOCAL_UID", "env/uid.env", False),)
    assert module["SETUP_ORDER"] == ("a",)
    assert max(map(len, text.splitlines())) <= generate_settings.WIDTH
