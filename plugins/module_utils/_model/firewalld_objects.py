# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our objects in firewalld: a policy for each scope and a set of addresses for each IP version, permanent (XML) and at run time.

Formats: firewalld doc/xml/firewalld.policy.xml, firewalld.ipset.xml; src/firewall/core/nftables.py (_set_match_fragment).
"""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import NAME, Endpoint

# A policy's name has at most 18 characters. ANY is the origin of what is forwarded, so that no bridge's zone matters.
POLICIES = {"host": f"{NAME}-host", "containers": f"{NAME}-fwd"}
SETS = {4: f"{NAME}-4", 6: f"{NAME}-6"}
_ORIGINS = {POLICIES["host"]: "HOST", POLICIES["containers"]: "ANY"}
_FAMILIES = {SETS[4]: "inet", SETS[6]: "inet6"}
_HOOKS = {"OUT": "host", "FWD": "containers"}
_CHAINS = {f"filter_{hook}_policy_{POLICIES[scope]}": POLICIES[scope] for hook, scope in _HOOKS.items()}
_FIRST = -32768  # the priority that comes before all others
_HEADER = '<?xml version="1.0" encoding="utf-8"?>\n'
_ENTRY = re.compile(r"<entry>([^<]+)</entry>")

# By name of the object: C(permanent) and, when firewalld runs, C(runtime); C(None) where it is missing. A set's value is the
# sorted list of its entries, a policy's its XML text and, at run time, C(loaded).
State = dict[str, dict[str, t.Any]]


@dataclass(frozen=True)
class Runtime:
    """What firewalld has loaded.

    Attributes:
        objects: ours by name: C(loaded) for a policy, the sorted entries of a set.
        usable: it knows policies (firewalld 0.9 or later).
        panic: panic mode is on, or a reload is going on: every new connection is dropped.
    """

    objects: t.Mapping[str, t.Any]
    usable: bool
    panic: bool


def runtime(nft: t.Iterable[t.Mapping[str, t.Any]]) -> Runtime | None:
    """Read firewalld's own table; C(None) without one: it does not run, or does not use nftables.

    Args:
        nft: the elements of C(nft -j list ruleset).
    """
    objects = [(kind, one) for item in nft for kind, one in item.items() if isinstance(one, dict) and one.get("family") == "inet"]
    tables = {one["name"] for kind, one in objects if kind == "table"}
    if "firewalld" not in tables:
        return None
    own = [(kind, one) for kind, one in objects if one.get("table") == "firewalld"]
    chains = {one["name"] for kind, one in own if kind == "chain"}
    found: dict[str, t.Any] = {_CHAINS[name]: "loaded" for name in chains & {*_CHAINS}}
    found.update((one["name"], _entries(one.get("elem", []))) for kind, one in own if kind == "set" and one["name"] in _FAMILIES)
    return Runtime(found, "filter_OUTPUT_POLICIES_pre" in chains, "firewalld_policy_drop" in tables)


def current(permanent: t.Mapping[str, str], loaded: Runtime | None) -> State:
    """Return our objects as they are.

    Args:
        permanent: the text of every object's file that exists.
    """
    state: State = {}
    for name in (*_FAMILIES, *_ORIGINS):
        now = {"permanent": _understood(name, permanent.get(name, ""))}
        if loaded:
            now["runtime"] = loaded.objects.get(name)
        if any(value is not None for value in now.values()):
            state[name] = now
    return state


def desired(scopes: t.Collection[str], wanted: t.Collection[Endpoint]) -> State:
    """Return our objects as they should be while firewalld runs; none without a scope.

    There are always both sets, empty ones too: a new one would cost a reload.
    """
    if not scopes:
        return {}
    entries = {family: sorted(_entry(one) for one in wanted if one.family == family) for family in SETS}
    state: State = {name: {"permanent": entries[family], "runtime": entries[family]} for family, name in SETS.items()}
    state.update({POLICIES[scope]: {"permanent": _policy(POLICIES[scope]), "runtime": "loaded"} for scope in scopes})
    return state


def shape(state: State) -> t.Any:
    """Return what cannot be changed without a reload: everything but the entries of a set."""
    return {
        (name, where, None if name in _FAMILIES else value)
        for name, one in state.items()
        for where, value in one.items()
        if value is not None
    }


def text(name: str, value: t.Any) -> str:
    """Return the content of an object's file."""
    if name in _ORIGINS:
        return _policy(name)
    entries = "".join(f"  <entry>{entry}</entry>\n" for entry in value)
    return f'{_HEADER}<ipset type="hash:ip,port">\n  <option name="family" value="{_FAMILIES[name]}"/>\n{entries}</ipset>\n'


def _policy(name: str) -> str:
    rules = "".join(
        f'  <rule family="ipv{family}">\n    <destination ipset="{one}"/>\n    <accept/>\n  </rule>\n'
        for family, one in SETS.items()
    )
    zones = f'  <ingress-zone name="{_ORIGINS[name]}"/>\n  <egress-zone name="ANY"/>\n'
    return f'{_HEADER}<policy priority="{_FIRST}" target="CONTINUE">\n{rules}{zones}</policy>\n'


def _understood(name: str, found: str) -> t.Any:
    """Return the value of an object by its file: the file's text when it is something else, C(None) without one."""
    value = _policy(name) if name in _ORIGINS else sorted(_ENTRY.findall(found))
    return value if _meaning(found) == _meaning(text(name, value)) else found or None


def _meaning(xml: str) -> t.Any:
    try:
        return _tree(ET.fromstring(xml))
    except ET.ParseError:
        return None


def _tree(element: ET.Element) -> t.Any:
    return (element.tag, sorted(element.items()), (element.text or "").strip(), sorted(map(_tree, element)))


def _entries(elements: t.Iterable[t.Any]) -> list[str]:
    parts = [one["concat"] for one in elements if isinstance(one, dict) and "concat" in one]
    return sorted(f"{address},{protocol}:{port}" for address, protocol, port in parts)


def _entry(one: Endpoint) -> str:
    return f"{one.address},{one.protocol}:{one.port}"
