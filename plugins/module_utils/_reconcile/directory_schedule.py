# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A directory that is synced again and again by systemd, without Ansible; or no longer."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import typing as t
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._client import public_api
from ansible_collections.bw.selfhost.plugins.module_utils._client.pace import silent
from ansible_collections.bw.selfhost.plugins.module_utils._host import systemd
from ansible_collections.bw.selfhost.plugins.module_utils._host.firewall.tools import Tools
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import PROXIES, Account
from ansible_collections.bw.selfhost.plugins.module_utils._host.schedule_files import ScheduleFiles
from ansible_collections.bw.selfhost.plugins.module_utils._model import directory_options
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_profile import Profile, documents
from ansible_collections.bw.selfhost.plugins.module_utils._model.directory_units import Program, Timing, Writer, units
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Plan
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import directory_program
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.program import program

Params = t.Mapping[str, t.Any]
Problems = t.Iterator[SelfhostError]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SYSTEMD = 247  # the first with credentials
_LOCK_TIMEOUT = 300  # seconds; a run that invites thousands takes its time
# What the units do not see of the machine.
_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")
_LIBRARIES = {"requests": ("requests",), "python-ldap or ldap3": ("ldap", "ldap3")}


def ensure(params: Params, check_mode: bool) -> tuple[Plan, dict[str, t.Any], list[str]]:
    """Bring the timer of one profile to what the module's options say.

    Raises:
        SelfhostError: refused before anything was written; or failed, and what was done before stays.
    """
    refuse_all([*_place_problems(params)])
    files, warnings = ScheduleFiles(params["name"]), []
    wanted: dict[str, bytes] = {}
    if params["state"] == "present":
        lacking = [*_lacking(params)]
        refuse_all([*_problems(params), *([] if check_mode else lacking)])
        wanted, warnings = _wanted(params, files), [str(problem) for problem in lacking]
    tools = Tools()
    changes = files.plan(wanted)
    steps = _unit_steps(tools, files, changes, bool(wanted))
    if not check_mode:
        with files.quiet(_LOCK_TIMEOUT):
            tools.apply(steps.before)
            files.apply(changes, wanted)
            tools.apply(steps.after)
    return changes + Plan(steps.changes), {"last_run": files.last_run()}, warnings


def _wanted(params: Params, files: ScheduleFiles) -> dict[str, bytes]:
    """Return the contents of all files by path."""
    environment = {name: value for name, value in os.environ.items() if name.lower() in PROXIES}
    profile = Profile(params["name"], params["backend"], params["options"], environment)
    plain, hidden = documents(profile, params["secrets"])
    texts = units(
        params["name"],
        Program(sys.executable, files.program),
        {"profile": files.profile, "secrets": files.secrets},
        Timing(params["on_calendar"], params["randomized_delay"]),
        _writer(params["options"]) if params["backend"] == "bwdc" else None,
    )
    found = {files.secrets: hidden, files.profile: plain, files.program: program(directory_program.__name__)}
    return {**found, **{files.units[name]: text.encode() for name, text in texts.items()}}


def _writer(options: Params) -> Writer:
    """Return whose data the connector works on; they are there unless it is still to be installed, in check mode."""
    path = Path(options["data_dir"])
    account = Account.running_for(next(one for one in (path, *path.parents) if one.exists()))
    return Writer(account.name or str(account.uid), str(path))


def _unit_steps(tools: Tools, files: ScheduleFiles, changes: Plan, present: bool) -> systemd.Steps:
    if not systemd.running():
        return systemd.Steps()
    service, timer = files.units
    changed = [unit for unit, path in files.units.items() if path in {change.name for change in changes.changes}]
    wanted, others = ({timer: True}, []) if present else ({}, [service, timer])
    return systemd.steps(tools, wanted, others, changed)


# --- what makes no sense ---


def _place_problems(params: Params) -> Problems:
    if not _NAME.fullmatch(params["name"]):
        remedy = "Use letters, digits, dots, hyphens and underscores, such as corp-ldap."
        yield SelfhostError("It cannot be part of a file's name.", field="name", remedy=remedy)
    if params["state"] == "present" and systemd.version(Tools()) < _SYSTEMD:
        remedy = "Choose a host that has it, or let another scheduler run bw.selfhost.directory_sync."
        yield SelfhostError(f"systemd {_SYSTEMD} or later does not run here.", field="name", remedy=remedy)


def _problems(params: Params) -> Problems:
    calendar = Tools().run(["systemd-analyze", "calendar", params["on_calendar"]])
    if calendar.code != 0:
        yield SelfhostError(
            f"{params['on_calendar']!r} is no time.",
            field="on_calendar",
            remedy="Write it like *:0/15, or hourly; see systemd.time(7).",
        )
    if params["randomized_delay"] < 0:
        yield SelfhostError("It is negative.", field="randomized_delay", remedy="Give seconds, or 0.")
    options = params["options"]
    paths = {"this Python": sys.executable, "options.ca_path": options.get("ca_path")}
    if params["backend"] == "native":
        paths["options.directory.ca_path"] = options["directory"].get("ca_path")
        try:
            directory_options.parse(options)
            public_api.connect_organization(options, silent)
        except SelfhostError as problem:
            yield problem
    for field, path in paths.items():
        if path and path.startswith(_HIDDEN):
            remedy = "Put it where everybody may read it, such as /etc/ssl/certs."
            yield SelfhostError(f"The timer's program does not see {path}.", field=field, remedy=remedy)


def _lacking(params: Params) -> Problems:
    """What earlier tasks may have meant to bring here, in check mode."""
    if params["backend"] == "bwdc" and not os.path.isdir(params["options"]["data_dir"]):
        remedy = "Run bw.selfhost.directory_connector first."
        yield SelfhostError("There is no connector here.", field="options.data_dir", remedy=remedy)
    for what, names in _LIBRARIES.items() if params["backend"] == "native" else ():
        if not any(importlib.util.find_spec(name) for name in names):
            remedy = "Install it (Debian: python3-requests, python3-ldap) where the timer runs."
            yield SelfhostError(f"{what} is not here.", field=sys.executable, remedy=remedy)
