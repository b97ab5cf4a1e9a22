"""The command line of the connector: commands, global options, answers, exit codes.

Source: bitwarden/directory-connector src-cli/program.ts, baseProgram.ts, commands/*, observed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path

from . import configuring, syncing
from .errors import Failure, Uncaught
from .server import Server
from .storage import State, Storage, app_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]

GENERATIONS = {"2026.4.0": 1, "2026.6.1": 2, "2026.7.0": 3}
_GLOBAL = {name: f"BW_{name.upper()}" for name in ("pretty", "raw", "response", "cleanexit", "quiet", "nointeraction")}
# command: how many arguments it takes at most
_ARGUMENTS = {
    "login": 2,
    "logout": 0,
    "test": 0,
    "sync": 0,
    "last-sync": 1,
    "config": 2,
    "data-file": 0,
    "clear-cache": 0,
    "update": 0,
    "help": 1,
}
_VARIABLES = ("BW_", "BITWARDEN", "NODE_")


class CommandLine:
    """What was asked: the command, its arguments and options."""

    def __init__(self, argv: list[str], environment: t.Mapping[str, str]) -> None:
        self.flags = {name for name, variable in _GLOBAL.items() if environment.get(variable) == "true"}
        self.flags |= {"cleanexit"} if environment.get("BW_CLEANEXIT") else set()
        self.options: dict[str, str] = {}
        words = iter(argv)
        rest = []
        for word in words:
            name = word.lstrip("-")
            if word.startswith("--") and name in _GLOBAL:
                self.flags.add(name)
            elif word.startswith("--secret"):
                self.options[name] = next(words, "")
            elif word in ("-l", "--last"):
                self.options["last"] = ""
            else:
                rest.append(word)
        self.command, self.arguments = (rest or [""])[0], rest[1:]

    def complaint(self) -> str | None:
        """Return what commander says of a command line that it does not understand."""
        if not self.command:
            return "Usage: bwdc [options] [command]"
        if self.command not in _ARGUMENTS:
            if self.command.startswith("-"):
                return f"error: unknown option '{self.command}'"
            return f"Invalid command: {self.command}\nSee --help for a list of available commands."
        most = _ARGUMENTS[self.command]
        if len(self.arguments) > most and self.command not in ("config", "help"):
            found = f"got {len(self.arguments)}: {', '.join(self.arguments)}."
            plural = "" if most == 1 else "s"
            return f"error: too many arguments for '{self.command}'. Expected {most} argument{plural} but {found}"
        if self.command == "last-sync" and not self.arguments:
            return "error: missing required argument 'object'"
        return None


class Program:
    """One run."""

    def __init__(self, version: str, world: Path, line: CommandLine) -> None:
        self._line = line
        self._version = version
        self._world = world
        self._settings: Json = json.loads((world / "world.json").read_text())
        self._storage = Storage(app_directory(os.environ, Path(sys.argv[0])), GENERATIONS[version])

    def run(self) -> Json:
        """Do the command and return the data of its answer."""
        self._wait()
        state = State(self._storage)
        state.start(self._version)
        if os.environ.get("BITWARDENCLI_CONNECTOR_PLAINTEXT_SECRETS") != "true" and self._line.command != "data-file":
            raise Failure("Cannot autolaunch D-Bus without X11 $DISPLAY")
        commands: dict[str, t.Callable[[State], Json]] = {
            "login": self._login,
            "logout": self._logout,
            "test": self._test,
            "sync": self._sync,
            "last-sync": self._last_sync,
            "config": self._config,
            "data-file": self._data_file,
            "clear-cache": self._clear_cache,
            "update": self._update,
            "help": lambda _state: _message("Usage: bwdc [options] [command]"),
        }
        return commands[self._line.command](state)

    def _wait(self) -> None:
        """Stand still as long as the world wants that."""
        file = (self._settings.get("wait") or {}).get(self._line.command)
        while file and not os.path.exists(file):
            time.sleep(0.02)

    def _directory(self) -> Json:
        found: Json = json.loads((self._world / "directory.json").read_text())
        return found

    def _server(self, state: State) -> Server:
        return Server(state.urls, self._storage.generation, self._version, self._settings["proxy"])

    def _login(self, state: State) -> Json:
        if state.get("accessToken"):
            raise Failure(f"You are already logged in as organization.{state.get('organizationId') or state.get('entityId')}.")
        given = [*self._line.arguments, None, None]
        client_id = given[0] or os.environ.get("BW_CLIENTID")
        client_secret = given[1] or os.environ.get("BW_CLIENTSECRET")
        if not client_id:
            raise Failure("Client ID is required.")
        if not client_secret:
            raise Failure("Client Secret is required.")
        state.document.setdefault("appId", str(uuid.uuid4()))
        token = self._server(state).token(client_id, client_secret, state.document["appId"])
        self._keep(state, client_id, client_secret, token)
        return _message("You are logged in!")

    def _keep(self, state: State, client_id: str, client_secret: str, token: str) -> None:
        owner = client_id.removeprefix("organization.")
        if state.nested:  # what a login makes; the organization of the directory's settings stays nothing
            account = state.document.setdefault(owner, {"directorySettings": {"organizationId": None}})
            account.setdefault("directoryConfigurations", dict.fromkeys(("ldap", "gsuite", "entra", "okta", "oneLogin")))
            state.document |= {"activeUserId": owner, "authenticatedAccounts": [owner]}
        elif state.get("organizationId") not in (None, owner):
            syncing.clear_cache(state, with_hash=False)
        state.set(accessToken=token, apiKeyClientId=client_id, apiKeyClientSecret=client_secret, entityId=owner)
        if not state.nested:
            state.set(organizationId=owner)

    def _logged_in(self, state: State) -> None:
        if not state.get("accessToken"):
            raise Failure("You are not logged in.")

    def _logout(self, state: State) -> Json:
        self._logged_in(state)
        syncing.log_out(state)
        return _message("You have logged out.")

    def _test(self, state: State) -> Json:
        self._logged_in(state)
        return syncing.listing(*syncing.read(state, self._directory(), force="last" not in self._line.options, test=True))

    def _sync(self, state: State) -> Json:
        self._logged_in(state)
        groups, users = syncing.sync(state, self._directory(), self._server(state))
        return _message("Syncing complete.", f"Synced {groups} group(s) and {users} user(s).")

    def _last_sync(self, state: State) -> Json:
        self._logged_in(state)
        names = {"users": "lastUserSync", "groups": "lastGroupSync"}
        if self._line.arguments[0] not in names:
            raise Failure("Unknown object.")
        return {"object": "string", "data": state.get(names[self._line.arguments[0]])}

    def _config(self, state: State) -> Json:
        setting = (self._line.arguments or [""])[0].lower()
        configuring.configure(state, setting, configuring.value_of(self._line.arguments[1:], self._line.options))
        return _message(f"Saved setting `{setting}`.")

    def _data_file(self, _state: State) -> Json:
        return {"object": "string", "data": str(self._storage.path)}

    def _clear_cache(self, state: State) -> Json:
        syncing.clear_cache(state)
        return _message("The sync cache has been cleared.")

    def _update(self, _state: State) -> Json:
        raise Uncaught("TypeError: fetch failed")


def _message(title: str, message: str | None = None) -> Json:
    return {"noColor": False, "object": "message", "title": title, "message": message}


def main(version: str, world: str, argv: list[str]) -> int:
    """Run the program; the exit code is 0 or 1."""
    _record(Path(world), argv)
    if argv and argv[0] in ("-v", "--version"):
        print(json.loads((Path(world) / "world.json").read_text()).get("version", version))
        return 0
    line = CommandLine(argv, os.environ)
    complaint = line.complaint()
    if complaint is not None:
        print(complaint, file=sys.stderr)
        return 1
    try:
        data = Program(version, Path(world), line).run()
    except Failure as failure:
        return _fail(line, str(failure))
    except Uncaught as error:
        trace = f"/snapshot/build-cli/bwdc.js:2\n            throw e;\n            ^\n\n{error}\n    at Object.run (bwdc.js:2:1)"
        print(f"{trace}\n\nNode.js v20.20.0", file=sys.stderr)
        return 1
    _succeed(line, data)
    return 0


def _record(world: Path, argv: list[str]) -> None:
    umask = os.umask(0)
    os.umask(umask)
    variables = sorted(name for name in os.environ if name.startswith(_VARIABLES))
    call = {"argv": argv, "variables": variables, "uid": os.getuid(), "umask": umask, "pid": os.getpid()}
    name = f"{time.time_ns()}-{os.getpid()}.json"
    hidden = world / "calls" / f".{name}"
    hidden.write_text(json.dumps(call))
    hidden.rename(world / "calls" / name)


def _fail(line: CommandLine, text: str) -> int:
    if "response" in line.flags:
        print(_json(line, {"success": False, "message": text}))
    elif "quiet" not in line.flags:
        print(text, file=sys.stderr)
    return 0 if "cleanexit" in line.flags else 1


def _succeed(line: CommandLine, data: Json) -> None:
    if "response" in line.flags:
        print(_json(line, {"success": True, "data": data}))
    elif "quiet" not in line.flags:
        if data["object"] == "test":
            print(_json(line, data))
        elif data["object"] == "string":
            print(data["data"] or "", end="")
        elif "raw" not in line.flags:
            print("\n".join(filter(None, (data["title"], data["message"]))))


def _json(line: CommandLine, value: Json) -> str:
    if "pretty" in line.flags:
        return json.dumps(value, indent=2, ensure_ascii=False)
    return syncing.compact(value)
