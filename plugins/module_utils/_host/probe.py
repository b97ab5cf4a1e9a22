# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real connections as a service would make them: DNS, TCP, proxy, TLS and HTTP, each timed, up to the first failure."""

from __future__ import annotations

import base64
import errno
import selectors
import socket
import ssl
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._host.resolver import Answer, resolve
from ansible_collections.bw.selfhost.plugins.module_utils._host.vantage import Vantage
from ansible_collections.bw.selfhost.plugins.module_utils._model import probe as model
from ansible_collections.bw.selfhost.plugins.module_utils._model.destinations import Destination
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.probe_cases import OK
from ansible_collections.bw.selfhost.plugins.module_utils._model.proxy import Proxy, bypassed, parse

# Together far below the usual limit of open files: destinations at a time, and connections under way.
_DESTINATIONS, _CONNECTIONS = 100, 200
_THREADS = 32
_UNDER_WAY = (0, errno.EINPROGRESS)
_HEAD = 65536  # bytes; no honest head of an answer is longer

Stage = t.Callable[[], tuple[str, str]]


@dataclass(frozen=True)
class Options:
    """How to connect.

    Attributes:
        timeout: seconds for each step.
        proxy: URL of the forward proxy, empty for none, C(None) for what the place's own environment says; may hold a password.
        no_proxy: hosts to reach without it, C(None) as above.
        ca_path: PEM file of further certificate authorities.
    """

    timeout: float = 5
    proxy: str | None = None
    no_proxy: str | None = None
    ca_path: str | None = None

    def check(self) -> None:
        """Refuse options that cannot be used, before anything is tried.

        Raises:
            SelfhostError: the proxy is no URL, or the file holds no certificates.
        """
        if self.proxy:
            parse(self.proxy)
        _add_file(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.ca_path)


def examine(destinations: t.Sequence[Destination], vantage: Vantage, options: Options) -> list[model.Result]:
    """Try every destination from one place, many at once; return the results in the order of the destinations.

    Raises:
        SelfhostError: the place cannot be used, or the certificate authorities cannot be read.
    """
    trust = _trust(vantage, options.ca_path)
    parts = [destinations[start : start + _DESTINATIONS] for start in range(0, len(destinations), _DESTINATIONS)]
    try:
        found = vantage.run(lambda: [_examine([_Trial(one, vantage, options, trust) for one in part]) for part in parts])
        return [result for part in found for result in part]
    except OSError as error:
        raise SelfhostError(
            f"Nothing can be tried from there: {error.strerror}.",
            field=vantage.name,
            remedy="Run the task as root (become: true).",
        ) from None


def _examine(trials: t.Sequence[_Trial]) -> list[model.Result]:
    vantage, timeout = trials[0].vantage, trials[0].options.timeout
    answers = resolve({trial.host for trial in trials}, vantage.servers, timeout, vantage.hosts)
    for trial in trials:
        trial.resolved(answers[trial.host])
    _connect([trial for trial in trials if not trial.result], timeout)
    with ThreadPoolExecutor(min(_THREADS, len(trials))) as pool:
        return list(pool.map(_Trial.finish, trials))


