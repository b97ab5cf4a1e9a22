# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the official Directory Connector: as its own account, on its own data, with answers in JSON and no terminal to ask.

Source: bitwarden/directory-connector src-cli/program.ts, src-cli/bwdc.ts.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.bw.selfhost.plugins.module_utils._host.connector_data import DataDirectory, scratch
from ansible_collections.bw.selfhost.plugins.module_utils._host.process import Account, Finished, execute
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_answer import Answer, answer_of
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_document import secrets
from ansible_collections.bw.selfhost.plugins.module_utils._model.connector_failures import explain
from ansible_collections.bw.selfhost.plugins.module_utils._model.redact import redact

_UMASK = 0o077
_SHORTEST = 4  # a shorter secret would be found in every text
_VARIABLES = {"BITWARDENCLI_CONNECTOR_PLAINTEXT_SECRETS": "true", "BW_NOINTERACTION": "true"}


@dataclass(frozen=True)
class Terms:
    """How the program is run.

    Attributes:
        ca_path: a file with certificate authorities of the Bitwarden server that the system does not know.
        timeout: seconds for one command.
        descriptors: kept open in the program, such as a lock that it shall not outlive.
    """

    account: Account
    ca_path: str | None = None
    timeout: float = 900
    descriptors: tuple[int, ...] = ()


def version_of(executable: Path, terms: Terms) -> str:
    """Return the program's version, without touching anybody's data.

    Raises:
        SelfhostError: it does not run here, and why.
    """
    with scratch(terms.account) as folder:
        finished = _execute(executable, folder, terms, ("--version",), {})
    if finished.code != 0:
        raise explain("--version", answer_of(finished.code, "", finished.stderr or finished.stdout))
    return finished.stdout.strip()


class Connector:
    """One program and the data that it works on."""

    def __init__(self, executable: Path, data: DataDirectory, terms: Terms) -> None:
        self.data = data
        self._executable = executable
        self._terms = terms

    def login(self, client_id: str, client_secret: str) -> Answer:
        """Ask for a session. The program takes the key from its environment or from its arguments, which anybody could read."""
        return self._answer("login", {"BW_CLIENTID": client_id, "BW_CLIENTSECRET": client_secret}, {client_secret})

    def call(self, command: str) -> Answer:
        """Run one command to its end."""
        return self._answer(command, {}, set())

    def run(self, command: str) -> Answer:
        """Run a command that must succeed.

        Raises:
            SelfhostError: it did not, and why.
        """
        answer = self.call(command)
        if not answer.success:
            raise explain(command, answer)
        return answer

    def _answer(self, command: str, variables: t.Mapping[str, str], hidden: set[str]) -> Answer:
        """Return an answer whose text is without secrets: those of the data file, before and after, and C(hidden)."""
        hidden = hidden | secrets(self.data.document())
        try:
            finished = _execute(self._executable, self.data.path, self._terms, ("--response", command), variables)
        finally:
            self.data.protect()
        answer = answer_of(finished.code, finished.stdout, finished.stderr)
        hidden = {secret for secret in hidden | secrets(self.data.document()) if len(secret) >= _SHORTEST}
        return replace(answer, text=redact(answer.text, hidden))


def _execute(executable: Path, data: Path, terms: Terms, arguments: tuple[str, ...], variables: t.Mapping[str, str]) -> Finished:
    trusted = {"NODE_EXTRA_CA_CERTS": terms.ca_path} if terms.ca_path else {}
    return execute(
        [str(executable), *arguments],
        terms.account,
        timeout=terms.timeout,
        directory=data,
        variables={**_VARIABLES, "BITWARDENCLI_CONNECTOR_APPDATA_DIR": str(data), **trusted, **variables},
        descriptors=terms.descriptors,
        umask=_UMASK,
    )
