# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The types of events in logs: the first number of a kind of thing, the kind, and what happened to it.

Source: bitwarden/server src/Core/Dirt/Enums/EventType.cs (19a04760a4); each kind counts on from its first number without a gap.
"""

from __future__ import annotations

EVENT_KINDS = {
    1000: (
        "user",
        """
        logged_in changed_password updated_2fa disabled_2fa recovered_2fa failed_log_in failed_log_in_2fa
        client_exported_vault updated_temp_password migrated_key_to_key_connector requested_device_approval
        tde_offboarding_password_set
        """,
    ),
    1100: (
        "cipher",
        """
        created updated deleted attachment_created attachment_deleted shared updated_collections client_viewed
        client_toggled_password_visible client_toggled_hidden_field_visible client_toggled_card_code_visible
        client_copied_password client_copied_hidden_field client_copied_card_code client_autofilled soft_deleted
        restored client_toggled_card_number_visible client_toggled_totp_seed_visible
        client_copied_bank_account_number client_copied_bank_account_pin client_toggled_bank_account_number_visible
        client_toggled_bank_account_pin_visible client_copied_license_number client_toggled_license_number_visible
        client_copied_passport_number client_toggled_passport_number_visible client_copied_swift_code
        client_toggled_swift_code_visible client_copied_iban client_toggled_iban_visible
        client_copied_national_identification_number client_toggled_national_identification_number_visible
        """,
    ),
    1300: ("collection", "created updated deleted"),
    1400: ("group", "created updated deleted"),
    1500: (
        "organization_user",
        """
        invited confirmed updated removed updated_groups unlinked_sso reset_password_enroll reset_password_withdraw
        admin_reset_password reset_sso_link first_sso_login revoked restored approved_auth_request
        rejected_auth_request deleted left automatically_confirmed self_revoked admin_reset_two_factor
        revoked_two_factor_non_compliance revoked_single_organization_non_compliance
        notification_banner_action_clicked staged invite_link_accepted admin_changed_email invite_link_confirmed
        """,
    ),
    1600: (
        "organization",
        """
        updated purged_vault client_exported_vault vault_accessed enabled_sso disabled_sso enabled_key_connector
        disabled_key_connector sponsorships_synced collection_management_updated limit_collection_creation_enabled
        limit_collection_creation_disabled limit_collection_deletion_enabled limit_collection_deletion_disabled
        limit_item_deletion_enabled limit_item_deletion_disabled allow_admin_access_to_all_collection_items_enabled
        allow_admin_access_to_all_collection_items_disabled item_organization_accepted item_organization_declined
        auto_confirm_enabled_admin auto_confirm_disabled_admin auto_confirm_enabled_portal
        auto_confirm_disabled_portal invite_link_created invite_link_domains_edited invite_link_deleted
        invite_link_client_copied invite_link_refreshed invite_link_confirm_enabled invite_link_confirm_disabled
        """,
    ),
    1700: ("policy", "updated"),
    1800: ("provider_user", "invited confirmed updated removed"),
    1900: ("provider_organization", "created added removed vault_accessed"),
    2000: ("organization_domain", "added removed verified not_verified"),
    2100: ("secret", "retrieved created edited deleted permanently_deleted restored"),
    2200: ("project", "retrieved created edited deleted"),
    2300: ("service_account", "user_added user_removed group_added group_removed created deleted"),
    2400: ("phishing_blocker", "site_accessed site_exited bypassed"),
    2500: (
        "send",
        """
        created_text created_text_with_email_verification created_text_with_password_protection created_file
        created_file_with_email_verification created_file_with_password_protection edited_text edited_file
        deleted_text deleted_file accessed_text accessed_file policy_disabled policy_enabled
        """,
    ),
    2600: (
        "pam",
        """
        access_request_submitted access_request_approved access_request_denied access_lease_activated
        access_lease_revoked
        """,
    ),
}
