# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every way a connection attempt fails, with its sentence and its remedy: the only place where a failure gets its words."""

from __future__ import annotations

import typing as t

OK = "ok"
PARTIAL = "partial"


class Case(t.NamedTuple):
    """One way to fail: C(what) happened, and its C(remedy); C(inside) is the remedy for containers where it differs."""

    what: str
    remedy: str
    inside: str = ""


_OUTPUT = "Allow {} for outgoing traffic (OUTPUT): bw.selfhost.egress does it with scope host."
_FORWARD = "Allow {} on the FORWARD path, containers do not pass OUTPUT: bw.selfhost.egress does it with scope containers."
_FURTHER = (
    "If it is allowed there, a firewall further out is in the way: bw.selfhost.egress with explain prints the table for its team."
)
_DNS = Case(
    "no DNS server answers in time",
    _OUTPUT.format("UDP and TCP port 53"),
    _FORWARD.format("UDP and TCP port 53") + " Docker's resolver asks from the container's own network.",
)
_PORT = "Nothing listens on that port, or a firewall rejects with a reset: check the port, then the firewall's REJECT rules. "
_PORTAL = Case(
    "something else answers in its place: a captive portal or a filtering proxy",
    "Let the network's administrators pass this name without a log-in or block page, or set HTTPS_PROXY to the proxy they offer.",
)
_CREDENTIALS = Case(
    "the proxy wants a user name and a password",
    "Write them into the proxy's URL, http://user:password@proxy:port, or let the proxy's administrators exempt this machine.",
    "Write them into HTTPS_PROXY in global.override.env, http://user:password@proxy:port, and restart the stack; "
    "or let the proxy's administrators exempt this machine.",
)
_SILENCE = Case(
    "the connection stands, then nothing more comes",
    "Look for a firewall or proxy that inspects TLS, and for packets too large for the way (MTU); let this name pass untouched.",
)
_CUT = Case(
    "the connection is cut",
    "Firewalls that read the name in the TLS handshake do that: ask their administrators to let this name pass.",
)
_NO_TLS = "A captive portal or a proxy is in the way: set HTTPS_PROXY{}, or let the network's administrators pass this name."

