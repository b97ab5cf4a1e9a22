# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The directories that the official Directory Connector reads, as data: options, properties, filters.

Source: bitwarden/directory-connector libs/models/*Configuration.ts, libs/services/directory-services, baseDirectory.service.ts.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Options = t.Mapping[str, t.Any]


def camel(name: str) -> str:
    """Return C(userFilter) for C(user_filter)."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


@dataclass(frozen=True)
class Kind:
    """One kind of directory.

    Attributes:
        label: what people call it.
        number: its C(directoryType).
        flat: the key of its object since G2.
        nested: the key of its object in G1.
        secret: the property that is secret.
        properties: turns options into the properties of its object.
        users: keywords of a user filter.
        groups: keywords of a group filter.
    """

    label: str
    number: int
    flat: str
    nested: str
    secret: str
    properties: t.Callable[[Options], dict[str, t.Any]]
    users: frozenset[str] = frozenset({"include", "exclude"})
    groups: frozenset[str] = frozenset({"include", "exclude"})


def _named_alike(options: Options) -> dict[str, t.Any]:
    """Properties that are named as the options are."""
    return {camel(name): value for name, value in options.items()}


def _google(options: Options) -> dict[str, t.Any]:
    """The key as the program would have stored it: a copy out of Google's JSON file has C(\\n) for line breaks."""
    key = (options["private_key"] or "").lstrip().replace("\\n", "\n")
    return {**_named_alike(options), "privateKey": key}


def _ldap(options: Options) -> dict[str, t.Any]:
    """The program ignores startTls without ssl, and reads another CA option for each of the two ways to have TLS."""
    tls, ca_path = options["tls"], options["ca_path"]
    return {
        "ssl": tls != "none",
        "startTls": tls == "starttls",
        "sslCaPath": ca_path if tls == "ldaps" else None,
        "tlsCaPath": ca_path if tls == "starttls" else None,
        "sslCertPath": options["client_cert_path"],
        "sslKeyPath": options["client_key_path"],
        "sslAllowUnauthorized": not options["validate_certs"],
        "hostname": options["hostname"],
        "port": port(options),
        "domain": None,
        "rootPath": options["root_path"],
        "currentUser": False,
        "username": options["username"],
        "password": options["password"],
        "ad": options["active_directory"],
        "pagedSearch": True,
    }


def port(options: Options) -> int:
    """Return the port of an LDAP server: the one given, or the usual one."""
    return options["port"] or (636 if options["tls"] == "ldaps" else 389)


KINDS = {
    "ldap": Kind("LDAP", 0, "directoryLdap", "ldap", "password", _ldap),
    "entra": Kind(
        "Entra ID",
        1,
        "directoryEntra",
        "entra",
        "key",
        _named_alike,
        users=frozenset({"include", "exclude", "includegroup", "excludegroup"}),
        groups=frozenset({"include", "exclude", "includeadministrativeunit", "excludeadministrativeunit"}),
    ),
    "google": Kind("Google Workspace", 2, "directoryGsuite", "gsuite", "privateKey", _google),
    "okta": Kind("Okta", 3, "directoryOkta", "okta", "token", _named_alike),
    "onelogin": Kind("OneLogin", 4, "directoryOnelogin", "oneLogin", "clientSecret", _named_alike),
}

# What the program sets by itself for an Active Directory, whenever it saves; anything else would not stay.
ACTIVE_DIRECTORY = {
    "creationDateAttribute": "whenCreated",
    "revisionDateAttribute": "whenChanged",
    "emailPrefixAttribute": "sAMAccountName",
    "memberAttribute": "member",
    "userObjectClass": "person",
    "groupObjectClass": "group",
    "userEmailAttribute": "mail",
    "groupNameAttribute": "name",
}
# Where it looks in an Active Directory unless told otherwise.
ACTIVE_DIRECTORY_PATHS = {"userPath": "CN=Users", "groupPath": "CN=Users"}
# What other LDAP servers mostly have.
OTHER_LDAP = {
    "memberAttribute": "member",
    "userObjectClass": "inetOrgPerson",
    "groupObjectClass": "groupOfNames",
    "userEmailAttribute": "mail",
    "groupNameAttribute": "cn",
}
# Options of sync that mean nothing elsewhere.
ONLY_LDAP = (
    "user_path",
    "user_object_class",
    "user_email_attribute",
    "group_path",
    "group_object_class",
    "group_name_attribute",
    "member_attribute",
    "email_prefix_attribute",
    "revision_date_attribute",
)
