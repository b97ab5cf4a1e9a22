# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs that run as one transaction. What a kill does to them is in tests/integration/test_egress_netfilter.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Outdated, Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Command

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Firewalls are for root")


def shell(script: str, stdin: str = "") -> Command:
    return Command(("sh", "-c", script), stdin)


def test_all_run_in_order_each_with_its_own_input(tmp_path: Path) -> None:
    file = tmp_path / "it's a file"
    large = "x" * 300_000 + "\n"
    Tools().apply([Command(("tee", str(file)), large), shell(f'cat >> "{file}"'), shell(f'cat >> "{file}"', "end $HOME `id`")])
    assert file.read_text() == f"{large}end $HOME `id`"


def test_the_first_failure_is_the_last_step(tmp_path: Path) -> None:
    commands = [shell("echo noise >&2"), shell("cat; echo it is wrong >&2; exit 3", "here: "), shell(f"touch {tmp_path}/never")]
    with pytest.raises(SelfhostError) as raised:
        Tools().apply(commands)
    assert str(raised.value).startswith("sh: It ended with code 3: here: it is wrong ")
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    "words", ["Error: Could not process rule: No such file or directory", "iptables: No chain/target/match by that name."]
)
def test_rules_that_have_changed_are_told_apart(words: str) -> None:
    with pytest.raises(Outdated):
        Tools().apply([shell(f"echo '{words}' >&2; exit 1")])


def test_a_program_that_is_not_here() -> None:
    assert not Tools().installed("no-such-firewall")
    assert Tools().installed("sh")
    with pytest.raises(SelfhostError, match="no-such-firewall"):
        Tools().apply([Command(("no-such-firewall",))])
    with pytest.raises(SelfhostError, match="no-such-firewall cannot be run"):
        Tools().read(["no-such-firewall"])


def test_nothing_to_do_starts_nothing() -> None:
    Tools().apply([])


def test_system_programs_are_found_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert Tools().installed("ldconfig")
    assert Tools().read(["ldconfig", "--version"])
