"""What identity tells before a login. Source: bitwarden/server AccountsController.cs, DiscoveryResponseGenerator.cs."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab.core import invalid, not_found
from tests.lab.state import Row
from tests.lab.web import answer, body, here

routes = Blueprint("prelogin", __name__)


@routes.post("/accounts/prelogin")
def prelogin() -> Response:
    """Tell how a password is derived; unknown addresses get a plausible answer too."""
    world = here()
    email = str(body().get("email") or "").strip().lower()
    if "@" not in email:
        raise invalid("Email", "The Email field is not a supported e-mail address format.")
    user = world.one("user", email=email) or {"kdf": 0, "kdfIterations": 600000, "kdfMemory": None, "kdfParallelism": None}
    found: Row = {name: user[name] for name in ("kdf", "kdfIterations", "kdfMemory", "kdfParallelism")}
    if world.has("kdfSettings"):
        found["kdfSettings"] = dict(zip(("kdfType", "iterations", "memory", "parallelism"), found.values(), strict=True))
    found["salt"] = user.get("salt", email) if world.has("prelogin salt") else None
    return answer(found)


@routes.post("/accounts/prelogin/password")
def prelogin_password() -> Response:
    """The same under its newer address."""
    if not here().has("prelogin/password route"):
        raise not_found()
    return prelogin()


@routes.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """The discovery document; on a self-hosted server it names internal addresses."""
    world = here()
    base = world.issuer if world.cloud else f"{world.issuer}:5000"
    return answer(
        {
            "issuer": world.issuer,
            "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
            "authorization_endpoint": f"{base}/connect/authorize",
            "token_endpoint": f"{base}/connect/token",
            "scopes_supported": ["api", "api.push", "api.licensing", "api.organization", "api.installation", "offline_access"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", "password"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )
