# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One policy."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(_organization.POLICY)."""

    DOCUMENTATION = r"""
options:
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
