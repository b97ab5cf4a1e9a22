"""organization-admin 6.1 and 6.2, and 12.1 items 11 and 12."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.organization import NOT_FOUND, OTHER, Organization
from tests.contract.speak import Answer, invalid, refused
from tests.lab import Lab

OIDC = {"configType": 1, "authority": "https://idp.example.com", "clientId": "bw", "clientSecret": "secret"}
SAML = {"configType": 2, "idpEntityId": "idp", "idpSingleSignOnServiceUrl": "https://idp.example.com/sso"}
NO_CERTIFICATE = (
    "The IdP public certificate provided is not a valid Base64 encoded string,"
    " contains illegal characters or whitespace, or is incomplete."
)
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBgDCCASWgAwIBAgIUW2rmGvVuBAwbXKHHqJzBkeCAy7AwCgYIKoZIzj0EAwIw
-----END CERTIFICATE-----"""


def save(organization: Organization, data: dict[str, t.Any], enabled: bool = True, identifier: str | None = "acme") -> Answer:
    """Save a configuration."""
    return organization.ask("POST", "/sso", {"enabled": enabled, "identifier": identifier, "data": data})


def test_12_1_11_secret_in_clear(organization: Organization) -> None:
    """Nothing yet, then everything, with addresses."""
    before = organization.done("GET", "/sso")
    assert (before["enabled"], before["identifier"], before["data"]) == (False, None, None)
    made = save(organization, OIDC).json()
    assert made == organization.done("GET", "/sso")
    assert (made["enabled"], made["identifier"], made["data"]["clientSecret"]) == (True, "acme", "secret")
    assert (made["data"]["keyConnectorEnabled"], made["data"]["getClaimsFromUserInfoEndpoint"]) == (False, False)
    base = "https://vault.example.com/sso"
    saml = f"{base}/saml2/{organization.id}"
    assert made["urls"] == {
        "callbackPath": f"{base}/oidc-signin",
        "signedOutCallbackPath": f"{base}/oidc-signedout",
        "spEntityId": saml,
        "spEntityIdStatic": f"{base}/saml2",
        "spMetadataUrl": saml,
        "spAcsUrl": f"{saml}/Acs",
    }
    assert organization.events(1604, 1600) == [1604, 1600]
    assert save(organization, OIDC, identifier=None).json()["identifier"] is None
    save(organization, OIDC, enabled=False)
    assert organization.events(1604, 1605) == [1604, 1605]


@pytest.mark.parametrize(
    ("data", "field", "text"),
    [
        ({**OIDC, "authority": None}, "Authority", "The Authority field is required on a Open ID Connect configuration."),
        ({**OIDC, "clientId": " "}, "ClientId", "The Client ID field is required on a Open ID Connect configuration."),
        ({**OIDC, "clientSecret": ""}, "ClientSecret", "The Client Secret field is required on a Open ID Connect configuration."),
        (
            {**SAML, "idpEntityId": None},
            "IdpEntityId",
            "The Identity Provider Configuration Entity Id field is required on a SAML configuration.",
        ),
        ({**SAML, "idpSingleSignOnServiceUrl": None}, "IdpSingleSignOnServiceUrl", "Single sign on service URL is required."),
        (
            {**SAML, "idpSingleSignOnServiceUrl": "idp.example.com"},
            "IdpSingleSignOnServiceUrl",
            "Single sign on service URL contains illegal characters.",
        ),
        (
            {**SAML, "idpSingleLogoutServiceUrl": "https://<x>"},
            "IdpSingleLogoutServiceUrl",
            "Single log out service URL contains illegal characters.",
        ),
        (
            {**SAML, "idpX509PublicCert": CERTIFICATE},
            "IdpX509PublicCert",
            NO_CERTIFICATE,
        ),
        ({**OIDC, "configType": 3}, "ConfigType", "The field ConfigType is invalid."),
        ({**SAML, "spSigningBehavior": 2}, "SpSigningBehavior", "The field SpSigningBehavior is invalid."),
    ],
)
def test_6_1_validation(organization: Organization, data: dict[str, t.Any], field: str, text: str) -> None:
    """Each field under its own name, in the server's words."""
    invalid(save(organization, data), f"Data.{field}", text)
    assert organization.done("GET", "/sso")["data"] is None


def test_6_1_required_parts(organization: Organization) -> None:
    """The switch and the data; an identifier of at most 50 characters."""
    invalid(organization.ask("POST", "/sso", {"data": OIDC}), "Enabled", "The Enabled field is required.")
    invalid(organization.ask("POST", "/sso", {"enabled": True}), "Data", "The Data field is required.")
    text = "The field Identifier must be a string with a maximum length of 50."
    invalid(save(organization, OIDC, identifier="x" * 51), "Identifier", text)
    for method in ("GET", "POST"):
        refused(organization.ask(method, "/sso", {"enabled": True, "data": OIDC}, "ann"), 404, NOT_FOUND)


def test_6_1_certificates_are_stripped(lab: Lab, organization: Organization) -> None:
    """To what is between the lines."""
    with open(lab.ca_path, encoding="ascii") as pem:
        text = pem.read()
    kept = save(organization, {**SAML, "idpX509PublicCert": text}).json()["data"]["idpX509PublicCert"]
    assert kept == "".join(text.split("-----")[2].split())
    assert save(organization, SAML).json()["data"]["spOutboundSigningAlgorithm"].endswith("#rsa-sha256")


