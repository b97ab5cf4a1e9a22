# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The texts of the units."""

from __future__ import annotations

import configparser
import re

from ansible_collections.bw.selfhost.plugins.module_utils._model import egress_units
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress_units import (
    EARLY,
    PATH,
    REFRESH,
    RELOAD,
    RESTORE,
    TIMER,
    UNITS,
    units,
)

DATABASE = "/var/lib/docker/network/files/local-kv.db"


def parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_without_a_database_nothing_looks_at_networks() -> None:
    assert set(units("/usr/bin/python3", "/p", 300)) == {RESTORE, RELOAD, REFRESH, TIMER}
    assert set(units("/usr/bin/python3", "/p", 300, DATABASE)) == set(UNITS)


def test_restore_is_started_by_every_firewall_and_no_part_of_any() -> None:
    text = units("/usr/bin/python3", "/p", 300)[RESTORE]
    unit = parsed(text)
    after = unit["Unit"]["After"].split()
    assert {"nftables.service", "ufw.service", "firewalld.service", "docker.service", "netfilter-persistent.service"} <= set(
        after
    )
    assert unit["Install"]["WantedBy"].split() == ["multi-user.target", *after]
    assert unit["Service"]["ExecStart"] == '"/usr/bin/python3" -I "/p" restore'
    assert "PartOf" not in text
    assert "RemainAfterExit" not in text


def test_reloads_arrive_at_what_stays_active() -> None:
    unit = parsed(units("/usr/bin/python3", "/p", 300)[RELOAD])
    assert unit["Unit"]["ReloadPropagatedFrom"] == unit["Unit"]["After"]
    assert unit["Service"]["RemainAfterExit"] == "yes"
    assert unit["Service"]["ExecReload"] == '"/usr/bin/python3" -I "/p" restore'


def test_early_comes_before_docker() -> None:
    unit = parsed(units("/usr/bin/python3", "/p", 300, DATABASE)[EARLY])
    assert unit["Unit"]["Before"] == "docker.service"
    assert "docker.service" not in unit["Unit"]["After"]


def test_timer_and_path_start_the_refresh() -> None:
    texts = units("/usr/bin/python3", "/p", 17, DATABASE)
    assert parsed(texts[TIMER])["Timer"]["OnUnitInactiveSec"] == "17s"
    assert parsed(texts[TIMER])["Timer"]["Unit"] == parsed(texts[PATH])["Path"]["Unit"] == REFRESH
    assert parsed(texts[PATH])["Path"]["PathModified"] == DATABASE
    assert parsed(texts[REFRESH])["Service"]["ExecStart"] == f'"/usr/bin/python3" -I "/p" refresh "{DATABASE}"'


def test_odd_paths_are_quoted() -> None:
    text = units("/opt/my python%3/$bin/python3", "/p", 300)[REFRESH]
    assert 'ExecStart="/opt/my python%%3/$$bin/python3" -I "/p" refresh\n' in text


def test_a_transaction_comes_to_its_end_when_a_unit_is_stopped() -> None:
    for name, text in units("/usr/bin/python3", "/p", 300, DATABASE).items():
        assert ("KillMode=process" in text) == name.endswith(".service")


def test_no_unit_names_an_interface() -> None:
    assert not re.search(r"\bbr-|docker0", "".join(units("/usr/bin/python3", "/p", 300, DATABASE).values()))
    assert set(egress_units.STARTED) <= set(UNITS)