class _Trial:
    """One destination on its way; C(result) stands as soon as it has ended."""

    def __init__(self, destination: Destination, vantage: Vantage, options: Options, trust: ssl.SSLContext) -> None:
        self.destination, self.vantage, self.options = destination, vantage, options
        self._trust = trust
        self.result: model.Result | None = None
        self.outcomes: dict[str, str] = {}  # of connecting, by address
        self.elapsed: dict[str, float] = {}
        self._answer = Answer()
        self._connection: socket.socket | None = None
        self._address = ""
        self._proxy: Proxy | None = None
        try:
            self._proxy = self._choose_proxy()
        except SelfhostError as error:
            self._end("proxy", "unsupported", error.cause)
        self.host, self.port = (self._proxy.host, self._proxy.port) if self._proxy else (destination.host, destination.port)

    def _choose_proxy(self) -> Proxy | None:
        """Return the proxy that a service would use; what is not HTTPS goes without."""
        if not self.destination.url and self.destination.port != 443:
            return None
        url, exempt = self.options.proxy, self.options.no_proxy
        url = self._variable("https_proxy", "all_proxy") if url is None else url
        exempt = self._variable("no_proxy") if exempt is None else exempt
        if not url or bypassed(self.destination.host, exempt):
            return None
        proxy = parse(url)
        if proxy.tls:
            raise SelfhostError("it is spoken to over TLS")
        return proxy

    def _variable(self, *names: str) -> str:
        variables = self.vantage.variables
        return next((variables[key] for name in names for key in (name, name.upper()) if variables.get(key)), "")

    def resolved(self, answer: Answer) -> None:
        """Take what DNS says."""
        self._answer = answer
        self.elapsed["dns"] = _milliseconds(answer.elapsed)
        if self.result:
            return
        if answer.failure:
            asked = answer.server or ", ".join(self.vantage.servers)
            upstreams = f", which asks {self.vantage.upstreams}" if self.vantage.upstreams else ""
            self._end("dns", answer.failure, f"{'answer of' if answer.server else 'asked'} {asked}{upstreams}")
        elif self.destination.protocol != "tcp":
            self._end("dns", OK)  # nobody has to answer a datagram
        self.outcomes = dict.fromkeys(sorted(answer.addresses), "timeout")

    def tried(self, address: str, outcome: str, connection: socket.socket, elapsed: float) -> None:
        """Take how connecting to one address has ended; the first good connection is kept."""
        self.outcomes[address] = outcome
        if self._connection is None:
            self.elapsed["tcp"] = _milliseconds(elapsed)
            if outcome == OK:
                self._connection, self._address = connection, address
                return
        connection.close()

    def finish(self) -> model.Result:
        """Go through the further stages and return how it ended."""
        if self.result is None and self._connection is None:
            self._no_connection()
        if self.result is None:
            self._converse()
        if self._connection:
            self._connection.close()
        return t.cast(model.Result, self.result)

    def _no_connection(self) -> None:
        self._address, outcome = model.worst(self.outcomes)
        if self._answer.server and model.cannot_be(self._address):
            outcome = "sinkhole"
        self._end("tcp", outcome, ", ".join(self.outcomes))

    def _converse(self) -> None:
        stages: list[tuple[str, Stage]] = [("proxy", self._through_proxy)] if self._proxy else []
        stages += [("tls", self._tls), ("http", self._http)] if self.destination.url else []
        for stage, work in stages:
            began = time.monotonic()
            t.cast(socket.socket, self._connection).settimeout(self.options.timeout)
            try:
                result, detail = work()
            except socket.timeout:
                result, detail = "timeout", f"nothing within {self.options.timeout:g} s"
            except OSError as error:
                result, detail = model.tls_failure(error) if stage == "tls" else ("reset", "without an answer")
            self.elapsed[stage] = _milliseconds(time.monotonic() - began)
            if result != OK:
                return self._end(stage, result, detail)
        return self._end(stages[-1][0] if stages else "tcp", OK)

    def _through_proxy(self) -> tuple[str, str]:
        proxy, target = t.cast(Proxy, self._proxy), self.destination.name.partition("/")[0]
        login = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode() if proxy.user else ""
        who = f"Proxy-Authorization: Basic {login}\r\n" if login else ""
        result, detail = model.connect_result(self._ask(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{who}\r\n"))
        return result, f"{detail} from {proxy.shown}"

    def _tls(self) -> tuple[str, str]:
        self._connection = self._trust.wrap_socket(t.cast(socket.socket, self._connection), server_hostname=self.destination.host)
        return OK, ""

    def _http(self) -> tuple[str, str]:
        parts = urlsplit(self.destination.url)
        head = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: bw.selfhost\r\nAccept: application/json"
        answer = self._ask(f"{head}\r\nConnection: close\r\n\r\n")
        # /alive answers with JSON. A root, such as the push relay's, may answer anything.
        return model.http_result(answer, self.destination.host, plain=parts.path not in ("", "/"))

    def _ask(self, request: str) -> bytes:
        """Send a request and return the head of the answer."""
        connection, data = t.cast(socket.socket, self._connection), b""
        deadline = time.monotonic() + self.options.timeout
        connection.sendall(request.encode())
        while b"\r\n\r\n" not in data and len(data) < _HEAD:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            more = connection.recv(4096)
            if not more:
                break
            data += more
        if not data:
            raise ConnectionResetError
        return data

    def _end(self, stage: str, result: str, detail: str = "") -> None:
        if self._proxy and stage in ("dns", "tcp") and result != OK:
            stage, result, detail = "proxy", "unreachable", f"{self._proxy.shown}: {stage} {result}"
        self.result = model.Result(
            self.vantage.name,
            self.vantage.scope,
            self.destination,
            stage,
            result,
            self._address,
            self.elapsed,
            self.outcomes,
            detail,
        )


def _connect(trials: t.Sequence[_Trial], timeout: float) -> None:
    """Connect to every address of every trial at once."""
    waiting = [(trial, address) for trial in trials for address in trial.outcomes]
    for start in range(0, len(waiting), _CONNECTIONS):
        _connect_batch(waiting[start : start + _CONNECTIONS], timeout)


def _connect_batch(batch: t.Sequence[tuple[_Trial, str]], timeout: float) -> None:
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for trial, address in batch:
            connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            connection.settimeout(0)
            code = connection.connect_ex((address, trial.port))
            if code in _UNDER_WAY:
                selector.register(connection, selectors.EVENT_WRITE, (trial, address))
            else:
                trial.tried(address, model.outcome(code), connection, time.monotonic() - began)
        while selector.get_map() and (left := began + timeout - time.monotonic()) > 0:
            for key, _unused in selector.select(left):
                selector.unregister(key.fileobj)
                connection = t.cast(socket.socket, key.fileobj)
                code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                key.data[0].tried(key.data[1], model.outcome(code), connection, time.monotonic() - began)
        for key in list(selector.get_map().values()):
            key.data[0].tried(key.data[1], "timeout", t.cast(socket.socket, key.fileobj), time.monotonic() - began)


def _trust(vantage: Vantage, ca_path: str | None) -> ssl.SSLContext:
    """Return what decides about certificates as the services do: without Python's own stricter rules."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if vantage.system_authorities:
        context.load_default_certs()
    try:
        if vantage.authorities:
            context.load_verify_locations(cadata=vantage.authorities)
    except ssl.SSLError:
        remedy = "Correct or remove the file in bwdata/ca-certificates that is no PEM certificate."
        raise SelfhostError("Its CA certificates cannot be read.", field=vantage.name, remedy=remedy) from None
    _add_file(context, ca_path)
    return context


def _add_file(context: ssl.SSLContext, path: str | None) -> None:
    try:
        if path:
            context.load_verify_locations(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        remedy = "Name a file with CA certificates in PEM format."
        raise SelfhostError(f"{path} cannot be used: {error.strerror or error}.", field="ca_path", remedy=remedy) from None


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
