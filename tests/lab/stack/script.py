"""bitwarden.sh and run.sh in one: what each command prints, asks, does and returns."""

from __future__ import annotations

import os
import shutil
import sys
import time

from . import compose, compose_cli, docker_cli, script_files, setup, setup_run, state as _state, templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

URL = "https://func.bitwarden.com/api/dl/?app=self-host&platform=linux"
COMMANDS = (
    *("install", "start", "restart", "stop", "update", "updatedb", "updaterun", "updateself", "updateconf", "uninstall"),
    *("renewcert", "rebuild", "compresslogs", "help"),
)
LOGGING = ("admin", "api", "events", "icons", "identity", "mssql", "nginx", "notifications", "sso", "portal")
DIRECTORIES = ("core", "core/attachments", "logs", *(f"logs/{name}" for name in LOGGING), "mssql/backups", "mssql/data")
_WARNING = """WARNING: This script is running as the root user!
If you are running a standard deployment this script should be running as a dedicated Bitwarden User as per the documentation."""


class Stop(Exception):
    """The script ends here (`set -e` or `exit`) with this code."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def main(state: _state.State, argv: list[str]) -> int:
    """argv: path of bitwarden.sh, its three versions, then the arguments of the caller."""
    script = Script(state, argv[0], templates.Versions(*argv[1:4]), argv[4:])
    try:
        script.run()
    except Stop as stop:
        if str(stop):
            print(stop)
        return stop.code
    return 0


def read_line() -> str:
    """bash `read` under `set -e`: a line without its end ends the script."""
    line = sys.stdin.readline() if sys.stdin else ""
    if not line.endswith("\n"):
        raise Stop(1)
    return line[:-1]


def must(code: int) -> None:
    """`set -e`."""
    if code:
        raise Stop(code)


class Script:
    def __init__(self, state: _state.State, path: str, versions: templates.Versions, arguments: list[str]) -> None:
        self.state = state
        self.path = os.path.abspath(path)
        self.versions = versions
        self.arguments = arguments
        self.out = arguments[1] if len(arguments) == 2 else os.path.join(os.path.dirname(self.path), "bwdata")

    def run(self) -> None:
        print("Open source password management solutions\nhttps://bitwarden.com, https://github.com/bitwarden\n")
        if os.geteuid() == 0:
            self.root_question()
        print(f"bitwarden.sh version {self.versions.core}")
        print(f"Docker version {docker_cli.DOCKER_VERSION}, build e6534b4")
        print(f"Docker Compose version v{compose_cli.COMPOSE_VERSION}\n", flush=True)
        command = self.arguments[0] if self.arguments else ""
        if command not in COMMANDS:
            print("No command found.\n")
        if command not in COMMANDS or command == "help":
            print("Available commands:\n\n" + "\n".join(COMMANDS) + "\n")
            return
        self.hang("start")
        if command == "install" and os.path.isdir(os.path.join(self.out, "docker")):
            raise Stop(1, f"Looks like Bitwarden is already installed at {self.out}.")
        if command not in ("install", "updateself") and not os.path.isdir(self.out):
            raise Stop(1, f"Cannot find a Bitwarden installation at {self.out}.")
        if command not in ("install", "updateself", "updaterun", "compresslogs"):
            setup_run.ensure_ids(self.out)
        getattr(self, {"restart": "start"}.get(command, command))()

    def root_question(self) -> None:
        print(_WARNING, flush=True)
        if sys.stdin and sys.stdin.isatty():
            print("Do you still want to continue? (y/n): ", end="", file=sys.stderr, flush=True)
        if read_line().strip().lower() not in ("y", "yes"):
            raise Stop(1)
        print("Continuing....")

    # commands that only change the stack
    def start(self, force_certificate: bool = False) -> None:
        self.down()
        self.pull()
        self.certificate(force_certificate)
        for name in DIRECTORIES:
            path = os.path.join(self.out, name)
            if not os.path.isdir(path):
                print(f"Creating directory {path}")
                os.makedirs(path)
        self.hang("up")
        must(self.engine(late=True).up([]))
        script_files.write_failure_logs(self.state, self.out)
        self.pull_setup()
        if self.state.take("print_fails"):
            raise Stop(1)
        self.setup(setup.Setup.print_environment)

    def stop(self) -> None:
        self.down()

    def renewcert(self) -> None:
        self.start(force_certificate=True)

    # commands that rewrite files
    def rebuild(self) -> None:
        self.down()
        self.setup(setup_run.update(self.state))

    def updateconf(self) -> None:
        self.down()
        self.pull_setup()
        self.setup(setup_run.update(self.state))

    def update(self) -> None:
        self.updaterun()
        if self.tag("admin") == self.versions.core and self.tag("web") == self.versions.web:
            print("Update not needed")
            return
        self.updateconf()
        self.start()
        print("Total reclaimed space: 0B")
        if self.versions.number() < (2026, 4, 1) or "enable_built_in_ms_sql: false" not in self.read("config.yml"):
            print("Pausing 60 seconds for database to come online. Please wait...")
        self.updatedb()

    def updatedb(self) -> None:
        self.pull_setup()
        built_in = "Data Source=tcp:mssql,1433;" in self.read("env/global.override.env") or self.versions.number() < (2024, 10, 2)
        if built_in and not self.tag("mssql"):
            print("docker: Error response from daemon: invalid network mode: container:", file=sys.stderr)
            raise Stop(125)
        self.setup(lambda _container: print("Migrating database."))
        print("Database update complete")

    # downloads
    def updaterun(self) -> None:
        failure = self.state.take("download")
        if failure and str(failure).startswith("curl:"):
            raise Stop(int(str(failure)[5:]))
        if failure:
            print(f"Unable to download run script from {URL}&variant=run. Received status code: {failure}")
            raise Stop(1, "http response:\nnot available")
        path = os.path.join(self.out, "scripts/run.sh")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        script_files.write_run_script(path)

    def updateself(self) -> None:
        if self.state.take("download"):
            raise Stop(1)
        release = str(self.state.switches().get("release") or self.versions.core)
        key_connector = self.versions.key_connector
        script_files.write_script(self.path, self.state, templates.Versions(release, release, key_connector))
        print("Updated self.")

    # the rest
    def install(self) -> None:
        os.makedirs(self.out, exist_ok=True)
        self.updaterun()
        setup_run.ensure_ids(self.out)
        given = {"domain": self.ask("Enter the domain name for your Bitwarden instance (ex. bitwarden.example.com): ")}
        given["domain"] = given["domain"] or "localhost"
        if given["domain"] != "localhost":
            given["letsencrypt"] = self.ask("Do you want to use Let's Encrypt to generate a free SSL certificate? (y/n): ")
        given["dbname"] = self.ask("Enter the database name for your Bitwarden instance (ex. vault): ") or "vault"
        self.pull_setup()
        if not (sys.stdin and sys.stdin.isatty()):
            print("the input device is not a TTY", file=sys.stderr)
            raise Stop(1)
        given["install-id"] = self.ask("Enter your installation id (get at https://bitwarden.com/host): ")
        given["install-key"] = self.ask("Enter your installation key: ")
        given["cloud-region"] = self.ask("Enter your region (US/EU) [US]: ") or "US"
        if given.get("letsencrypt") != "y" and self.ask("Do you have a SSL certificate to use? (y/N): ").lower() == "y":
            given["ssl"] = "own"
            self.ask("Is this a trusted SSL certificate (requires ca.crt, see docs)? (y/N): ")
        self.setup(setup_run.installer(given))

    def uninstall(self) -> None:
        if self.ask("Would you like to save the database files? (y/n): ") == "y":
            self.archive("bitwarden_database.tar.gz", "mssql")
        if self.ask("Are you sure you want to uninstall Bitwarden? (y/n): ") != "y":
            raise Stop(1, "(!) Bitwarden uninstall canceled.")
        self.down()
        shutil.rmtree(self.out)
        print("Bitwarden uninstall complete!")
        self.ask("Would you like to purge all local Bitwarden container images? (y/n): ")

    def compresslogs(self) -> None:
        dates = self.arguments[1:3]
        if any(len(date) != 8 or not date.isdigit() for date in dates):
            raise Stop(1, "Error: start date format is invalid. Please use YYYYMMDD.")
        span = "all" if not dates else "-to-".join(dict.fromkeys(dates))
        self.archive(f"bitwarden-logs-{span}.tar.gz", "logs")

    # pieces
    def ask(self, question: str) -> str:
        print(f"(!) {question}", end="", flush=True)
        return read_line()

    def read(self, name: str) -> str:
        try:
            with open(os.path.join(self.out, name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def archive(self, name: str, folder: str) -> None:
        import tarfile

        with tarfile.open(name, "w:gz") as archive:
            archive.add(os.path.join(self.out, folder), folder)
        print(f"Logs compressed into {os.path.abspath(name)}" if folder == "logs" else "Saving database files.")

    def hang(self, phase: str) -> None:
        """Wait until killed, as a script does that asks a question nobody answers."""
        while self.state.switches().get("hang") == phase:
            time.sleep(0.05)

    def tag(self, service: str) -> str:
        """Image tag of the existing container, empty without one."""
        for record in self.state.containers().values():
            if record["service"] == service and not record["stopped"]:
                return str(record["image"].rpartition(":")[2])
        return ""

    def engine(self, late: bool = False) -> compose.Engine:
        """The compose project. A fault in its files ends the script; `late` as in Engine.check."""
        directory = os.path.join(os.path.abspath(self.out), "docker")
        files = [os.path.join(directory, name) for name in ("docker-compose.yml", "docker-compose.override.yml")]
        if self.state.daemon_down():
            raise Stop(1)
        try:
            engine = compose.Engine(self.state, compose.Project(files[: 1 + os.path.exists(files[1])], directory))
            engine.check(late)
        except compose.ComposeError as error:
            print(error, file=sys.stderr)
            raise Stop(1) from None
        for warning in engine.project.warnings:
            print(f"level=warning msg={warning!r}", file=sys.stderr)
        return engine

    def down(self) -> None:
        """`[ $(ps | wc -l) -gt 2 ] && down`: a ps that fails counts as nothing to stop."""
        try:
            engine = self.engine()
        except Stop:
            return
        if len(engine.listed()) >= 2:
            must(engine.down())

    def pull(self) -> None:
        self.hang("pull")
        must(compose_cli.pull(self.state, self.engine()))

    def certificate(self, force: bool) -> None:
        if self.state.switches().get("certbot_question"):
            self.ask("The [certbot/certbot] container image is used for Let's Encrypt. Would you like to purge it? (y/N): ")
        if os.path.isdir(os.path.join(self.out, "letsencrypt/live")):
            print("Renewing an existing certificate" if force else "Certificate not yet due for renewal")

    def pull_setup(self) -> None:
        sys.stdout.flush()
        must(docker_cli.pull(self.state, [f"ghcr.io/bitwarden/setup:{self.versions.core}"]))

    def setup(self, action: t.Callable[[setup.Setup], None]) -> None:
        sys.stdout.flush()
        must(setup_run.run(self.state, self.out, self.versions, action))
