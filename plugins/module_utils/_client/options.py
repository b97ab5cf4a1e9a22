# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module's options (C(_module.API_ARGUMENTS)) say about the server, and which of them do not go together."""

from __future__ import annotations

import os
import ssl
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._client.identity import (
    ApiKey,
    Identity,
    OrganizationKey,
    Password,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.regions import REGIONS, Endpoints, self_hosted

Options = t.Mapping[str, t.Any]


def named(params: Options) -> bool:
    """Say whether the options name a server."""
    return bool(params.get("server_url") or params.get("region"))


def endpoints_of(params: Options, prefix: str) -> Endpoints:
    """Return the addresses of the server."""
    url, region = params.get("server_url"), params.get("region")
    if url and region:
        raise SelfhostError(
            "server_url and region exclude each other.",
            field=f"{prefix}server_url",
            remedy="Give region for the Bitwarden cloud, server_url for a self-hosted server; BW_SERVER counts as server_url.",
        )
    if region:
        return REGIONS[region].endpoints
    if not url:
        raise SelfhostError(
            "It is not said which server.",
            field=f"{prefix}server_url",
            remedy="Give server_url, or region for the Bitwarden cloud, or a session.",
        )
    return self_hosted(url)


def identity_of(params: Options, prefix: str) -> Identity | None:
    """Return who we are; None when there is nothing but perhaps a session.

    An API key goes before e-mail and master password, as in the official CLI: the master password then unlocks the account.
    """
    client_id, client_secret = params.get("client_id"), params.get("client_secret")
    if bool(client_id) != bool(client_secret):
        missing = "client_secret" if client_id else "client_id"
        raise SelfhostError(
            f"{missing} is missing.", field=prefix + missing, remedy="An API key is both, client_id and client_secret."
        )
    if client_id and client_secret:
        return _api_key(client_id, client_secret, prefix)
    if params.get("email") and params.get("master_password"):
        return Password(params["email"], params["master_password"])
    if params.get("session") is None and (params.get("email") or params.get("master_password")):
        missing = "master_password" if params.get("email") else "email"
        raise SelfhostError(
            f"{missing} is missing.", field=prefix + missing, remedy="Give both, or an API key (client_id and client_secret)."
        )
    return None


def _api_key(client_id: str, client_secret: str, prefix: str) -> Identity:
    kind = client_id.partition(".")[0]
    if kind == "user":
        return ApiKey(client_id, client_secret)
    if kind == "organization":
        return OrganizationKey(client_id, client_secret)
    raise SelfhostError(
        "This is not the client id of an API key.",
        field=f"{prefix}client_id",
        remedy="It looks like user.00000000-0000-0000-0000-000000000000; the web vault shows it under Security, Keys.",
    )


def verify_of(params: Options, prefix: str) -> bool | str:
    """Return how certificates are verified: yes, no, or with the CA certificates in this place."""
    path = params.get("ca_path")
    if not params.get("validate_certs", True):
        return False
    if not path:
        return True
    try:
        ssl.create_default_context(**{"capath" if os.path.isdir(path) else "cafile": path})
    except (OSError, ValueError):  # an SSLError is an OSError
        raise SelfhostError(
            f"There are no CA certificates to read in {path}.", field=f"{prefix}ca_path", remedy="Give a file in PEM format."
        ) from None
    return str(path)
