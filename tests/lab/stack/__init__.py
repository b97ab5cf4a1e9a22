"""A stand-in for a self-hosted stack: bitwarden.sh, docker and a bwdata as Setup writes it.

`Stack.install(directory)` makes one, `Stack(directory)` attaches to it. SWITCHES names the failures it can play.
"""

from .installation import SWITCHES, Call, Container, Stack

__all__ = ["SWITCHES", "Call", "Container", "Stack"]