# (stage, result) -> case
CASES: dict[tuple[str, str], Case] = {
    ("dns", "nxdomain"): Case(
        "the name does not exist",
        "Correct the name if it is misspelled; else this name server knows no public names: let it forward them, or use another.",
    ),
    ("dns", "timeout"): _DNS,
    ("dns", "unreachable"): _DNS._replace(what="no DNS server can be reached"),
    ("dns", "servfail"): Case(
        "the DNS server cannot look the name up",
        "Look into the name server's log: its upstream does not answer it, or the answer fails DNSSEC.",
        "Docker's resolver had no answer from its upstream. " + _FORWARD.format("UDP and TCP port 53"),
    ),
    ("dns", "refused"): Case(
        "the DNS server refuses to answer",
        "Allow this machine's network in the name server's configuration, or use the name server that is meant for it.",
    ),
    ("dns", "nodata"): Case(
        "the name exists, but has no address",
        "Correct the name if it is misspelled; else a filter in the name server hides the addresses: let it pass this name.",
    ),
    ("tcp", "timeout"): Case(
        "connecting times out: a firewall drops the traffic",
        f"{_OUTPUT.format('it')} {_FURTHER}",
        f"{_FORWARD.format('it')} {_FURTHER}",
    ),
    ("tcp", "refused"): Case(
        "the connection is refused",
        f"{_PORT}bw.selfhost.egress with scope host opens this host's.",
        f"{_PORT}bw.selfhost.egress with scope containers opens this host's.",
    ),
    ("tcp", "rejected"): Case(
        "a firewall rejects the connection",
        f"{_OUTPUT.format('it')} {_FURTHER}",
        f"{_FORWARD.format('it')} {_FURTHER}",
    ),
    ("tcp", "no_route"): Case(
        "there is no way to the network",
        "Give this host a default route for that address family (ip route).",
        "Attach the service to a network that is not internal, as the compose file's network public is.",
    ),
    ("tcp", "sinkhole"): Case(
        "DNS gives an address that cannot be the service: a DNS filter blocks the name",
        "Let the DNS filter pass this name, or use another name server.",
    ),
    ("tcp", PARTIAL): Case(
        "not all addresses answer; services try one after another, and may give up before they come to a good one",
        "Allow all addresses of the name, as bw.selfhost.egress does; where IPv6 does not work, take its default route away.",
    ),
    ("proxy", "unreachable"): Case(
        "the proxy cannot be reached",
        "Correct HTTPS_PROXY, or allow the traffic to the proxy.",
        "Correct HTTPS_PROXY in global.override.env and restart the stack, or allow the traffic to it on the FORWARD path.",
    ),
    ("proxy", "unauthorized"): _CREDENTIALS,
    ("proxy", "forbidden"): Case(
        "the proxy does not allow this destination",
        "Ask the proxy's administrators to allow CONNECT to this name and port.",
    ),
    ("proxy", "failed"): Case(
        "the proxy cannot connect to the destination",
        "Look into the proxy's log: its own DNS, or its own way to the internet, fails.",
    ),
    ("proxy", "protocol"): Case(
        "what listens at the proxy's address does not answer in HTTP",
        "Correct HTTPS_PROXY: it must be the address of an HTTP proxy, such as http://proxy.example.com:3128.",
    ),
    ("proxy", "unsupported"): Case(
        "the proxy setting cannot be used",
        "Write it like http://proxy.example.com:3128; a proxy that is itself spoken to over TLS is not supported.",
    ),
    ("proxy", "timeout"): Case("the proxy takes the connection, then says nothing", "Look into the proxy's log."),
    ("proxy", "reset"): Case("the proxy cuts the connection", "Look into the proxy's log; some do so instead of a refusal."),
    ("tls", "name_mismatch"): Case(
        "the certificate is somebody else's",
        "Another server answers at this address: look for a wrong DNS record, an entry in /etc/hosts, or a captive portal.",
    ),
    ("tls", "unknown_ca"): Case(
        "the certificate's issuer is not trusted: TLS is inspected on the way, or CA certificates are missing",
        "Install the inspecting proxy's CA certificate here (update-ca-certificates), or exempt this name from inspection.",
        "Put the inspecting proxy's CA certificate (PEM, in a file that ends in .crt) into bwdata/ca-certificates "
        "and restart the stack, or exempt this name from inspection.",
    ),
    ("tls", "expired"): Case(
        "the certificate has expired",
        "Check this machine's clock (timedatectl); if it is right, an inspecting proxy on the way has an old certificate.",
    ),
    ("tls", "not_yet_valid"): Case("the certificate is not valid yet", "Set this machine's clock (timedatectl): it is behind."),
    ("tls", "protocol"): Case(
        "what answers does not speak TLS",
        _NO_TLS.format(" to the proxy"),
        _NO_TLS.format(" in global.override.env and restart the stack"),
    ),
    ("tls", "refused"): Case(
        "the other side refuses the TLS handshake",
        "Old versions of TLS, or a proxy that inspects it, are in the way: let the network's administrators pass this name.",
    ),
    ("tls", "timeout"): _SILENCE,
    ("tls", "reset"): _CUT,
    ("http", "timeout"): _SILENCE,
    ("http", "reset"): _CUT,
    ("http", "captive_portal"): _PORTAL,
    ("http", "block_page"): _PORTAL._replace(what="a block page answers in its place"),
    ("http", "unauthorized"): _CREDENTIALS,
    ("http", "protocol"): _PORTAL._replace(what="the answer is not HTTP"),
    ("http", "server_error"): Case(
        "the way is open, but the service or a gateway before it fails",
        "Look at https://status.bitwarden.com; if all is well there, ask the administrators of the proxy on the way.",
    ),
}
