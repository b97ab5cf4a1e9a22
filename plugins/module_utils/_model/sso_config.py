# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single sign-on: one table between the options of the module sso and the wire's data.

A configuration is a flat mapping: C(enabled), C(identifier), C(member_decryption), C(key_connector_url), and C(oidc.authority) or
C(saml2.idp_entity_id) and so on.
Source: bitwarden/server src/Api/Auth/Models/Request/OrganizationSsoRequestModel.cs, src/Core/Auth/Models/Data/SsoConfig*.cs.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

Flat = dict[str, t.Any]


@dataclass(frozen=True)
class Field:
    """One option.

    Attributes:
        wire: its name in the wire's C(data).
        kind: C(str), C(bool), C(list) (a comma list on the wire) or C(pem) (compared without its lines).
        choices: word -> the wire's value; another value is passed on as it is.
        default: what it is when the wire has nothing.
        required: whether the server refuses a configuration without it.
    """

    wire: str
    kind: str = "str"
    choices: t.Mapping[str, t.Any] | None = None
    default: t.Any = None
    required: bool = False


_SHA = {
    "rsa-sha256": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "rsa-sha384": "http://www.w3.org/2000/09/xmldsig#rsa-sha384",
    "rsa-sha512": "http://www.w3.org/2000/09/xmldsig#rsa-sha512",
}
_NAME_IDS = (
    "not_configured",
    "unspecified",
    "email_address",
    "x509_subject_name",
    "windows_domain_qualified_name",
    "kerberos_principal_name",
    "entity_identifier",
    "persistent",
    "transient",
)
DECRYPTION = {"master_password": 0, "key_connector": 1, "trusted_devices": 2}
TYPES = {"oidc": 1, "saml2": 2}
SECRETS = frozenset({"oidc.client_secret"})

FIELDS: dict[str, Field] = {
    "member_decryption": Field("memberDecryptionType", choices=DECRYPTION, default="master_password"),
    "key_connector_url": Field("keyConnectorUrl"),
    "oidc.authority": Field("authority", required=True),
    "oidc.client_id": Field("clientId", required=True),
    "oidc.client_secret": Field("clientSecret", required=True),
    "oidc.metadata_address": Field("metadataAddress"),
    "oidc.redirect_behavior": Field("redirectBehavior", choices={"redirect_get": 0, "form_post": 1}, default="redirect_get"),
    "oidc.get_claims_from_user_info_endpoint": Field("getClaimsFromUserInfoEndpoint", "bool", default=False),
    "oidc.additional_scopes": Field("additionalScopes", "list"),
    "oidc.additional_user_id_claim_types": Field("additionalUserIdClaimTypes", "list"),
    "oidc.additional_email_claim_types": Field("additionalEmailClaimTypes", "list"),
    "oidc.additional_name_claim_types": Field("additionalNameClaimTypes", "list"),
    "oidc.acr_values": Field("acrValues"),
    "oidc.expected_return_acr_value": Field("expectedReturnAcrValue"),
    "saml2.sp_unique_entity_id": Field("spUniqueEntityId", "bool", default=False),
    "saml2.sp_name_id_format": Field(
        "spNameIdFormat", choices={word: number for number, word in enumerate(_NAME_IDS)}, default="not_configured"
    ),
    "saml2.sp_outbound_signing_algorithm": Field("spOutboundSigningAlgorithm", choices=_SHA, default="rsa-sha256"),
    "saml2.sp_signing_behavior": Field(
        "spSigningBehavior", choices={"if_idp_wants": 0, "always": 1, "never": 3}, default="if_idp_wants"
    ),
    "saml2.sp_min_incoming_signing_algorithm": Field("spMinIncomingSigningAlgorithm", choices=_SHA),
    "saml2.sp_want_assertions_signed": Field("spWantAssertionsSigned", "bool", default=False),
    "saml2.sp_validate_certificates": Field("spValidateCertificates", "bool", default=False),
    "saml2.idp_entity_id": Field("idpEntityId", required=True),
    "saml2.idp_binding_type": Field("idpBindingType", choices={"http_redirect": 1, "http_post": 2}, default="http_redirect"),
    "saml2.idp_single_sign_on_service_url": Field("idpSingleSignOnServiceUrl", required=True),
    "saml2.idp_single_logout_service_url": Field("idpSingleLogoutServiceUrl"),
    "saml2.idp_x509_public_cert": Field("idpX509PublicCert", "pem"),
    "saml2.idp_outbound_signing_algorithm": Field("idpOutboundSigningAlgorithm", choices=_SHA),
    "saml2.idp_allow_unsolicited_authn_response": Field("idpAllowUnsolicitedAuthnResponse", "bool", default=False),
    "saml2.idp_disable_outbound_logout_requests": Field("idpDisableOutboundLogoutRequests", "bool", default=False),
    "saml2.idp_want_authn_requests_signed": Field("idpWantAuthnRequestsSigned", "bool", default=False),
}


