"""Single sign-on between options and the wire."""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model import sso_config
from ansible_collections.bw.selfhost.plugins.module_utils._model.sso_config import FIELDS, Field
from hypothesis import given, strategies as st

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n"


def values(field: Field) -> st.SearchStrategy[t.Any]:
    if field.choices:
        return st.sampled_from(list(field.choices))
    if field.kind == "bool":
        return st.booleans()
    if field.kind == "list":
        return st.lists(st.sampled_from(["groups", "email"]), min_size=1)
    return st.sampled_from(["MIIBAAAA", "https://idp.example.com"])


@st.composite
def configs(draw: st.DrawFn) -> dict[str, t.Any]:
    kind = draw(st.sampled_from(sorted(sso_config.TYPES)))
    given_ = {name: draw(values(FIELDS[name]) | st.just(FIELDS[name].default)) for name in sso_config.names_of(kind)}
    return {"enabled": draw(st.booleans()), "identifier": draw(st.none() | st.just("x")), **given_}


@given(configs())
def test_what_is_written_is_what_is_read(config: dict[str, t.Any]) -> None:
    sent = sso_config.to_wire(config)
    assert "keyConnectorEnabled" not in sent["data"]
    assert sso_config.from_wire(sent) == config


@given(configs())
def test_options_are_flat_and_back(config: dict[str, t.Any]) -> None:
    options = sso_config.nested(config)
    assert sso_config.flat(options) == {name: value for name, value in config.items() if value is not None}


def test_nothing_is_configured() -> None:
    assert sso_config.from_wire({"enabled": False, "identifier": None, "data": None}) == {}
    assert sso_config.type_of({}) is None


def test_certificates_are_compared_without_their_lines() -> None:
    assert sso_config.flat({"saml2": {"idp_x509_public_cert": PEM}}) == {"saml2.idp_x509_public_cert": "MIIBAAAA"}


def test_an_empty_text_clears() -> None:
    found = sso_config.flat({"identifier": "", "oidc": {"acr_values": "", "additional_scopes": [], "redirect_behavior": None}})
    assert found == {"identifier": None, "oidc.acr_values": None, "oidc.additional_scopes": None}


def test_what_has_no_word_is_passed_on() -> None:
    sha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    data = {"configType": 2, "spOutboundSigningAlgorithm": sha1}
    config = sso_config.from_wire({"enabled": True, "identifier": None, "data": data})
    assert config["saml2.sp_outbound_signing_algorithm"] == sha1
    assert sso_config.to_wire(config)["data"]["spOutboundSigningAlgorithm"] == sha1
