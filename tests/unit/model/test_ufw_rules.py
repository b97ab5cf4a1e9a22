"""Our lines among ufw's, in files as ufw 0.36.2 writes them and in the kernel as iptables-save prints it."""

from __future__ import annotations

import pytest
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.firewall import Endpoint
from ansible_collections.bw.selfhost.plugins.module_utils._model.ufw_rules import Rule, edited, loading, ours
from hypothesis import given, strategies as st

# As the package brings it.
SHIPPED = """*filter
:ufw-user-input - [0:0]
:ufw-user-output - [0:0]
:ufw-user-forward - [0:0]
:ufw-user-limit - [0:0]
:ufw-user-limit-accept - [0:0]
### RULES ###
-A ufw-user-limit -m limit --limit 3/minute -j LOG --log-prefix "[UFW LIMIT BLOCK] "
-A ufw-user-limit -j REJECT
-A ufw-user-limit-accept -j ACCEPT
COMMIT
"""
DENY = "\n### tuple ### deny any any 203.0.113.0/24 any 0.0.0.0/0 out\n-A ufw-user-output -d 203.0.113.0/24 -j DROP\n"
SSH = "\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n"
END = "\n### END RULES ###\n\n### LOGGING ###\n-A ufw-after-logging-input -j LOG\n### END LOGGING ###\nCOMMIT\n"
HEAD = "*filter\n:ufw-user-output - [0:0]\n### RULES ###\n"
USED = HEAD + SSH + DENY + END
# What ufw itself wrote for: ufw prepend allow out proto tcp to 203.0.113.10 port 443 comment 'bw.selfhost:egress', and the like.
COMMENT = "comment=62772e73656c66686f73743a656772657373"
BY_UFW = {
    Rule("host", Endpoint("203.0.113.10", "tcp", 443)): f"""
### tuple ### allow tcp 443 203.0.113.10 any 0.0.0.0/0 out {COMMENT}
-A ufw-user-output -p tcp -d 203.0.113.10 --dport 443 -j ACCEPT
""",
    Rule("host", Endpoint("203.0.113.10", "udp", 53)): f"""
### tuple ### allow udp 53 203.0.113.10 any 0.0.0.0/0 out {COMMENT}
-A ufw-user-output -p udp -d 203.0.113.10 --dport 53 -j ACCEPT
""",
    Rule("containers", Endpoint("203.0.113.10", "tcp", 443)): f"""
### tuple ### route:allow tcp 443 203.0.113.10 any 0.0.0.0/0 in {COMMENT}
-A ufw-user-forward -p tcp -d 203.0.113.10 --dport 443 -j ACCEPT
""",
    Rule("host", Endpoint("2001:db8::10", "tcp", 443)): f"""
### tuple ### allow tcp 443 2001:db8::10 any ::/0 out {COMMENT}
-A ufw6-user-output -p tcp -d 2001:db8::10 --dport 443 -j ACCEPT
""",
    Rule("containers", Endpoint("2001:db8::10", "tcp", 443)): f"""
### tuple ### route:allow tcp 443 2001:db8::10 any ::/0 in {COMMENT}
-A ufw6-user-forward -p tcp -d 2001:db8::10 --dport 443 -j ACCEPT
""",
}
A, B = Rule("host", Endpoint("203.0.113.10", "tcp", 443)), Rule("host", Endpoint("203.0.113.11", "tcp", 443))
FOREIGN = "-A ufw-user-output -d 203.0.113.0/24 -j DROP\n"
endpoints = st.builds(
    Endpoint, st.ip_addresses().map(str), st.sampled_from(["tcp", "udp"]), st.integers(min_value=1, max_value=65535)
)  # fmt: skip
rules = st.sets(st.builds(Rule, st.sampled_from(["host", "containers"]), endpoints), max_size=8)


@pytest.mark.parametrize("rule", BY_UFW, ids=str)
def test_lines_are_the_ones_ufw_writes(rule: Rule) -> None:
    assert rule.text == BY_UFW[rule]
    assert ours(HEAD + SSH + BY_UFW[rule] + END) == {rule}


