"""An exported organization: applied to itself it changes nothing, its text says the same as its data, and no secret is in it."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.bw.selfhost.plugins.module_utils._model import yaml_text
from ansible_collections.bw.selfhost.plugins.module_utils._model.access import PERMISSIONS
from ansible_collections.bw.selfhost.plugins.module_utils._model.caller import Caller
from ansible_collections.bw.selfhost.plugins.module_utils._model.desired import parse
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization import (
    SETTINGS,
    Collection,
    Group,
    Member,
    Organization,
    Policy,
)
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_export import PARTS, document, options_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_plan import Known, steps
from ansible_collections.bw.selfhost.plugins.module_utils._model.organization_target import TRUSTED_DEVICES, merge
from ansible_collections.bw.selfhost.plugins.module_utils._model.policies import POLICIES
from ansible_collections.bw.selfhost.plugins.module_utils._model.roles import CUSTOM_PERMISSIONS, ROLES, STATUSES
from ansible_collections.bw.selfhost.plugins.module_utils._model.sso_config import FIELDS, names_of
from ansible_collections.bw.selfhost.plugins.module_utils._organization import CONTENT
from hypothesis import given, settings, strategies as st

Options = dict[str, t.Any]
SECRET = "t0p-secret"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = (TEXT.map(str.strip) | st.sampled_from(["on", "1.5", "{{ x }}", "a: b", "- a", "#", "null"])).filter(bool)
EMAIL = st.sampled_from([f"{name}@example.com" for name in "abcdef"])
WORD = st.sampled_from(sorted(PERMISSIONS))
VALUES = {bool: st.booleans(), int: st.integers(0, 9), str: TEXT, list: st.lists(st.integers(0, 2))}
SSO_VALUES = {"str": NAME, "bool": st.booleans(), "list": st.lists(NAME, min_size=1), "pem": st.just("MIIC/w==")}


def members(email: str) -> st.SearchStrategy[Member]:
    permissions = st.frozensets(st.sampled_from(sorted(CUSTOM_PERMISSIONS)))
    made = st.builds(
        Member, st.just(email), st.sampled_from(sorted(ROLES)), permissions, st.sampled_from(sorted(STATUSES.values()))
    )
    return made.map(lambda one: one if one.role == "custom" else Member(one.email, one.role, frozenset(), one.status))


def policies(name: str) -> st.SearchStrategy[Policy]:
    data = st.fixed_dictionaries({}, optional={key: VALUES[rule.kind] for key, rule in POLICIES[name].keys.items()})
    return st.builds(Policy, st.just(name), st.booleans(), data)


def sso(kind: str) -> st.SearchStrategy[Options]:
    def value(name: str) -> st.SearchStrategy[t.Any]:
        field = FIELDS[name]
        made = st.sampled_from(sorted(field.choices)) if field.choices else SSO_VALUES[field.kind]
        return made if field.default is not None else made | st.none()

    values = {name: value(name) for name in names_of(kind)}
    return st.fixed_dictionaries({"enabled": st.booleans(), "identifier": NAME, **values}).map(
        lambda config: {**config, "oidc.client_secret": SECRET} if kind == "oidc" else config
    )


@st.composite
def organizations(draw: st.DrawFn) -> Organization:
    people = draw(st.lists(EMAIL, unique=True))
    some = st.lists(st.sampled_from(people), unique=True) if people else st.just([])
    groups = {name: Group(name, frozenset(draw(some))) for name in draw(st.lists(NAME, max_size=3, unique=True))}
    access = st.dictionaries(st.sampled_from(sorted(groups)), WORD) if groups else st.just({})
    single_sign_on = draw(st.just({}) | st.sampled_from(["oidc", "saml2"]).flatmap(sso))
    found = {name: draw(policies(name)) for name in draw(st.lists(st.sampled_from(sorted(POLICIES)), unique=True))}
    if single_sign_on.get("member_decryption") == "trusted_devices":  # a server allows it with these only
        found |= {wish.type: Policy(wish.type, True, wish.data) for wish in TRUSTED_DEVICES}
    return Organization(
        settings=draw(st.fixed_dictionaries(dict.fromkeys(SETTINGS, st.booleans()))),
        collections={
            name: Collection(name, draw(NAME | st.none()), draw(access), {email: draw(WORD) for email in draw(some)}, "id")
            for name in draw(st.lists(NAME, max_size=3, unique=True))
        },
        groups=groups,
        members={email: draw(members(email)) for email in people},
        policies=found,
        sso=single_sign_on,
        scim=draw(st.just({}) | st.fixed_dictionaries({"enabled": st.booleans(), "provider": st.just("default")})),
    )


@given(organizations(), NAME, NAME)
@settings(max_examples=50, deadline=None)
def test_text_says_what_the_data_says(state: Organization, name: str, id: str) -> None:
    options = options_of(state, PARTS)
    text = document(name, id, options)
    (task,) = yaml.load(text, Loader)
    assert task["bw.selfhost.organization"] == {"organization_name": name, **options}
    assert SECRET not in text


@given(organizations())
@settings(max_examples=100, deadline=None)
def test_applied_to_itself_it_changes_nothing(state: Organization) -> None:
    target = merge(state, parse(complete(options_of(state, PARTS))), Caller(None, "owner", provider=True))
    assert steps(state, target, Known()) == []


@given(organizations(), st.sets(st.sampled_from(PARTS)))
@settings(max_examples=20, deadline=None)
def test_parts(state: Organization, parts: set[str]) -> None:
    whole = options_of(state, PARTS)
    waits = {"confirm_members"} if "members" in parts else set()
    assert options_of(state, parts) == {name: value for name, value in whole.items() if name in parts | waits}


def complete(options: Options) -> Options:
    """Let Ansible check the options, and fill in what is left out."""
    checked = ArgumentSpecValidator(CONTENT).validate(options)
    assert not checked.error_messages
    return checked.validated_parameters


# --- the text --------------------------------------------------------------------------------------------------------


class Loader(yaml.SafeLoader):
    """Reads YAML as Ansible does: with its tag for what is no template."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, DATA, min_size=1) | st.lists(DATA, min_size=1))
def test_any_data_survives(data: t.Any) -> None:
    text = "\n".join(yaml_text.lines(data, {}))
    assert yaml.load(text, Loader) == data


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Acme Inc", "Acme Inc"),
        ("ann@acme.example", "ann@acme.example"),
        ("Off", '"Off"'),
        ("1e3", '"1e3"'),
        ("a: b", '"a: b"'),
        ("{{ lookup('pipe', 'id') }}", "!unsafe \"{{ lookup('pipe', 'id') }}\""),
        ('"\n', '"\\"\\U0000000A"'),
        ([], "[]"),
        (None, "null"),
        (True, "true"),
    ],
)
def test_scalars(value: t.Any, text: str) -> None:
    assert yaml_text.scalar(value) == text


def test_comments() -> None:
    data = {"a": [{"b": 1}, {"b": {"c": 2}}], "d": {}}
    text = "\n".join(yaml_text.lines(data, {"a": ["one", "two"], "a.b": ["three"], "d": ["four"]}))
    expected = "# one\n# two\na:\n  - # three\n    b: 1\n  - # three\n    b:\n      c: 2\n# four\nd: {}"
    assert text == expected
    assert yaml.safe_load(text) == data
