"""What all of the public API has in common: the organization's own token, and its way to refuse.

Source: bitwarden/server src/Api/Models/Public/Response/ErrorResponseModel.cs, ClientProviders/OrganizationClientProvider.cs.
"""

from __future__ import annotations

import typing as t

from flask import Blueprint, Response, request

from tests.lab import access
from tests.lab.core import Refusal, not_found
from tests.lab.rights import Actor
from tests.lab.state import Row
from tests.lab.web import answer, calling_machine, guid, here


def blueprint(name: str) -> Blueprint:
    """Return an empty room of the public API."""
    made = Blueprint(name, __name__)
    made.register_error_handler(Refusal, _refuse)
    return made


def _refuse(refusal: Refusal) -> Response:
    """404 is empty; validation errors stand under another name."""
    request.environ["lab.notes"]["delay"] = refusal.delay
    if refusal.message is None or refusal.status == 404:
        return Response(b"", refusal.status, refusal.headers)
    message = "The request's model state is invalid." if refusal.message == "The model state is invalid." else refusal.message
    return answer({"message": message, "errors": refusal.fields, "object": "error"}, refusal.status)


def organization() -> Actor:
    """Return who asks: the organization itself."""
    found = here().get("organization", calling_machine("api.organization", *_parts()))
    if not found:
        raise Refusal(401)
    return Actor(here(), found)


def _parts() -> list[str]:
    """Return the scopes that a scoped key needs for this request; writing does not include reading."""
    _empty, _public, room, *rest = request.path.split("/")
    verb = "read" if request.method == "GET" else "write"
    rooms = {"import": ["members", "groups"], "subscription": ["subscription"]}.get("".join(rest), [room])
    return [f"api.organization.{room}.{verb}" for room in rooms]


def owned(kind: str, row_id: str) -> tuple[Actor, Row]:
    """Return the organization and a row of its own."""
    by = organization()
    row = by.world.get(kind, guid(row_id))
    if not row or row["organizationId"] != by.id:
        raise not_found()
    return by, row


def listed(rows: t.Iterable[Row]) -> Response:
    """Return a list, without a continuation token."""
    return answer({"object": "list", "data": list(rows)})


def own(by: Actor, kind: str, ids: t.Iterable[str]) -> list[str]:
    """Return those ids that belong to the organization."""
    return [one["id"] for one in access.known(by.world, by.id, kind, [{"id": one} for one in ids])]
