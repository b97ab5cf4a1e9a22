# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single sign-on."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.SSO)."""

    DOCUMENTATION = r"""
options:
  enabled:
    description: Whether people can sign on this way; V(true) for a new configuration.
    type: bool
  identifier:
    description: What people type to begin, at most 50 characters; no other organization may have it. An empty text takes it away.
    type: str
  member_decryption:
    description:
      - How people get at the keys of their vault after they have signed on; V(master_password) for a new configuration.
      - V(trusted_devices) enables the policies V(single_org), V(require_sso) and V(reset_password) with automatic enrolment, which may
        revoke people; the plan shows it.
    type: str
    choices: [master_password, key_connector, trusted_devices]
  key_connector_url:
    description: Where the organization's Key Connector is.
    type: str
  oidc:
    description: OpenID Connect. What is not given stays as it is.
    type: dict
    suboptions:
      authority:
        description: URL of the identity provider. Needed for a new configuration.
        type: str
      client_id:
        description: Client id of Bitwarden there. Needed for a new configuration.
        type: str
      client_secret:
        description: Its secret. Needed for a new configuration.
        type: str
      metadata_address:
        description: URL of the discovery document, when it is not below the authority.
        type: str
      redirect_behavior:
        description: How the browser is sent to the identity provider.
        type: str
        choices: [redirect_get, form_post]
      get_claims_from_user_info_endpoint:
        description: Whether to ask the user info endpoint, too.
        type: bool
      additional_scopes:
        description: Further scopes to ask for.
        type: list
        elements: str
      additional_user_id_claim_types:
        description: Further claims to take a person's id from.
        type: list
        elements: str
      additional_email_claim_types:
        description: Further claims to take the e-mail address from.
        type: list
        elements: str
      additional_name_claim_types:
        description: Further claims to take the name from.
        type: list
        elements: str
      acr_values:
        description: Authentication context to ask for.
        type: str
      expected_return_acr_value:
        description: Authentication context that has to come back.
        type: str
  saml2:
    description: SAML 2.0. What is not given stays as it is.
    type: dict
    suboptions:
      sp_unique_entity_id:
        description: Whether our entity id contains the organization's id.
        type: bool
      sp_name_id_format:
        description: Format of the name id.
        type: str
        choices:
          - not_configured
          - unspecified
          - email_address
          - x509_subject_name
          - windows_domain_qualified_name
          - kerberos_principal_name
          - entity_identifier
          - persistent
          - transient
      sp_outbound_signing_algorithm:
        description: With what we sign, V(rsa-sha256), V(rsa-sha384), V(rsa-sha512), or the URI of another algorithm.
        type: str
      sp_signing_behavior:
        description: When we sign.
        type: str
        choices: [if_idp_wants, always, never]
      sp_min_incoming_signing_algorithm:
        description: The weakest signature that we take, named as for C(sp_outbound_signing_algorithm).
        type: str
      sp_want_assertions_signed:
        description: Whether assertions have to be signed.
        type: bool
      sp_validate_certificates:
        description: Whether the identity provider's certificate has to be valid and trusted.
        type: bool
      idp_entity_id:
        description: Entity id of the identity provider. Needed for a new configuration.
        type: str
      idp_binding_type:
        description: How requests get there.
        type: str
        choices: [http_redirect, http_post]
      idp_single_sign_on_service_url:
        description: URL to sign on. Needed for a new configuration.
        type: str
      idp_single_logout_service_url:
        description: URL to log out.
        type: str
      idp_x509_public_cert:
        description: The identity provider's certificate, as PEM or as bare base64.
        type: str
      idp_outbound_signing_algorithm:
        description: With what the identity provider signs, named as for C(sp_outbound_signing_algorithm).
        type: str
      idp_allow_unsolicited_authn_response:
        description: Whether people may begin at the identity provider.
        type: bool
      idp_disable_outbound_logout_requests:
        description: Whether to send no requests to log out.
        type: bool
      idp_want_authn_requests_signed:
        description: Whether the identity provider wants signed requests.
        type: bool
"""
