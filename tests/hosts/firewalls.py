"""What administrators and Docker put into a host's firewalls."""

from __future__ import annotations

# The filter rules of Docker 26.1 for one network, the same for both families. Docker 20.10 has no DOCKER-USER for IPv6.
DOCKER = """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o {bridge} -j DOCKER
-A FORWARD -i {bridge} ! -o {bridge} -j ACCEPT
-A FORWARD -i {bridge} -o {bridge} -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i {bridge} ! -o {bridge} -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o {bridge} -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
"""

# Where Docker puts its bridges when firewalld runs.
DOCKER_ZONE = """<?xml version="1.0" encoding="utf-8"?>
<zone version="1.0" target="ACCEPT">
  <short>docker</short>
  <description>zone for docker bridge network interfaces</description>
</zone>
"""

# How an administrator puts containers under ufw: its route rules decide first, and the rest stays inside.
UFW_DOCKER = """
# BEGIN UFW AND DOCKER
*filter
:{prefix}-user-forward - [0:0]
:DOCKER-USER - [0:0]
-A DOCKER-USER -j {prefix}-user-forward
-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
-A DOCKER-USER -s {subnets} ! -d {subnets} -j DROP
-A DOCKER-USER -j RETURN
COMMIT
# END UFW AND DOCKER
"""
UFW_FAMILIES = {"after.rules": ("ufw", "172.16.0.0/12"), "after6.rules": ("ufw6", "fd00::/8")}
UFW_ENABLE = """
sed -i 's/^DEFAULT_OUTPUT_POLICY=.*/DEFAULT_OUTPUT_POLICY="{policy}"/' /etc/default/ufw
ufw allow 22/tcp
ufw --force enable
"""
