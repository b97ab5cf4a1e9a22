"""Links of mails, as they are written into a text, into HTML, and by people."""

from __future__ import annotations

import dataclasses
import html
from urllib.parse import urlencode

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.invitation import Invitation, parse_invitation, token_in
from hypothesis import given, strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=30)
PAGES = {
    "organization": ("accept-organization", "organizationUserId"),
    "provider": ("providers/accept-provider", "providerUserId"),
}


def link(kind: str, **values: str) -> str:
    page, seat = PAGES[kind]
    named = {f"{kind}Id": "id-1", seat: "seat-1", "email": "a@b.example", f"{kind}Name": "Acme", "token": "t", **values}
    return f"https://vault.example.com/#/{page}?{urlencode({name: value for name, value in named.items() if value})}"


@given(st.sampled_from(sorted(PAGES)), TEXT, TEXT, TEXT)
def test_every_value_comes_out_as_it_went_in(kind: str, email: str, name: str, token: str) -> None:
    written = link(kind, email=email, **{f"{kind}Name": name}, token=token)
    wanted = Invitation(kind, name, "id-1", "seat-1", email, token)
    assert parse_invitation(f"  {written}\n") == wanted
    assert parse_invitation(html.escape(written)) == wanted
    assert repr(wanted) == repr(dataclasses.replace(wanted, token="another one")), "it does not show the token"


def test_the_token_is_not_shown() -> None:
    assert "s3cret" not in repr(parse_invitation(link("provider", token="s3cret")))


def test_what_lets_an_invited_person_register() -> None:
    assert parse_invitation(link("organization")).registration == {"orgInviteToken": "t", "organizationUserId": "seat-1"}
    assert parse_invitation(link("provider")).registration == {"providerInviteToken": "t", "providerUserId": "seat-1"}


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "https://vault.example.com/#/login?token=t", link("organization", token=""), link("provider", email="")],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SelfhostError, match="not the link of an invitation"):
        parse_invitation(text)


@pytest.mark.parametrize("text", ["BwToken+/=", " BwToken+/= ", "https://v/#/finish?token=BwToken%2B%2F%3D&email=a%40b.example"])
def test_token_with_or_without_the_link_around_it(text: str) -> None:
    assert token_in(text) == "BwToken+/="
