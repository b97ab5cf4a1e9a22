# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The generations of the official Directory Connector, told apart by its version and by the layout of its data file.

Source: bitwarden/directory-connector libs/models/state.model.ts, libs/services/state-service (G1: src/models/account.ts).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

_VERSION = re.compile(r"v?(\d{4})\.(\d{1,2})\.(\d{1,3})")
_OLDEST, _NEWEST = 3, 8  # state versions that are understood


@dataclass(frozen=True)
class Generation:
    """Releases that share one layout of the data file.

    Attributes:
        number: as people count them.
        state_version: what a new data file of this generation says.
        nested: whether everything of an organization is below the organization's id.
        staged: whether it can leave new members without an invitation.
    """

    number: int
    state_version: int
    nested: bool = False
    staged: bool = False


G1 = Generation(1, 3, nested=True)
G2 = Generation(2, 6)
G3 = Generation(3, 8, staged=True)
# The first release of a generation that is not the oldest; G3 begins after 2026.6.1.
_FIRST = ((G3, (2026, 6, 2)), (G2, (2026, 6, 0)))


def generation_of(version: str) -> Generation:
    """Return the generation of a release such as C(2026.6.1).

    Raises:
        SelfhostError: this is no version of the connector.
    """
    found = _VERSION.fullmatch(version)
    if not found:
        raise SelfhostError(
            f"{version!r} is not a version of the Directory Connector.", field="version", remedy="Write it like 2026.6.1."
        )
    numbers = tuple(map(int, found.groups()))
    return next((generation for generation, first in _FIRST if numbers >= first), G1)


def layout_of(document: t.Mapping[str, t.Any]) -> Generation | None:
    """Return the generation whose layout a data file has; C(None) for one that the program takes for new.

    Raises:
        SelfhostError: no release that is known here reads such a file.
    """
    if "stateVersion" in document:  # first, because what was migrated keeps its old keys
        version = document["stateVersion"]
    elif "global" in document:
        version = t.cast("dict[str, t.Any]", document["global"] or {}).get("stateVersion")
    else:
        return None
    if not isinstance(version, int) or not _OLDEST <= version <= _NEWEST:
        raise SelfhostError(
            f"It has state version {version!r}; {_OLDEST} to {_NEWEST} are understood.",
            field="data.json",
            remedy="Give another data_dir, or remove this one with state=absent, and let the connector begin anew.",
        )
    if version < G2.state_version - 1:  # 5 is flat already
        return G1
    return G3 if version == G3.state_version else G2


def check_layout(layout: Generation | None, generation: Generation) -> None:
    """Refuse a data file that only a newer program reads."""
    if layout is not None and layout.number > generation.number:
        raise SelfhostError(
            f"It was written by a newer Directory Connector (state version {layout.state_version}); this one cannot read it.",
            field="data.json",
            remedy="Install the newer version, or remove the data directory with state=absent first.",
        )
