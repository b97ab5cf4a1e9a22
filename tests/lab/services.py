"""The applications behind the services: which rooms each has, and how it refuses."""

from __future__ import annotations

import traceback

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from tests.lab import (
    accounts,
    cipher_items,
    ciphers,
    cloud,
    collections,
    connections,
    events,
    groups,
    identity,
    info,
    license_routes,
    member_changes,
    member_confirm,
    member_invites,
    member_states,
    members,
    organization_delete,
    organization_keys,
    organizations,
    pages,
    policies,
    prelogin,
    provider_billing,
    provider_clients,
    provider_links,
    provider_users,
    providers,
    public_api,
    public_import,
    public_members,
    public_subscription,
    registration,
    sponsorship_sync,
    sponsorships,
    sso,
)
from tests.lab.core import Refusal, not_found
from tests.lab.web import answer

_ROOMS = {
    "api": (
        info.common,
        info.config,
        accounts.routes,
        connections.routes,
        license_routes.routes,
        cloud.routes,
        sponsorship_sync.routes,
        sponsorships.routes,
        organizations.routes,
        organization_keys.routes,
        organization_delete.routes,
        members.routes,
        member_invites.routes,
        member_confirm.routes,
        member_changes.routes,
        member_states.routes,
        collections.routes,
        groups.routes,
        policies.routes,
        sso.routes,
        public_api.routes,
        public_members.routes,
        public_subscription.routes,
        public_import.routes,
        ciphers.routes,
        cipher_items.routes,
        events.routes,
        providers.routes,
        provider_users.routes,
        provider_clients.routes,
        provider_links.routes,
        provider_billing.routes,
    ),
    "identity": (info.common, identity.routes, prelogin.routes, registration.routes),
    "web": (pages.web,),
    "admin": (info.common, pages.admin),
    "events": (info.common, pages.events),
    "other": (info.common,),
}


def applications() -> dict[str, Flask]:
    """Return an application for every service; C(other) is for those that only tell that they are alive."""
    return {name: _application(rooms) for name, rooms in _ROOMS.items()}


def _application(rooms: tuple[Blueprint, ...]) -> Flask:
    app = Flask("lab", static_folder=None)
    app.url_map.strict_slashes = False
    for room in rooms:
        app.register_blueprint(room)
    app.register_error_handler(Refusal, _refuse)
    app.register_error_handler(HTTPException, _unknown)
    app.register_error_handler(Exception, _crashed)
    return app


def _refuse(refusal: Refusal) -> Response:
    request.environ["lab.notes"]["delay"] = refusal.delay
    body = refusal.body()
    response = answer(body, refusal.status) if body else Response(b"", refusal.status)
    response.headers.update(refusal.headers)
    return response


def _unknown(error: HTTPException) -> Response:
    return _refuse(not_found() if error.code == 404 else Refusal(error.code or 500))


def _crashed(error: Exception) -> Response:
    """A mistake of the lab itself: loud, so that it is not taken for the server's behaviour."""
    traceback.print_exception(error)
    return _refuse(Refusal(500, f"The lab is broken: {error!r}"))
