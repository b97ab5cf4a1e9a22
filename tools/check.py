"""Run the layers of the test and stop at the first that fails.

Usage: python3 tools/check.py [LAYER ...]     (without a name: all of them)

The static layers run two at a time and show their output only when they fail. The test suites follow one by one, in full view.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = ".venv-oldest"
NEWEST = ".venv-newest" if (ROOT / ".venv-newest").exists() else ".venv"
PYTEST = "pytest -q -n 2"
# Whole hosts are shared by the tests of a file.
TESTS = ("coverage erase", f"coverage run -m {PYTEST} --dist loadfile", "coverage combine -q", "python -m tools.metrics")
# Whole hosts, and runs that are broken off, behave the same whatever ansible-core built the module: once is enough.
SUITES_ELSEWHERE = f"python -m {PYTEST} -m 'not network_namespace and not slow' tests/unit tests/integration"


@dataclass(frozen=True)
class Layer:
    """One kind of check: commands of the programs in one virtual environment."""

    name: str
    commands: tuple[str, ...]
    environment: str = ".venv"


STATIC = (
    Layer("molecule-egress", ("molecule test -s egress",)),  # first, because it takes longest
    Layer("ruff", ("ruff check .", "ruff format --check .")),
    Layer("yamllint", ("yamllint --strict .",)),
    Layer("changelog", ("antsibull-changelog lint",)),
    Layer("mypy", ("mypy",)),
    Layer("docs", ("antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .",)),
    Layer("ansible-lint", ("ansible-lint -q --nocolor",)),
    Layer("sanity-oldest", (f"tools/sanity.sh {OLDEST}",), OLDEST),
    Layer("sanity-newest", (f"tools/sanity.sh {NEWEST}",), NEWEST),
    Layer("molecule", ("molecule test",)),
)
SUITES = (
    Layer("tests", TESTS),
    Layer("suites-oldest", (SUITES_ELSEWHERE,), OLDEST),
    Layer("suites-newest", (SUITES_ELSEWHERE,), NEWEST),
)


def say(text: str) -> None:
    print(text, flush=True)


def run(layer: Layer, output: t.IO[bytes] | None) -> int:
    """Run the layer's commands up to the first that fails; the exit code of the last one that ran."""
    programs = ROOT / layer.environment / "bin"
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}
    for command in layer.commands:
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=environment, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        if done.returncode:
            return done.returncode
    return 0


def check(layer: Layer, quiet: bool) -> None:
    """Run one layer and tell how it went; a failure ends the run."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as output:
        code = run(layer, output if quiet else None)
        seconds = time.monotonic() - begin
        if code and quiet:
            output.seek(0)
            say(output.read().decode(errors="replace"))
    if code:
        raise SystemExit(f"==> {layer.name}: FAILED after {seconds:.0f} s; again alone: python3 tools/check.py {layer.name}")
    say(f"==> {layer.name}: passed in {seconds:.0f} s")


def check_in_pairs(layers: list[Layer]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for future in as_completed([pool.submit(check, layer, True) for layer in layers]):
            if future.exception():
                pool.shutdown(wait=False, cancel_futures=True)
            future.result()


def chosen(layers: tuple[Layer, ...], names: list[str]) -> list[Layer]:
    """The layers to run; those whose virtual environment could not be made are left out, visibly."""
    layers = tuple(layer for layer in layers if not names or layer.name in names)
    if NEWEST == ".venv":
        layers = tuple(layer for layer in layers if layer.name != "suites-newest")  # the layer "tests" has run them on it
    for layer in layers:
        if not (ROOT / layer.environment).exists():
            say(f"==> {layer.name}: SKIPPED, there is no {layer.environment} (see the messages of tools/prepare.py)")
    return [layer for layer in layers if (ROOT / layer.environment).exists()]


def main(names: list[str]) -> None:
    unknown = set(names) - {layer.name for layer in STATIC + SUITES}
    if unknown:
        raise SystemExit(f"No such layer: {', '.join(sorted(unknown))}")
    begin = time.monotonic()
    static, suites = chosen(STATIC, names), chosen(SUITES, names)
    check_in_pairs(static)
    for layer in suites:
        say(f"==> {layer.name}")
        check(layer, quiet=False)
    say(f"==> all layers in {time.monotonic() - begin:.0f} s")
    say(f"layers: {len(static) + len(suites)} passed, 0 failed")


if __name__ == "__main__":
    main(sys.argv[1:])
