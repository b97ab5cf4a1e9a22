# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts whose firewalls block everything that is new from the inside, as administrators write it."""

from __future__ import annotations

import typing as t

from tests.hosts import Bare, Host, World

# The host's own traffic but DNS, and all of the containers; answers may come back.
NFTABLES = """
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state established,related accept
        meta l4proto ipv6-icmp accept
        tcp dport 22 accept
    }
    chain output {
        type filter hook output priority filter; policy drop;
        oifname "lo" accept
        ct state established,related accept
        meta l4proto ipv6-icmp accept
        meta l4proto { tcp, udp } th dport 53 accept
        counter comment "what the administrator counts"
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "br-*" oifname "br-*" accept
        ip6 nexthdr ipv6-icmp accept
    }
}
"""
IPTABLES = """*filter
:OUTPUT DROP [0:0]
-A OUTPUT -o lo -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -p {icmp} -j ACCEPT
-A OUTPUT -p udp --dport 53 -j ACCEPT
-I DOCKER-USER 1 -i br-+ ! -o br-+ -j DROP
COMMIT
"""
# ingress, egress: who may not send where
FIREWALLD = (("blockhost", "HOST", "ANY"), ("blockdocker", "docker", "ANY"))


def nftables(world: World) -> Bare:
    """An nftables table with default drop, as /etc/nftables.conf would load it."""
    host = world.bare("debian12")
    host.run(["nft", "-f", "-"], input=NFTABLES)
    return host


def iptables(world: World) -> Bare:
    """Rules in OUTPUT and DOCKER-USER."""
    host = world.bare("debian12", docker_user=True)
    for program, icmp in (("iptables-restore", "icmp"), ("ip6tables-restore", "ipv6-icmp")):
        host.run([program, "--noflush"], input=IPTABLES.format(icmp=icmp))
    return host


def ufw(world: World) -> Bare:
    """The policy deny outgoing, for containers, too."""
    host = world.bare("debian12", docker_user=True)
    host.enable_ufw(docker_user=True)
    host.run(["ufw", "allow", "out", "53"])
    return host


def firewalld(world: World) -> Bare:
    """Policies that reject."""
    host = world.bare("debian12")
    host.start_firewalld()
    block_with_firewalld(host)
    return host


def block_with_firewalld(host: Host) -> None:
    """Let policies reject what leaves the host and its containers."""
    for name, ingress, egress in FIREWALLD:
        for command in (
            [f"--new-policy={name}"],
            [f"--policy={name}", f"--add-ingress-zone={ingress}"],
            [f"--policy={name}", f"--add-egress-zone={egress}"],
            [f"--policy={name}", "--set-target=REJECT"],
        ):
            host.run(["firewall-cmd", "--permanent", *command])
    for allowed in ("--add-service=dns", "--add-protocol=ipv6-icmp"):
        host.run(["firewall-cmd", "--permanent", "--policy=blockhost", allowed])
    host.run(["firewall-cmd", "--reload"])


FIREWALLS: dict[str, t.Callable[[World], Bare]] = {
    "nftables": nftables,
    "iptables": iptables,
    "ufw": ufw,
    "firewalld": firewalld,
}
EVERYWHERE = {(origin, family) for origin in ("host", "container") for family in (4, 6)}
CLOUD = ("api.bitwarden.com", "identity.bitwarden.com", "push.bitwarden.com")


def reached(host: Bare, name: str) -> set[tuple[str, int]]:
    """Return from where, and over which family, a new connection to a name comes about."""
    return {place for place, word in host.reaches_all(name).items() if word == "ok"}
