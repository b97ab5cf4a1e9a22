# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The texts of the units of a directory's timer, and what is in which of its documents."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_profile import Profile, documents, joined
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_units import Program, Timing, Writer, units
from hypothesis import given, strategies as st

CREDENTIALS = {"profile": "/etc/x/profile.json", "secrets": "/etc/x/secrets.json"}
SERVICE, TIMER = "bw-selfhost-directory-corp.service", "bw-selfhost-directory-corp.timer"
Options = dict[str, t.Any]


def made(writer: Writer | None = None) -> dict[str, str]:
    return units("corp", Program("/usr/bin/python3", "/p.pyz"), CREDENTIALS, Timing("hourly", 60), writer)


def test_an_account_of_its_own_that_exists_only_while_it_is_needed() -> None:
    service = made()[SERVICE].splitlines()
    assert {"DynamicUser=yes", "ProtectHome=yes", "MemoryDenyWriteExecute=yes", "CapabilityBoundingSet="} <= set(service)
    assert [line for line in service if line.startswith("LoadCredential")] == [
        "LoadCredential=profile:/etc/x/profile.json",
        "LoadCredential=secrets:/etc/x/secrets.json",
    ]
    assert 'ExecStart="/usr/bin/python3" -I "/p.pyz"' in service


def test_the_connector_runs_as_who_owns_its_data() -> None:
    service = made(Writer("bwdc", "/var/lib/bw dc/100%"))[SERVICE].splitlines()
    assert {"User=bwdc", 'ReadWritePaths="/var/lib/bw dc/100%%"'} <= set(service)
    # its run-time compiles, and it looks for interfaces
    assert not {"DynamicUser=yes", "MemoryDenyWriteExecute=yes"} & set(service)


def test_the_timer() -> None:
    timer = made()[TIMER].splitlines()
    assert {"OnCalendar=hourly", "RandomizedDelaySec=60s", "Persistent=yes", "WantedBy=timers.target"} <= set(timer)


VALUES = st.one_of(st.booleans(), st.integers(), st.text(), st.lists(st.text()), st.none())
INNER = st.fixed_dictionaries({}, optional={"b": VALUES, "secret": st.text()})
OPTIONS = st.fixed_dictionaries({}, optional={"a": st.one_of(VALUES, INNER), "b": st.one_of(VALUES, INNER), "secret": st.text()})
SECRETS = {("secret",), ("a", "secret")}


def without_none(options: Options) -> Options:
    return {
        name: without_none(value) if isinstance(value, dict) else value for name, value in options.items() if value is not None
    }


def at(options: Options, way: tuple[str, ...]) -> t.Any:
    found: t.Any = options
    for name in way:
        found = found.get(name) if isinstance(found, dict) else None
    return found


@given(OPTIONS)
def test_two_documents_together_say_everything_and_one_of_them_no_secret(options: Options) -> None:
    plain, hidden = (json.loads(text) for text in documents(Profile("corp", "native", options, {"HTTPS_PROXY": "x"}), SECRETS))
    assert [at(plain["options"], way) for way in SECRETS] == [None, None]
    assert joined(plain, hidden) == Profile("corp", "native", without_none(options), {"HTTPS_PROXY": "x"})
