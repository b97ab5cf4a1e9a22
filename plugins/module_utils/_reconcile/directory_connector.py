# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The official Directory Connector on this machine: installed, given its options, and run within limits; or gone."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.connector import Connector, Terms, version_of
from ansible_collections.bw.selfhost.plugins.module_utils._host.connector_data import DataDirectory
from ansible_collections.bw.selfhost.plugins.module_utils._host.connector_program import Program, check_archive
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_generations import Generation, generation_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_guard import Limits
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_options import given_directories, refusals, wish_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError, refuse_all
from ansible_collections.bw.selfhost.plugins.module_utils._model.plan import Change, Plan, compare
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile import connector_configuration as configuration
from ansible_collections.bw.selfhost.plugins.module_utils._reconcile.connector_session import Report, Session, limits_of

Params = t.Mapping[str, t.Any]
_SUM = re.compile(r"[0-9a-f]{64}")
# Options of the directory that name files: the program ignores one that does not exist.
_FILES = ("ca_path", "client_cert_path", "client_key_path")


def ensure(params: Params, check_mode: bool) -> Report:
    """Bring one connector to what the module's options say; in check mode only look, at the directory, too.

    Raises:
        SelfhostError: refused before anything was written, or failed; what was done before stays, and the next run goes on there.
    """
    if params["state"] == "absent":
        return _remove(params, check_mode)
    work = _Work(params)
    return work.preview() if check_mode else work.converge()


class _Work:
    """One connector that is to be present."""

    def __init__(self, params: Params) -> None:
        self._params = params
        path = Path(params["data_dir"])
        self._program = _program(params)
        account = Account.named(params["user"]) if params["user"] else Account.running_for(_nearest(path))
        self._data = DataDirectory(path, account)
        self._terms = Terms(account, params["ca_path"], params["timeout"])
        self._version = ""
        self._generation = self._look()
        self._wish = wish_of(params)
        configuration.check(self._data.document() or {}, self._wish, self._generation)
        self._warnings = _warnings(params, account)

    def converge(self) -> Report:
        plan = self._data.permissions()
        self._data.protect()
        with self._data.lock(self._params["lock_timeout"]) as lock:
            terms = replace(self._terms, descriptors=(lock,))
            plan += self._install(terms)
            connector = Connector(self._program.executable, self._data, terms)
            session = self._session(connector)
            plan += configuration.configure(connector, session, self._wish, self._generation)
            return self._report(plan, session, self._run(session, Session.sync))

    def preview(self) -> Report:
        """Do the same with a copy of the data, up to the point where the server would be written to."""
        plan = self._data.permissions()
        installing = self._installation()
        if installing.changed:
            plan += installing + configuration.expected(self._data.document() or {}, self._wish, self._generation)
            if self._params["run"] == "sync":
                plan += Plan((Change("run", "sync", self._wish.organization_id, reason="After the installation."),))
            return Report(plan, self._values(), self._warnings)
        with self._data.copy() as copied:
            connector = Connector(self._program.executable, copied, self._terms)
            session = self._session(connector)
            plan += configuration.configure(connector, session, self._wish, self._generation)
            return self._report(plan, session, self._run(session, Session.preview))

    # Before anything is written.

    def _look(self) -> Generation:
        """Return the generation of the program that is, or will be, here; refuse everything that is wrong in any place."""
        self._data.check()
        self._program.check()
        problems = [*refusals(self._params, None), *_missing_files(self._params), *_odd_sum(self._params)]
        refuse_all(problems)
        self._version = self._coming_version()
        generation = generation_of(self._version)
        refuse_all(refusals(self._params, generation))
        if self._installation().changed:
            check_archive(Path(self._params["archive"]), self._params["sha256"])
        return generation

    def _coming_version(self) -> str:
        """Return the version of the program that will be here in the end."""
        wanted = self._params["version"]
        if self._installation().changed:
            return str(wanted)
        if self._program.sha256 is None:
            remedy = "Give archive, sha256 and version."
            raise SelfhostError("There is no connector here.", field=str(self._program.directory), remedy=remedy)
        return self._checked(version_of(self._program.executable, self._terms))

    def _checked(self, version: str) -> str:
        if self._params["version"] not in (None, version):
            cause = f"The program says that it is version {version}, not {self._params['version']}."
            raise SelfhostError(cause, field="version", remedy="Correct version, or give the archive of that version.")
        return version

    # Steps.

    def _installation(self) -> Plan:
        """Return whether another program is to be put here."""
        current, sha256 = self._program.sha256, self._params["sha256"]
        if not self._params["archive"] or current == sha256:
            return Plan()
        desired = {"version": self._params["version"], "sha256": sha256}
        return compare("program", str(self._program.directory), {"sha256": current} if current else None, desired)

    def _install(self, terms: Terms) -> Plan:
        plan = self._installation()
        if plan.changed:
            with self._program.unpacked(Path(self._params["archive"]), self._params["sha256"]) as executable:
                self._checked(version_of(executable, terms))
                self._program.use(executable, self._params["sha256"])
        return plan

    def _session(self, connector: Connector) -> Session:
        return Session(connector, self._params["client_id"], self._params["client_secret"])

    def _run(self, session: Session, sync: t.Callable[[Session, Limits], Report]) -> Report:
        limits = limits_of(self._params)
        if self._params["run"] == "sync":
            return sync(session, limits)
        return session.look(limits) if self._params["run"] == "test" else Report()

    def _report(self, plan: Plan, session: Session, ran: Report) -> Report:
        noted = session.notes
        values = {**self._values(), **ran.values, "last_sync": {"users": noted.users, "groups": noted.groups}}
        return Report(plan + ran.plan, values, [*self._warnings, *ran.warnings])

    def _values(self) -> dict[str, t.Any]:
        return {"version": self._version, "generation": self._generation.number}


