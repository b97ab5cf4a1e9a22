"""auth-and-crypto section 3: an account without anybody's help."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.speak import DEVICE, Http, invalid, refused
from tests.lab import Lab, crypto, people

EMAIL, PASSWORD = "svc@example.com", "a new master password"
KDF = {"kdf": 0, "kdfIterations": 600000, "kdfMemory": None, "kdfParallelism": None}


def begin(http: Http, world: str = "selfhost", accept: str = "application/json", email: str = EMAIL) -> t.Any:
    """Step 1."""
    body = {"email": email, "name": "Svc Account", "receiveMarketingEmails": False}
    return http.post(f"{world}!/accounts/register/send-verification-email", body=body, headers={"Accept": accept})


def account(token: str, **changes: t.Any) -> dict[str, t.Any]:
    """The body of step 2."""
    master, user_key = crypto.master_key(PASSWORD, EMAIL, KDF), bytes(64)
    pair = people.KEYS["spare"]
    keys = {"publicKey": pair["public"], "encryptedPrivateKey": crypto.encrypt(crypto.unb64(pair["private"]), user_key)}
    secret = {"masterPasswordHash": crypto.password_hash(master, PASSWORD), "masterPasswordHint": None, **KDF}
    wrapped = {"userSymmetricKey": crypto.encrypt(user_key, crypto.stretch(master)), "userAsymmetricKeys": keys}
    return {"email": EMAIL, "emailVerificationToken": token, **secret, **wrapped, **changes}


def finish(http: Http, token: str, **changes: t.Any) -> t.Any:
    """Step 2."""
    return http.post("selfhost!/accounts/register/finish", body=account(token, **changes))


def test_3_an_account_in_two_steps(lab: Lab, http: Http) -> None:
    """The token comes in the answer; afterwards the account logs in."""
    token = begin(http).json()
    assert token.startswith("BwRegistrationEmailVerificationToken_")
    assert begin(http, accept="*/*").text.startswith("BwRegistration"), "without quotes"
    assert finish(http, token).json() == {"object": "registerFinish"}
    master = crypto.master_key(PASSWORD, EMAIL, KDF)
    form = {"grant_type": "password", "client_id": "cli", "username": EMAIL, "password": crypto.password_hash(master, PASSWORD)}
    assert http.grant("selfhost", **form, scope="api offline_access", **DEVICE).status_code == 200
    refused(begin(http), 400, f"Email {EMAIL} is already taken")
    invalid(finish(http, token), "", f"Email '{EMAIL}' is already taken.")


def test_3_newer_shape_of_step_2(lab: Lab, http: Http) -> None:
    """Since 2026.2; an older server does not see it."""
    old = account("")
    kdf = {"kdfType": 0, "iterations": 600000, "memory": None, "parallelism": None}
    new = {
        "masterPasswordAuthentication": {
            "kdf": kdf,
            "masterPasswordAuthenticationHash": old["masterPasswordHash"],
            "salt": EMAIL,
        },
        "masterPasswordUnlock": {"kdf": kdf, "masterKeyWrappedUserKey": old["userSymmetricKey"], "salt": EMAIL},
    }
    without = dict.fromkeys(("masterPasswordHash", "userSymmetricKey", *KDF))
    lab.reset(version="2025.8.0")
    assert finish(http, begin(http).json(), **without, **new).status_code == 400
    lab.reset(version="2026.4.0")
    assert finish(http, begin(http).json(), **without, **new).status_code == 200


def test_3_1_switches(lab: Lab, http: Http) -> None:
    """Closed registration; mail verification; the cloud always mails."""
    lab.change_settings({"globalSettings__enableEmailVerification": "true"})
    answer = begin(http)
    assert (answer.status_code, answer.content) == (204, b"")
    assert finish(http, str(lab.mailbox(EMAIL)[-1].token)).status_code == 200
    assert begin(http, "eu").status_code == 204
    lab.change_settings({"globalSettings__disableUserRegistration": "true"})
    closed = "Open registration has been disabled by the system administrator."
    refused(begin(http), 400, closed)
    refused(finish(http, "x"), 400, closed)
    assert http.get("selfhost:/config").json()["settings"]["disableUserRegistration"] is True


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"kdfIterations": 5000}, "KDF iterations must be between 600000 and 2000000."),
        ({"kdf": 1, "kdfIterations": 1}, "Argon2 iterations must be between 2 and 10."),
        ({"kdf": 1, "kdfIterations": 6, "kdfMemory": 5}, "Argon2 memory must be between 15mb and 1024mb."),
        ({"kdf": 1, "kdfIterations": 6, "kdfMemory": 32, "kdfParallelism": 0}, "Argon2 parallelism must be between 1 and 16."),
        ({"emailVerificationToken": None}, "No valid registration token provided"),
    ],
)
def test_3_3_refusals(lab: Lab, http: Http, changes: dict[str, t.Any], text: str) -> None:
    """Limits of the key derivation, and no token."""
    invalid(finish(http, begin(http).json(), **changes), "", text)


def test_7_5_5_shape_of_encrypted_strings(lab: Lab, http: Http) -> None:
    """Checked; the content is not."""
    invalid(
        finish(http, begin(http).json(), userSymmetricKey="x"),
        "UserSymmetricKey",
        "UserSymmetricKey is not a valid encrypted string.",
    )


def test_3_3_the_token_is_bound_and_ends(lab: Lab, http: Http) -> None:
    """To its e-mail, for fifteen minutes."""
    other = begin(http, email="other@example.com").json()
    refused(finish(http, other), 400, "Invalid email verification token.")
    token = begin(http).json()
    lab.advance(901)
    refused(finish(http, token), 400, "Invalid email verification token.")
    invalid(begin(http, email="no@domain"), "Email", "The Email field is not a supported e-mail address format.")
