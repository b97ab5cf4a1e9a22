# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must be reachable, which firewalls there are, and which of them blocks it."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import asdict

from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._model import netfilter
from ansible_collections.bw.selfhost.plugins.module_utils._model.egress import explanation, follow, table
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_firewall import described, look
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.egress_request import Params, answers, request, unresolved


def describe(params: Params) -> dict[str, t.Any]:
    """Return the return values of C(egress_info)."""
    if os.geteuid():
        raise SelfhostError("Only root may look at a firewall.", field="become", remedy="Set become: true.")
    asked = request(params)
    found = answers(asked.spec)
    seen = {name: answer.addresses for name, answer in found.items()}
    followed = follow(asked.spec, {}, seen, int(time.time()))
    view = look(Tools(), asked.spec, followed.known)
    rows = explanation(asked.spec, followed.known)
    return {
        "engines": [
            {
                "name": name,
                "installed": engine.installed(),
                "active": engine.active(),
                "blocks": name in view.blocking,
                "present": engine.present(),
            }
            for name, engine in view.engines.items()
        ],
        "chains": netfilter.describe(view.snapshot),
        "docker_user": {
            f"ipv{table.family}": [rule.text for rule in table.chains["DOCKER-USER"].rules]
            for table in view.snapshot.tables
            if "DOCKER-USER" in table.chains
        },
        "blocks": described(view.blocks),
        "networks": [{**asdict(network), "subnets": list(network.subnets)} for network in view.networks],
        "problems": [*asked.warnings, *map(str, unresolved(found, asked.spec)), *map(str, followed.problems)],
        "explanation": rows,
        "explanation_text": table(rows),
    }