def type_of(config: t.Mapping[str, t.Any]) -> str | None:
    """Return C(oidc) or C(saml2), None when nothing is configured."""
    return next((kind for kind in TYPES if any(name.startswith(f"{kind}.") for name in config)), None)


def names_of(kind: str) -> list[str]:
    """Return the names that belong to a configuration of one type."""
    return [name for name in FIELDS if "." not in name or name.startswith(f"{kind}.")]


def flat(options: t.Mapping[str, t.Any]) -> Flat:
    """Return the options that are given, flat and in the form in which they are compared; an empty text clears."""
    nested = {f"{kind}.{name}": value for kind in TYPES for name, value in (options.get(kind) or {}).items()}
    plain = {name: value for name, value in options.items() if name not in TYPES}
    return {name: _normal(name, value) for name, value in {**plain, **nested}.items() if value is not None}


def nested(config: t.Mapping[str, t.Any]) -> Flat:
    """Return a configuration as the module's options."""
    found: Flat = {name: value for name, value in config.items() if "." not in name}
    for name, value in config.items():
        kind, dot, inner = name.partition(".")
        if dot:
            found.setdefault(kind, {})[inner] = value
    return found


def from_wire(answer: t.Mapping[str, t.Any]) -> Flat:
    """Read C(GET organizations/{id}/sso); empty when single sign-on was never configured."""
    data = answer.get("data")
    if not data:
        return {}
    kind = next(kind for kind, number in TYPES.items() if number == data["configType"])
    config = {name: _read(FIELDS[name], data.get(FIELDS[name].wire)) for name in names_of(kind)}
    return {"enabled": bool(answer["enabled"]), "identifier": answer.get("identifier") or None, **config}


def to_wire(config: t.Mapping[str, t.Any]) -> Flat:
    """Return the body of C(POST organizations/{id}/sso).

    C(keyConnectorEnabled) is left out on purpose: it is an old switch that resets the decryption of members.
    """
    kind = type_of(config) or ""
    data = {FIELDS[name].wire: _written(FIELDS[name], config.get(name)) for name in names_of(kind)}
    return {
        "enabled": config["enabled"],
        "identifier": config.get("identifier"),
        "data": {"configType": TYPES[kind], **data},
    }


def _read(field: Field, value: t.Any) -> t.Any:
    if value is None or value == "":
        return field.default
    if field.kind == "list":
        return [part.strip() for part in str(value).split(",") if part.strip()]
    if field.kind == "pem":
        return bare(str(value))
    words = {number: word for word, number in (field.choices or {}).items()}
    return words.get(value, value)


def _written(field: Field, value: t.Any) -> t.Any:
    if value is None:
        return None
    if field.kind == "list":
        return ",".join(value) or None
    return (field.choices or {}).get(value, value)


def _normal(name: str, value: t.Any) -> t.Any:
    field = FIELDS.get(name)
    if value in ("", []):
        return field.default if field else None
    return bare(value) if field and field.kind == "pem" else value


def bare(pem: str) -> str:
    """Return a certificate without header, footer and white space, as the server stores it."""
    return re.sub(r"-----[^-]*-----|\s", "", pem)
