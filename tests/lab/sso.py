"""Single sign-on of an organization.

Source: bitwarden/server OrganizationsController.cs (GetSso, PostSso), OrganizationSsoRequestModel.cs, SsoConfigService.cs.
"""

from __future__ import annotations

import binascii
import re
import typing as t

from cryptography import x509
from flask import Blueprint, Response

from tests.lab import crypto, policy_rules
from tests.lab.core import REGIONS, Refusal, World, bad_request, invalid, not_found
from tests.lab.policy_data import ACCOUNT_RECOVERY, REQUIRE_SSO, SINGLE_ORGANIZATION
from tests.lab.rights import Rights
from tests.lab.state import Row
from tests.lab.web import Fields, answer, body, caller, guid, here

routes = Blueprint("sso", __name__)

_OIDC, _SAML = 1, 2
KEY_CONNECTOR, TRUSTED_DEVICES = 1, 2
_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
# Every property of a configuration, with what it is when the request does not say.
_DEFAULTS: Row = {
    "configType": _OIDC,
    "memberDecryptionType": 0,
    "keyConnectorUrl": None,
    "authority": None,
    "clientId": None,
    "clientSecret": None,
    "metadataAddress": None,
    "redirectBehavior": 0,
    "getClaimsFromUserInfoEndpoint": False,
    "additionalScopes": None,
    "additionalUserIdClaimTypes": None,
    "additionalEmailClaimTypes": None,
    "additionalNameClaimTypes": None,
    "acrValues": None,
    "expectedReturnAcrValue": None,
    "idpEntityId": None,
    "idpSingleSignOnServiceUrl": None,
    "idpSingleLogoutServiceUrl": None,
    "idpX509PublicCert": None,
    "idpBindingType": 0,
    "idpAllowUnsolicitedAuthnResponse": False,
    "idpDisableOutboundLogoutRequests": False,
    "idpOutboundSigningAlgorithm": None,
    "idpWantAuthnRequestsSigned": False,
    "spUniqueEntityId": False,
    "spNameIdFormat": 0,
    "spOutboundSigningAlgorithm": _SHA256,
    "spSigningBehavior": 0,
    "spWantAssertionsSigned": False,
    "spValidateCertificates": False,
    "spMinIncomingSigningAlgorithm": None,
}
_ENUMS = {
    "memberDecryptionType": (0, 1, 2),
    "redirectBehavior": (0, 1),
    "idpBindingType": (0, 1, 2),
    "spNameIdFormat": range(9),
    "spSigningBehavior": (0, 1, 3),
}
# Per type: property -> what is said when it is missing
_REQUIRED = {
    _OIDC: {
        "authority": "The Authority field is required on a Open ID Connect configuration.",
        "clientId": "The Client ID field is required on a Open ID Connect configuration.",
        "clientSecret": "The Client Secret field is required on a Open ID Connect configuration.",
    },
    _SAML: {
        "idpEntityId": "The Identity Provider Configuration Entity Id field is required on a SAML configuration.",
        "idpSingleSignOnServiceUrl": "Single sign on service URL is required.",
    },
}
_URLS = {
    "idpSingleSignOnServiceUrl": "Single sign on service URL contains illegal characters.",
    "idpSingleLogoutServiceUrl": "Single log out service URL contains illegal characters.",
}
_CERTIFICATE = (
    "The IdP public certificate provided is not a valid Base64 encoded string,"
    " contains illegal characters or whitespace, or is incomplete."
)
_PEM = re.compile(r"(BEGIN|END) CERTIFICATE|[-\s]", re.IGNORECASE)


def _allowed(organization_id: str) -> Rights:
    who = caller()
    row = here().get("organization", guid(organization_id))
    if not row or not who.may("managesso", row["id"]):
        raise not_found()
    return Rights(who.world, row, who)


def _shown(world: World, organization: Row) -> Response:
    config = world.get("sso", organization["id"]) or {"enabled": False, "data": None}
    data: Row | None = config["data"]
    if data:
        data = {**data, "keyConnectorEnabled": data["memberDecryptionType"] == KEY_CONNECTOR}
    base = f"https://sso.{REGIONS[world.name]}" if world.cloud else f"{world.core.selfhost.base_url()}/sso"
    saml = f"{base}/saml2/{organization['id']}"
    urls = {"callbackPath": f"{base}/oidc-signin", "signedOutCallbackPath": f"{base}/oidc-signedout", "spEntityId": saml}
    urls |= {"spEntityIdStatic": f"{base}/saml2", "spMetadataUrl": saml, "spAcsUrl": f"{saml}/Acs"}
    about = {"enabled": config["enabled"], "identifier": organization.get("identifier")}
    return answer({"object": "organizationSso", **about, "data": data, "urls": urls})


@routes.get("/organizations/<organization_id>/sso")
def read(organization_id: str) -> Response:
    """The configuration, with its secret in clear."""
    may = _allowed(organization_id)
    return _shown(may.world, may.organization)


