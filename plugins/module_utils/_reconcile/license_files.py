# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The license files of a self-hosted server, where the module runs on it."""

from __future__ import annotations

import os

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError
from ansible_collections.bw.selfhost.plugins.module_utils._model.license_file import MAX_BYTES, License, parse


def read(directory: str) -> dict[str, License | None]:
    """Return the organizations' license files by local id; None for one that is damaged.

    Source: bitwarden/server src/Core/Billing/Services/Implementations/LicensingService.cs (organization/<local id>.json).
    """
    folder = os.path.join(directory, "organization")
    try:
        os.listdir(directory)  # the folder in it only appears with the first license
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return {name[: -len(".json")].lower(): _parse(os.path.join(folder, name)) for name in names if name.endswith(".json")}
    except OSError as error:
        raise SelfhostError(
            f"The license directory cannot be read: {error.strerror}.",
            field="license_directory",
            remedy="It is read where the module runs, which is the server itself; leave it out elsewhere.",
        ) from None


def _parse(path: str) -> License | None:
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        return parse(content)
    except SelfhostError:
        return None
