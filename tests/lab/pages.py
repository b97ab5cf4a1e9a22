"""The little that is needed of the other services: pages for browsers, and a bin for events."""

from __future__ import annotations

from flask import Blueprint, Response

from tests.lab.web import answer, empty, here

web = Blueprint("web", __name__)
admin = Blueprint("admin", __name__)
events = Blueprint("events", __name__)

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body>{0}</body></html>"


@web.get("/version.json")
def version() -> Response:
    """The web vault's release."""
    return answer({"version": here().version})


@web.get("/")
@web.get("/<path:_path>")
def vault(_path: str = "") -> Response:
    """The web vault: one page for every address."""
    return Response(_PAGE.format("Bitwarden Web vault"), content_type="text/html")


@admin.get("/")
@admin.get("/login")
def portal() -> Response:
    """The System Administrator Portal's login page."""
    return Response(_PAGE.format("Bitwarden System Administrator Portal"), content_type="text/html")


@events.post("/collect")
def collect() -> Response:
    """Take events and forget them."""
    return empty()
