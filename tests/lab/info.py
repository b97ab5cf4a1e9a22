"""What every service tells anybody: alive, version, configuration."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab.core import REGIONS, World, iso
from tests.lab.state import Row
from tests.lab.web import answer, here

common = Blueprint("info", __name__)
config = Blueprint("config", __name__)


@common.get("/alive")
@common.get("/now")
def alive() -> Response:
    """The time, as a JSON string."""
    return answer(iso(here().now()))


@common.get("/version")
def version() -> Response:
    """The release, as a JSON string."""
    return answer(here().version)


@config.get("/config")
def configuration() -> Response:
    """What clients need to know about this server; C(communication) and others came with later releases."""
    world = here()
    settings: Row = {"disableUserRegistration": not world.cloud and world.core.selfhost.flag("disableUserRegistration")}
    if world.has("config onboarding"):
        settings["suppressOnboardingInterstitials"] = False
    found: Row = {
        "object": "config",
        "version": world.version,
        "gitHash": "ac309aa1",
        "server": None,
        "environment": _environment(world),
        "featureStates": {},
        "push": {"pushTechnology": 0, "vapidPublicKey": None},
        "settings": settings,
    }
    if world.has("config communication"):
        found["communication"] = None
    return answer(found)


def _environment(world: World) -> Row:
    if world.cloud:
        domain = REGIONS[world.name]
        urls = {name: f"https://{name}.{domain}" for name in ("vault", "api", "identity", "notifications", "sso")}
        return {"cloudRegion": world.name.upper(), **urls}
    base = world.core.selfhost.base_url()
    urls = {name: f"{base}/{name}" for name in ("api", "identity", "notifications", "sso")}
    return {"cloudRegion": world.core.selfhost.setting("baseServiceUri__cloudRegion"), "vault": base, **urls}