def test_12_1_11_the_old_switch(organization: Organization) -> None:
    """C(keyConnectorEnabled) overwrites what came before it."""
    data = {**OIDC, "memberDecryptionType": 2}
    before = save(organization, {"keyConnectorEnabled": False, **data}).json()
    assert before["data"]["memberDecryptionType"] == 2
    after = save(organization, {**data, "keyConnectorEnabled": False}).json()
    assert after["data"]["memberDecryptionType"] == 0


def test_12_1_11_identifier_conflict_after_saving(lab: Lab, organization: Organization) -> None:
    """The rest is there already."""
    row = lab.rows("selfhost", "organization")[0]
    lab.put_row("selfhost", "organization", **row | {"id": OTHER, "identifier": "acme"})
    refused(save(organization, OIDC), 400, "Identifier already in use by another organization.")
    found = organization.done("GET", "/sso")
    assert (found["enabled"], found["identifier"]) == (True, None)


def test_12_1_11_trusted_devices_switch_policies_on(organization: Organization) -> None:
    """Three of them, and they stay; the refusals of these policies show here."""
    organization.lab.set_organization("selfhost", organization.id, usePolicies=False)
    trusted = {**OIDC, "memberDecryptionType": 2}
    refused(save(organization, trusted), 400, "This organization cannot use policies.")
    organization.lab.set_organization("selfhost", organization.id, usePolicies=True)
    assert save(organization, trusted).status_code == 200
    rows = {row["type"]: row for row in organization.data("/policies")}
    assert [kind for kind in (3, 4, 8) if rows[kind]["enabled"]] == [3, 4, 8]
    assert rows[8]["data"] == {"autoEnrollEnabled": True}
    text = "Trusted device encryption is on and requires this policy."
    refused(organization.policy(4, enabled=False), 400, text)
    refused(organization.policy(8, data={"autoEnrollEnabled": False}), 400, text)


def test_6_1_key_connector(lab: Lab, organization: Organization) -> None:
    """What it needs, and that it cannot go while somebody uses it."""
    wanted = {**OIDC, "memberDecryptionType": 1, "keyConnectorUrl": "https://keys.example.com"}
    refused(save(organization, wanted), 400, "Key Connector requires the Single Organization policy to be enabled.")
    organization.policy(3)
    refused(save(organization, wanted), 400, "Key Connector requires the Single Sign-On Authentication policy to be enabled.")
    organization.policy(4)
    refused(save(organization, wanted, enabled=False), 400, "You must enable SSO to use Key Connector.")
    assert save(organization, wanted).json()["data"]["keyConnectorEnabled"] is True
    refused(organization.policy(4, enabled=False), 400, "Key Connector is enabled and requires this policy.")
    lab.set_user("selfhost", "ann@example.com", usesKeyConnector=True)
    refused(save(organization, OIDC), 400, "Key Connector cannot be disabled at this moment.")
    lab.set_organization("selfhost", organization.id, useKeyConnector=False)
    refused(save(organization, wanted), 400, "Organization cannot use Key Connector.")
    assert organization.events(1606, 1607) == [1606]


def test_12_1_12_scim_connection(organization: Organization) -> None:
    """PascalCase inside the configuration, nulls when there is none."""
    where = "/organizations/connections"
    empty = {"id": None, "type": 0, "organizationId": "00000000-0000-0000-0000-000000000000", "enabled": False, "config": None}
    assert organization.raw("GET", f"{where}/{organization.id}/2").json() == empty
    config = {"enabled": True, "scimProvider": 2, "inviteUsersAfterProvisioning": True}
    body = {"type": 2, "organizationId": organization.id, "enabled": True, "config": config}
    made = organization.raw("POST", where, body).json()
    shown = {"Enabled": True, "ScimProvider": 2, "InviteUsersAfterProvisioning": True}
    assert made == {"id": made["id"], "type": 2, "organizationId": organization.id, "enabled": True, "config": shown}
    assert organization.raw("GET", f"{where}/{organization.id}/2").json() == made
    body["config"] = {**config, "enabled": False}
    assert organization.raw("PUT", f"{where}/{made['id']}", body).json()["config"]["Enabled"] is False
    key = organization.done("POST", "/api-key", {"type": 2, **organization.http.proof("owner")})
    assert key["object"] == "apiKey"
    assert [row["keyType"] for row in organization.data("/api-key-information/2")] == [2]


def test_1_4_profile_entries(organization: Organization) -> None:
    """Members are told where they sign on, and how they decrypt."""
    before = organization.raw("GET", "/organizations").json()["data"][0]
    assert (before["identifier"], before["ssoEnabled"], before["ssoMemberDecryptionType"]) == (None, False, None)
    save(organization, {**OIDC, "memberDecryptionType": 2})
    after = organization.raw("GET", "/organizations").json()["data"][0]
    assert (after["identifier"], after["ssoEnabled"], after["ssoMemberDecryptionType"]) == ("acme", True, 2)
    assert (after["keyConnectorEnabled"], after["keyConnectorUrl"]) == (False, None)