@routes.post("/organizations/<organization_id>/sso")
def save(organization_id: str) -> Response:
    """Create or replace it. That the identifier is taken is said when all the rest is saved."""
    may, fields = _allowed(organization_id), body()
    enabled, identifier = fields.get("enabled"), fields.get("identifier")
    if enabled is None:
        raise invalid("Enabled", "The Enabled field is required.")
    if identifier and len(identifier) > 50:
        raise invalid("Identifier", "The field Identifier must be a string with a maximum length of 50.")
    if not isinstance(fields.get("data"), dict):
        raise invalid("Data", "The Data field is required.")
    data = _data(fields.get("data"))
    _check_decryption(may, bool(enabled), data)
    if data["memberDecryptionType"] == TRUSTED_DEVICES:
        _switch_policies_on(may)
    _record(may, bool(enabled), data)
    may.world.put("sso", {"id": may.id, "organizationId": may.id, "enabled": bool(enabled), "data": data})
    if identifier and any(row["id"] != may.id for row in may.world.find("organization", identifier=identifier)):
        raise bad_request("Identifier already in use by another organization.")
    organization = may.world.put("organization", {**may.organization, "identifier": identifier or None})
    may.record(1600)
    return _shown(may.world, organization)


def _data(given: t.Mapping[str, t.Any]) -> Row:
    fields = Fields(given)
    data = {name: default if fields.get(name) is None else fields.get(name) for name, default in _DEFAULTS.items()}
    data["memberDecryptionType"] = _decryption(given)
    data["idpX509PublicCert"] = _PEM.sub("", data["idpX509PublicCert"] or "") or None
    if fields.get("configType") not in _REQUIRED:
        raise invalid("Data.ConfigType", "The field ConfigType is invalid.")
    for name, values in _ENUMS.items():
        if data[name] not in values:
            raise invalid(f"Data.{_pascal(name)}", f"The field {_pascal(name)} is invalid.")
    wrong = _problems(data)
    if wrong:
        told = {f"Data.{_pascal(name)}": [text] for name, text in wrong.items()}
        raise Refusal(400, "The model state is invalid.", told)
    return data


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _decryption(given: t.Mapping[str, t.Any]) -> int:
    """Read the way to decrypt, in the order of the request: the old switch overwrites what came before it."""
    found = 0
    for name, value in given.items():
        if name.lower() == "memberdecryptiontype":
            found = value or 0
        elif name.lower() == "keyconnectorenabled" and value is not None:
            found = KEY_CONNECTOR if value else 0
    return found


def _problems(data: Row) -> dict[str, str]:
    wrong = {name: text for name, text in _REQUIRED[data["configType"]].items() if not str(data[name] or "").strip()}
    if data["configType"] == _SAML:
        wrong |= {name: text for name, text in _URLS.items() if data[name] and not re.fullmatch(r'https?://[^<>"]*', data[name])}
        if data["idpX509PublicCert"] and not _is_certificate(data["idpX509PublicCert"]):
            wrong["idpX509PublicCert"] = _CERTIFICATE
    return wrong


def _is_certificate(text: str) -> bool:
    try:
        x509.load_der_x509_certificate(crypto.unb64(text))
    except (binascii.Error, ValueError):
        return False
    return True


def _check_decryption(may: Rights, enabled: bool, data: Row) -> None:
    """Refuse Key Connector where something is missing, and its end while somebody uses it."""
    wanted = data["memberDecryptionType"] == KEY_CONNECTOR
    checks = (
        (may.organization["useKeyConnector"], "Organization cannot use Key Connector."),
        (_is_on(may, SINGLE_ORGANIZATION), "Key Connector requires the Single Organization policy to be enabled."),
        (_is_on(may, REQUIRE_SSO), "Key Connector requires the Single Sign-On Authentication policy to be enabled."),
        (enabled, "You must enable SSO to use Key Connector."),
    )
    for met, text in checks:
        if wanted and not met:
            raise bad_request(text)
    members = (
        may.world.find("member", organizationId=may.id) if not wanted and decryption(may.world, may.id) == KEY_CONNECTOR else ()
    )
    if any((may.world.get("user", row["userId"]) or {}).get("usesKeyConnector") for row in members):
        raise bad_request("Key Connector cannot be disabled at this moment.")


def _is_on(may: Rights, kind: int) -> bool:
    return policy_rules.is_on(may.world, may.id, kind)


def decryption(world: World, organization_id: str) -> int | None:
    """Say how members of an organization with single sign-on decrypt."""
    config = world.get("sso", organization_id)
    return config["data"]["memberDecryptionType"] if config else None


def _switch_policies_on(may: Rights) -> None:
    """Trusted devices take three policies, whose refusals show here."""
    for kind, data in ((SINGLE_ORGANIZATION, None), (ACCOUNT_RECOVERY, {"autoEnrollEnabled": True}), (REQUIRE_SSO, None)):
        policy_rules.save(may, policy_rules.Wish(kind, True, data))


def _record(may: Rights, enabled: bool, data: Row) -> None:
    before = may.world.get("sso", may.id) or {"enabled": None, "data": {"memberDecryptionType": 0}}
    if before["enabled"] != enabled:
        may.record(1604 if enabled else 1605)
    was, now = (one["memberDecryptionType"] == KEY_CONNECTOR for one in (before["data"], data))
    if was != now:
        may.record(1606 if now else 1607)
