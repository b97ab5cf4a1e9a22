"""Test coverage of what runs on hosts, where their own Python runs it: measured when, and as, the tests are."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "plugins/module_utils"
TRACER = Path(__file__).with_name("tracer.py")
MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ


def traced(payload: str) -> str:
    """Return a program that does the same and leaves a note of its lines, when this process is measured itself."""
    if not MEASURED:
        return payload
    return f"{TRACER.read_text()}\nexec(compile({payload!r}, '<stdin>', 'exec', dont_inherit=True))\n"


def collect(files: Path) -> None:
    """Add the notes among a host's files to the measurement."""
    for note in files.glob("var/tmp/traced.*.json"):
        from coverage import CoverageData

        data = CoverageData(str(ROOT / ".cache/coverage"), suffix=f"host.{uuid.uuid4()}")
        arcs = {str(SOURCES / path): [tuple(arc) for arc in arcs] for path, arcs in json.loads(note.read_text()).items()}
        data.add_arcs({path: pairs for path, pairs in arcs.items() if Path(path).exists()})  # Ansible packs files of its own, too
        data.write()
        note.unlink()
