"""The Setup container: install, the rewriting by rebuild/update/updateconf, and printenv."""

from __future__ import annotations

import os
import re
import sys

from . import container, miniyaml, templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Config = dict[str, t.Any]
    Pairs = dict[str, str]

PREFIX = "globalSettings__"
_TRUE, _FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")


class SetupCrash(Exception):
    """An unhandled exception: exit code 134."""


class Setup:
    """`root` is bwdata, `versions` the tags given on the command line."""

    def __init__(self, root: str, versions: templates.Versions) -> None:
        self.root = root
        self.versions = versions

    def path(self, name: str) -> str:
        return os.path.join(self.root, name)

    def read(self, name: str) -> str:
        with open(self.path(name), encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            return file.read()

    def write(self, name: str, text: str, secret: bool = False) -> None:
        """Truncate and rewrite in place, as Setup does: owner and inode stay."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
        if secret:
            os.chmod(self.path(name), 0o600)

    # the three modes
    def install(self, config: Config, answers: Pairs) -> None:
        """`answers`: domain, id, key, region, database."""
        config = {**defaults(), **config}
        self.write_placeholder("identity/identity.pfx", "CN=Bitwarden IdentityServer")
        self.build(config, answers, self.fresh(config, answers, random_text(32)))
        print("Installation complete")
        print(
            "If you need to make additional configuration changes, you can modify the settings in `./config.yml` and then run: "
            "`./bitwarden.sh rebuild`"
        )
        print("Next steps, run: `./bitwarden.sh start`")

    def update(self) -> None:
        config = self.load_config()
        old = self.file_pairs("env/global.override.env")
        password = first_value(old, PREFIX + "identityServer__certificatePassword") or ""
        pairs = rewrite(self.fresh(config, {}, password), old)
        push, vault = PREFIX + "pushRelayBaseUri", PREFIX + "baseServiceUri__vault"
        if config["push_notifications"] and pairs.get(push) == "REPLACE":
            del pairs[push]
        if pairs[vault] != config["url"] and self.versions.number() >= (2024, 11):
            pairs[vault] = config["url"]
            print(f"Updated {vault} to match value in config.yml")
        self.build(config, {}, pairs)

    def print_environment(self) -> None:
        line = "Bitwarden is up and running!"
        print(
            f"\n{line}\n{'=' * 51}\n\nvisit {self.load_config()['url']}\n"
            "to update, run `./bitwarden.sh updateself` and then `./bitwarden.sh update`\n"
        )

    # config.yml
    def load_config(self) -> Config:
        if not os.path.exists(self.path("config.yml")):
            print("No existing `config.yml` detected. Let's generate one.")
            return self.recovered_config()
        try:
            data = miniyaml.load(self.read("config.yml")) or {}
            return {**defaults(), **{name: typed(kind, data[name]) for name, kind, *_rest in templates.CONFIG if name in data}}
        except (miniyaml.YamlError, ValueError, TypeError) as error:
            raise SetupCrash(f"YamlDotNet.Core.YamlException: {error}") from None

    def recovered_config(self) -> Config:
        config = defaults()
        pairs = self.file_pairs("env/global.override.env")
        url = (first_value(pairs, PREFIX + "baseServiceUri__vault") or "").strip('"')
        if "://" not in url:
            print("Unable to determine existing installation url.")
            return config
        push = first_value(pairs, PREFIX + "pushRelayBaseUri")
        return {**config, "url": url, "push_notifications": push != "REPLACE"}

    # the env files
    def file_pairs(self, name: str) -> list[tuple[str, str]]:
        """(key, value) of each line with `=`, nothing trimmed."""
        if not os.path.exists(self.path(name)):
            return []
        lines = re.split("\r\n|\r|\n", self.read(name))
        return [(line.partition("=")[0], line.partition("=")[2]) for line in lines if "=" in line]

    def fresh(self, config: Config, answers: Pairs, certificate_password: str) -> Pairs:
        """Setup's own keys in order, with new secrets."""
        self.database_password = random_text(32)
        database = answers.get("database", "vault")
        connection = (
            f"Data Source=tcp:mssql,1433;Initial Catalog={database};Persist Security Info=False;User ID=sa;"
            f"Password={self.database_password};"
            "Multiple Active Result Sets=False;Connect Timeout=30;Encrypt=True;Trust Server Certificate=True"
        )
        values = {
            "baseServiceUri__vault": config["url"],
            "baseServiceUri__cloudRegion": answers.get("region", "US"),
            "sqlServer__connectionString": f'"{connection}"',
            "sqlServer__migrationExecutionTimeoutSeconds": "",
            "identityServer__certificatePassword": certificate_password,
            "internalIdentityKey": random_text(64),
            "oidcIdentityClientKey": random_text(64),
            "duo__aKey": random_text(64),
            "installation__id": answers.get("id", container.NO_ID),
            "installation__key": answers.get("key", ""),
            "yubico__clientId": "REPLACE",
            "yubico__key": "REPLACE",
            "mail__replyToEmail": f"no-reply@{templates.domain(config)}",
            "mail__smtp__host": "REPLACE",
            "mail__smtp__port": "587",
            "mail__smtp__ssl": "false",
            "mail__smtp__username": "REPLACE",
            "mail__smtp__password": "REPLACE",
            "disableUserRegistration": "false",
            "hibpApiKey": "REPLACE",
        }
        if self.versions.number() <= (2026, 8, 0):
            del values["sqlServer__migrationExecutionTimeoutSeconds"]
        pairs = {**{PREFIX + key: value for key, value in values.items()}, "adminSettings__admins": ""}
        return pairs if config["push_notifications"] else {**pairs, PREFIX + "pushRelayBaseUri": "REPLACE"}

    def build(self, config: Config, answers: Pairs, override: Pairs) -> None:
        """Everything that install and update write, in Setup's order."""
        self.build_env_files(config, answers.get("database", "vault"), override)
        if config["enable_key_connector"]:
            self.write_placeholder("key-connector/bwkc.pfx", "CN=Bitwarden Key Connector")
        print("Building nginx config." + ("" if config["generate_nginx_config"] else "\n...skipped"))
        if config["generate_nginx_config"]:
            try:
                self.write("nginx/default.conf", templates.nginx_default_conf(config))
            except ValueError as error:
                raise SetupCrash(f"System.FormatException: {error}") from None
        print("Building FIDO U2F app id.")
        self.write("web/app-id.json", templates.app_id_json(config))
        print("Building docker-compose.yml." + ("" if config["generate_compose_config"] else "\n...skipped"))
        if config["generate_compose_config"]:
            self.write("docker/docker-compose.yml", templates.docker_compose_yml(config, self.versions))
        self.write("config.yml", templates.config_yml(config, self.versions.number()))

    def build_env_files(self, config: Config, database: str, override: Pairs) -> None:
        print("Building docker environment files.")
        own = {
            "ASPNETCORE_ENVIRONMENT": "Production",
            PREFIX + "selfHosted": "true",
            PREFIX + "baseServiceUri__vault": "http://localhost",
            PREFIX + "pushRelayBaseUri": "https://push.bitwarden.com",
        }
        self.write("docker/global.env", render(own), secret=True)
        self.write("docker/mssql.env", render({"ACCEPT_EULA": "Y", "MSSQL_PID": "Express", "SA_PASSWORD": "SECRET"}), secret=True)
        print("Building docker environment override files.")
        self.write("env/global.override.env", render(override), secret=True)
        mssql = {"SA_PASSWORD": self.database_password, "DATABASE": database}
        self.write("env/mssql.override.env", render(rewrite(mssql, self.file_pairs("env/mssql.override.env"))), secret=True)
        if config["enable_key_connector"]:
            name = "env/key-connector.override.env"
            self.write(name, render(rewrite(key_connector(config), self.file_pairs(name))), secret=True)
        if not os.path.exists(self.path("env/uid.env")):
            self.write("env/uid.env", "")

    def write_placeholder(self, name: str, subject: str) -> None:
        """A certificate file nobody opens."""
        if not os.path.exists(self.path(name)):
            self.write(name, f"placeholder certificate {subject}\n")


def rewrite(fresh: Pairs, old: t.Iterable[tuple[str, str]]) -> Pairs:
    """Steps 1 to 3: known keys take the old value verbatim, new ones are appended without backslashes before double quotes."""
    merged = dict(fresh)
    for key, value in old:
        merged[key] = value if key in merged else value.replace('\\"', '"')
    return merged


def render(pairs: Pairs) -> str:
    return "".join(f"{key}={value}\n" for key, value in pairs.items())


def first_value(pairs: t.Iterable[tuple[str, str]], key: str) -> str | None:
    return next((value.strip('"') for name, value in pairs if name == key), None)


def key_connector(config: Config) -> Pairs:
    values = {
        "webVaultUri": config["url"],
        "identityServerUri": "http://identity:5000",
        "database__provider": "json",
        "database__jsonFilePath": "/etc/bitwarden/key-connector/data.json",
        "rsaKey__provider": "certificate",
        "certificate__provider": "filesystem",
        "certificate__filesystemPath": "/etc/bitwarden/key-connector/bwkc.pfx",
        "certificate__filesystemPassword": random_text(32),
    }
    return {"keyConnectorSettings__" + key: value for key, value in values.items()}


def defaults() -> Config:
    return {name: default for name, _type, default, *_rest in templates.CONFIG}


def typed(kind: type, value: t.Any) -> t.Any:
    """What the .NET deserialiser makes of a scalar. ValueError or TypeError: it would throw."""
    if kind is bool:
        if not isinstance(value, str) or value.lower() not in _TRUE + _FALSE:
            raise ValueError(f'The value "{value}" is not a valid YAML Boolean')
        return value.lower() in _TRUE
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"Expected {kind.__name__}, got {value!r}")
    return value


def random_text(length: int) -> str:
    import secrets
    import string

    return "".join(secrets.choice(string.ascii_letters + string.digits) for _unused in range(length))


def crash_text(error: SetupCrash) -> None:
    print(f"Unhandled exception. {error}\n   at Bit.Setup.Program.Main(String[] args)", file=sys.stderr)
