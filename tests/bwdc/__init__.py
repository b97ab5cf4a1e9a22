"""A stand-in for the official Directory Connector: `bwdc` in its three generations, as a release's archive.

`Bwdc(directory)` makes one with a directory of people to read; `archive(version)` packs a release.
It imports nothing from the product and needs nothing but Python's own library.
"""

from .handle import G1, G2, G3, Archive, Bwdc, Call, people

__all__ = ["G1", "G2", "G3", "Archive", "Bwdc", "Call", "people"]