def _remove(params: Params, check_mode: bool) -> Report:
    """Leave nothing: neither data nor program."""
    path, program = Path(params["data_dir"]), _program(params)
    data = DataDirectory(path, Account.running_for(_nearest(path)))
    program.check()
    found = [directory for directory in (program.directory, path) if directory.exists()]
    if data.exists:
        data.check()
    plan = Plan(tuple(Change("delete", "directory", str(directory)) for directory in found))
    if plan.changed and not check_mode:
        with data.lock(params["lock_timeout"]) if data.exists else contextlib.nullcontext():
            for directory in found:
                shutil.rmtree(directory)
    return Report(plan)


def _program(params: Params) -> Program:
    return Program(Path(params["program_dir"] or f"{params['data_dir']}-program"))


def _nearest(path: Path) -> Path:
    """Return a path itself, or the nearest directory above it that exists."""
    return next(one for one in (path, *path.parents) if one.exists())


def _missing_files(params: Params) -> list[SelfhostError]:
    """What the program would ignore without a word."""
    named = {"ca_path": params["ca_path"]}
    for name, directory in given_directories(params):
        named |= {f"directory.{name}.{option}": directory.get(option) for option in _FILES}
    return [
        SelfhostError(
            f"There is no file {path}.", field=option, remedy="Correct the path; the connector would ignore it silently."
        )
        for option, path in named.items()
        if path and not os.path.isfile(path)
    ]


def _odd_sum(params: Params) -> list[SelfhostError]:
    if params["sha256"] is None or _SUM.fullmatch(params["sha256"]):
        return []
    return [SelfhostError("It is not a sha256.", field="sha256", remedy="Give its 64 hexadecimal digits in lower case.")]


def _warnings(params: Params, account: Account) -> list[str]:
    ldap = params["directory"].get("ldap") or {}
    found = {
        "The connector runs as root. Give it a user of its own.": account.uid == 0,
        "The directory's password and everything read from it go over the network unencrypted.": ldap.get("tls") == "none",
        "The directory's certificate is not verified: anybody in between gets its password.": ldap.get("validate_certs") is False,
    }
    return [text for text, holds in found.items() if holds]
