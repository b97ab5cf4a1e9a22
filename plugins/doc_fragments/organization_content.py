# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in an organization: each object once, for the module that takes them all and for the module of its own."""

from __future__ import annotations

from textwrap import indent

_COLLECTION = """
name:
  description:
    - Full name, nested by slashes, such as V(Departments/Marketing). Parents need not exist.
    - It is the only key of a collection; to rename one is to make another one.
  type: str
  required: true
external_id:
  description: Id of the collection in another system. An empty text takes it away; without the option it stays.
  type: str
groups:
  description: Groups with access. Other groups keep theirs, unless access is pruned.
  type: list
  elements: dict
  suboptions:
    name:
      description: Name of the group.
      type: str
      required: true
    permission: &permission
      description:
        - What they may do. V(manage) is to change the collection itself and who has access to it, besides editing its items.
      type: str
      choices: [view_no_passwords, view, edit_no_passwords, edit, manage]
      default: edit
members:
  description:
    - Members with access of their own, besides what their groups give. Other members keep theirs, unless access is pruned.
    - In large organizations, access by groups costs far fewer requests.
  type: list
  elements: dict
  suboptions:
    email:
      description: E-mail address of the member; case does not count.
      type: str
      required: true
    permission: *permission
state:
  description: Whether it should exist. Items of a deleted collection that are in no other one can only be seen by administrators.
  type: str
  choices: [present, absent]
  default: present
"""

_GROUP = """
name:
  description: Name, by which the group is known; case counts.
  type: str
  required: true
members:
  description: E-mail addresses of the members who should be in it. Others stay in it, unless memberships are pruned.
  type: list
  elements: str
state:
  description: Whether it should exist. The access that it gives goes with it.
  type: str
  choices: [present, absent]
  default: present
"""

_MEMBER = """
email:
  description: E-mail address of the person; case does not count.
  type: str
  required: true
role:
  description:
    - What the person may do in the organization. V(custom) has O(ignore:permissions) and needs an Enterprise plan.
    - It is always set; a member without it becomes a V(user).
  type: str
  choices: [owner, admin, user, custom]
  default: user
permissions:
  description: What a member with the role V(custom) may do besides. What is not listed is taken away.
  type: list
  elements: str
  choices:
    - access_event_logs
    - access_import_export
    - access_reports
    - create_new_collections
    - edit_any_collection
    - delete_any_collection
    - manage_groups
    - manage_policies
    - manage_sso
    - manage_users
    - manage_reset_password
    - manage_scim
    - manage_access_rules
fingerprint:
  description:
    - Fingerprint phrase that the person has read out, such as V(turban-deftly-anime-chatroom-unselfish).
    - When the server names another key for somebody who is to be confirmed, nothing is changed and the module fails.
  type: str
state:
  description:
    - V(present) invites somebody who is no member, and restores somebody who was revoked.
    - V(revoked) takes all access away and keeps everything else, so that it can be given back.
    - V(absent) removes the person from the organization, never the person's account.
  type: str
  choices: [present, revoked, absent]
  default: present
"""

_POLICY = """
type:
  description: Which policy.
  type: str
  required: true
  choices:
    - two_factor
    - master_password
    - password_generator
    - single_org
    - require_sso
    - organization_data_ownership
    - disable_send
    - send_options
    - reset_password
    - maximum_vault_timeout
    - disable_personal_vault_export
    - activate_autofill
    - automatic_app_login
    - free_families_sponsorship
    - remove_unlock_with_pin
    - restricted_item_types
    - uri_match_defaults
    - autotype_default
    - automatic_user_confirmation
    - block_claimed_domain_account_creation
    - organization_user_notification
    - send_controls
    - fill_assist
enabled:
  description: Whether it is in force.
  type: bool
  default: true
data:
  description:
    - Details, with the names that the server uses. An unknown key or a wrong type is refused, as the server would take it and ignore it.
    - A key that is not given stays as it is; V(null) takes it away.
    - "V(master_password): C(minComplexity) (0-4), C(minLength) (12-128), C(requireLower), C(requireUpper), C(requireNumbers),
      C(requireSpecial), C(enforceOnLogin)."
    - "V(password_generator): C(overridePasswordType) (password, passphrase), C(minLength) (5-128), C(minNumbers), C(minSpecial) (0-9),
      C(minNumberWords) (3-20), C(useUpper), C(useLower), C(useNumbers), C(useSpecial), C(capitalize), C(includeNumber)."
    - "V(send_options): C(disableHideEmail)."
    - "V(reset_password): C(autoEnrollEnabled)."
    - "V(maximum_vault_timeout): C(type) (custom, immediately, onSystemLock, onAppRestart, never), C(minutes), C(action) (lock, logOut)."
    - "V(automatic_app_login): C(idpHost)."
    - "V(uri_match_defaults): C(uriMatchDetection) (0 domain, 1 host, 2 starts with, 3 exact, 4 regular expression, 5 never)."
    - "V(organization_user_notification): C(allowBanner), C(header), C(description), C(buttonText), C(showAfterEveryLogin)."
    - "V(send_controls): C(disableSend), C(disableHideEmail), C(whoCanAccess) (0 anybody, 1 with a password, 2 certain people),
      C(allowedDomains) (separated by commas), C(deletionHours), C(allowedSendTypes) (a list of 0 text, 1 file, 2 item)."
    - "V(fill_assist): C(rulesUrl)."
  type: dict
"""