@given(rules, rules, st.sampled_from([SHIPPED, USED]))
def test_there_and_back_again(first: set[Rule], second: set[Rule], text: str) -> None:
    one = edited(text, first, "file")
    two = edited(one, second, "file")
    assert ours(one) == first
    assert ours(two) == second
    assert edited(two, second, "file") == two
    assert edited(two, (), "file") == text


def test_ours_stand_first() -> None:
    assert edited(USED, {B, A}, "file") == HEAD + A.text + B.text + SSH + DENY + END


def test_what_the_administrator_allows_may_stand_above_ours() -> None:
    text = HEAD + SSH + A.text + DENY + END
    assert edited(text, {A}, "file") == text


def test_below_a_rule_that_blocks_ours_are_moved_and_the_others_keep_their_order() -> None:
    assert edited(HEAD + DENY + A.text + SSH + END, {A}, "file") == HEAD + A.text + DENY + SSH + END


@pytest.mark.parametrize(
    "foreign",
    [
        A.text.replace(f" {COMMENT}", ""),
        A.text.replace(COMMENT, "comment=6e6f7465"),
        A.text.replace("allow", "deny"),
        A.text.replace("-j ACCEPT", "-j ACCEPT_log"),
        f"\n### tuple ### allow tcp 443 0.0.0.0/0 any 0.0.0.0/0 out {COMMENT}\n-A ufw-user-output -p tcp --dport 443 -j ACCEPT\n",
        "\n### tuple ### allow any any 0.0.0.0/0 any 0.0.0.0/0 out\n-A ufw-user-output -j ACCEPT\n",
    ],
)
def test_rules_of_others_are_not_ours(foreign: str) -> None:
    text = HEAD + foreign + END
    assert ours(text) == set()
    assert edited(edited(text, {A, B}, "file"), (), "file") == text


def test_a_file_that_ufw_did_not_write_is_refused() -> None:
    with pytest.raises(SelfhostError, match="RULES") as raised:
        edited("", {A}, "/etc/ufw/user.rules")
    assert raised.value.field == "/etc/ufw/user.rules"
    assert edited("", (), "/etc/ufw/user.rules") == ""


def saved(*lines: Rule | str) -> str:
    return "*filter\n:ufw-user-output - [0:0]\n" + "".join(
        line if isinstance(line, str) else f"-A {line.matches}\n" for line in lines
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "present", "wanted", "orders"),
    [
        (saved(FOREIGN), (), (A, B), ["-I " + B.matches, "-I " + A.matches]),
        (saved(A, B, FOREIGN), (A, B), (A, B), []),
        (saved(A, B, FOREIGN), (A, B), (A,), ["-D " + B.matches]),
        (saved(A, B, FOREIGN), (A, B), (), ["-D " + A.matches, "-D " + B.matches]),
        (saved(A, FOREIGN), (A,), (A, B), ["-I " + B.matches]),
        # A rule prepended by somebody else: ours go above it.
        (saved(FOREIGN, A), (A,), (A,), ["-D " + A.matches, "-I " + A.matches]),
        # ufw disabled or its chains flushed: nothing to take away.
        (saved(), (A,), (), []),
        (saved(), (A,), (A,), ["-I " + A.matches]),
    ],
)
def test_the_kernel_gets_the_difference(
    kernel: str, present: tuple[Rule, ...], wanted: tuple[Rule, ...], orders: list[str]
) -> None:
    assert loading(kernel, present, wanted).splitlines() == (["*filter", *orders, "COMMIT"] if orders else [])


def test_kernel_rules_as_iptables_save_prints_them() -> None:
    assert A.matches == "ufw-user-output -d 203.0.113.10/32 -p tcp -m tcp --dport 443 -j ACCEPT"
    six = Rule("containers", Endpoint("2001:db8::10", "udp", 53))
    assert six.matches == "ufw6-user-forward -d 2001:db8::10/128 -p udp -m udp --dport 53 -j ACCEPT"
