"""One container: the record C(up) writes, and what it means at a moment in time.

Record: service, name, id, image, environment (image ENV and Compose's, merged at creation and never again), project, directory,
files, networks, hash, created and started (epoch seconds), delay (seconds until healthy), stopped (bool), resolved (bool: nginx
has found all its upstreams), fault (why it cannot start, or None).
"""

from __future__ import annotations

import time

from . import state as _state, templates

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

    Json = dict[str, t.Any]

NO_ID = "00000000-0000-0000-0000-000000000000"
UPSTREAMS = ("web", "attachments", "api", "identity", "sso", "admin", "icons", "notifications", "events")
_BOOLEANS = ("enableCloudCommunication", "disableUserRegistration", "selfHosted", "mail__smtp__ssl")
_APP = {
    "ASPNETCORE_ENVIRONMENT": "Production",
    "ASPNETCORE_URLS": "http://+:5000",
    "SSL_CERT_DIR": "/etc/bitwarden/ca-certificates",
}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DOTNET = "System.InvalidOperationException:"


def image_environment(image: str, switches: Json) -> dict[str, str]:
    name = image.rsplit("/", 1)[-1].split(":")[0]
    return {"PATH": _PATH, **({} if name in ("nginx", "mssql") else _APP), **(switches.get("image_env") or {})}


def startup_fault(service: str, environment: t.Mapping[str, str]) -> str | None:
    """Why the service would end at once with this environment, as .NET says it."""
    if "../env/global.override.env" not in templates.SERVICES.get(service, ((),))[-1]:
        return None
    for key in _BOOLEANS:
        value = environment.get(f"globalSettings__{key}", "")
        if value.strip().lower() not in ("", "true", "false"):
            path = "globalSettings:" + key.replace("__", ":")
            return f"{_DOTNET} Failed to convert configuration value '{value}' at '{path}' to type 'System.Boolean'."
    if environment.get("globalSettings__installation__id", NO_ID) == NO_ID:
        return f"{_DOTNET} Installation Id must be set for self-hosted installations."
    return None


def selected(record: Json, value: t.Any) -> bool:
    """Whether a switch C(SERVICE) or C(SERVICE:KEY=VALUE) means this container."""
    for item in _state.names(value):
        service, _colon, condition = item.partition(":")
        key, _equals, wanted = condition.partition("=")
        if service == record["service"] and (not condition or record["environment"].get(key) == wanted):
            return True
    return False


def crash(record: Json, records: Json, switches: Json) -> str | None:
    """Why the container restarts in a loop, or None."""
    if record["fault"]:
        return str(record["fault"])
    if selected(record, switches.get("restarting")):
        return "System.Net.Sockets.SocketException (111): Connection refused"
    missing = missing_upstream(records)
    if record["service"] == "nginx" and missing and not record["resolved"]:
        return f'nginx: [emerg] host not found in upstream "{missing}:5000" in /etc/nginx/conf.d/default.conf:30'
    return None


def missing_upstream(records: Json) -> str | None:
    present = {record["service"] for record in records.values() if not record["stopped"]}
    return next((name for name in UPSTREAMS if name not in present), None)


def set_stopped(record: Json, stopped: bool) -> None:
    record["stopped"] = stopped
    if not stopped:
        record.update(started=time.time(), resolved=False)


def settle(records: Json) -> None:
    """After a change: nginx looks its upstreams up when it starts, and never again once it has found them."""
    for record in records.values():
        if record["service"] == "nginx" and not record["stopped"] and not missing_upstream(records):
            record["resolved"] = True


def status(record: Json, records: Json, switches: Json) -> tuple[str, str]:
    """State.Status and State.Health.Status now."""
    if record["stopped"]:
        return "exited", "unhealthy"
    if crash(record, records, switches):
        return "restarting", "unhealthy"
    if time.time() < record["started"] + record["delay"] or selected(record, switches.get("starting")):
        return "running", "starting"
    return "running", "unhealthy" if selected(record, switches.get("unhealthy")) else "healthy"


def inspect(record: Json, records: Json, switches: Json) -> Json:
    """The element of `docker inspect` for this container."""
    state, health = status(record, records, switches)
    streak = 0 if health != "unhealthy" else 3
    output = "curl: (7) Failed to connect to localhost port 5000" if streak else ""
    now = _iso(time.time())
    checks = [] if health == "starting" else [{"Start": now, "End": now, "ExitCode": int(streak > 0), "Output": output}]
    return {
        "Id": record["id"],
        "Created": _iso(record["created"]),
        "Name": "/" + record["name"],
        "RestartCount": 7 if state == "restarting" else 0,
        "Image": "sha256:" + digest(record["image"]),
        "State": {
            "Status": state,
            "Running": state in ("running", "restarting"),
            "Paused": False,
            "Restarting": state == "restarting",
            "OOMKilled": False,
            "Dead": False,
            "Pid": 0,  # there is no process whose namespaces one could enter
            "ExitCode": {"restarting": 134, "exited": 0}.get(state, 0),
            "Error": "",
            "StartedAt": _iso(record["started"]),
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": health, "FailingStreak": streak, "Log": checks},
        },
        "HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}},
        "Config": {
            "Image": record["image"],
            "Env": [f"{key}={value}" for key, value in record["environment"].items()],
            "Labels": labels(record),
        },
        "NetworkSettings": {"Networks": {f"{record['project']}_{name}": {} for name in record["networks"]}},
    }


def labels(record: Json) -> dict[str, str]:
    compose = {
        "project": record["project"],
        "service": record["service"],
        "project.working_dir": record["directory"],
        "project.config_files": ",".join(record["files"]),
        "config-hash": record["hash"],
        "container-number": "1",
        "oneoff": "False",
        "version": "2.36.2",
    }
    return {"com.bitwarden.product": "bitwarden", **{f"com.docker.compose.{key}": value for key, value in compose.items()}}


def log_lines(record: Json, records: Json, switches: Json) -> list[str]:
    """What `docker logs` shows."""
    reason = crash(record, records, switches)
    if record["service"] == "nginx":
        return [reason or "/docker-entrypoint.sh: Configuration complete; ready for start up"]
    if reason:
        return [
            f"Unhandled exception. {reason}",
            "   at Microsoft.Extensions.Hosting.HostBuilder.Build()",
            "Aborted (core dumped)",
        ]
    lines = ["info: Microsoft.Hosting.Lifetime[14]", "      Now listening on: http://[::]:5000"]
    if selected(record, switches.get("unhealthy")):
        return [*lines, "fail: Microsoft.AspNetCore.Server.Kestrel[13]", f"      {unhealthy_reason(record)}"]
    return [*lines, "info: Microsoft.Hosting.Lifetime[0]", "      Application started. Press Ctrl+C to shut down."]


def unhealthy_reason(record: Json) -> str:
    return f"{record['service']}: Microsoft.Data.SqlClient.SqlException (0x80131904): Login failed for user 'sa'."


def status_text(record: Json, status: str, health: str) -> str:
    age = f"{int(time.time() - record['started'])} seconds"
    if status == "restarting":
        return f"Restarting (134) {age} ago"
    if status == "exited":
        return f"Exited (0) {age} ago"
    return f"Up {age} ({'health: starting' if health == 'starting' else health})"


def digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _iso(moment: float) -> str:
    whole = int(moment)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((moment - whole) * 1e9):09d}Z"