_SSO = """
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

_CONFIRMATION = """
confirm_members:
  description:
    - Whether to confirm people who have accepted and are named. That hands them the organization's key.
    - For each the fingerprint phrase is returned; compare it with the one that the person's own app shows, best before, in check mode.
  type: bool
  default: true
confirm_domains:
  description:
    - Mail domains whose people are confirmed; others wait until their fingerprint is given.
    - With it, people of these domains who have accepted are confirmed even when they are not named.
    - An empty list means that everybody who is named is confirmed.
  type: list
  elements: str
  default: []
"""

_AFFECTED = """
max_affected:
  description:
    - How many people enabling policies may revoke. V(two_factor) revokes members without two-step login, V(single_org) members of other
      organizations. Nobody tells who these are, so that every member who is neither owner nor admin counts.
  type: int
  default: 0
"""

_WHOLE = """
settings:
  description: Who may do what with collections. What is not given stays as it is.
  type: dict
  suboptions:
    limit_collection_creation:
      description: Whether only owners, admins and a certain permission create collections.
      type: bool
    limit_collection_deletion:
      description: Whether only owners, admins and a certain permission delete collections.
      type: bool
    limit_item_deletion:
      description: Whether only those who manage a collection delete its items.
      type: bool
    allow_admin_access_to_all_collection_items:
      description:
        - Whether owners and admins have access to every collection.
        - It is off in a new organization; then somebody has to have the permission V(manage) on each collection, and an owner cannot
          change collections that others manage.
      type: bool
scim:
  description: Provisioning of members and groups by a directory.
  type: dict
  suboptions:
    enabled:
      description: Whether it is on.
      type: bool
      default: true
    provider:
      description: The directory.
      type: str
      choices: [default, azure_ad, okta, one_login, jump_cloud, google_workspace, rippling, ping]
      default: default
prune:
  description:
    - The classes of which everything goes that is not named. Without it, nothing is ever taken away unless its state says so.
    - V(access) stands for the access to collections that are named, V(memberships) for the members of groups that are named.
    - The list of a class that is pruned has to be given. The account that runs the module always stays.
  type: list
  elements: str
  choices: [collections, groups, members, access, memberships]
  default: []
max_deletions:
  description: How many collections, groups and members O(prune) may delete. When it would be more, all are named and nothing is changed.
  type: int
  default: 0
"""


def _list(name: str, description: str, entry: str) -> str:
    return f"{name}:\n  description: {description}\n  type: list\n  elements: dict\n  suboptions:\n{indent(entry, '    ')}"


def _options(*parts: str) -> str:
    return "options:\n" + "".join(indent(part, "  ") for part in parts)


class ModuleDocFragment:
    """Options of C(_organization)."""

    COLLECTION = _options(_COLLECTION)
    GROUP = _options(_GROUP)
    MEMBER = _options(_MEMBER)
    POLICY = _options(_POLICY)
    SSO = _options(_SSO)
    CONFIRMATION = _options(_CONFIRMATION)
    AFFECTED = _options(_AFFECTED)
    DOCUMENTATION = _options(
        _list("collections", "Collections, each with who has access to it.", _COLLECTION),
        _list("groups", "Groups, each with who is in it.", _GROUP),
        _list("members", "People.", _MEMBER),
        _list("policies", "Policies.", _POLICY),
        f"sso:\n  description: Single sign-on.\n  type: dict\n  suboptions:\n{indent(_SSO, '    ')}",
        _WHOLE,
        _CONFIRMATION,
        _AFFECTED,
    )
