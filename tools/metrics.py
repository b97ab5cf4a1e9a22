"""Measure the size, complexity, typing and test coverage of the collection's code, without its documentation.

It fails when a target is missed. How much the tests have covered is among the numbers once `make test` has measured it.

Usage: python -m tools.metrics
"""

from __future__ import annotations

import ast
import io
import json
import math
import re
import shutil
import statistics
import subprocess
import sys
import tokenize
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COVERED = 95  # percent of the lines of module_utils
DOCUMENTS = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Function:
    """One function; its lines are code lines: no docstring, comment or blank line."""

    path: Path
    name: str
    lines: int
    annotated: bool


@dataclass(frozen=True)
class Metric:
    """One number and, if it has one, its target: C(most) or C(least)."""

    name: str
    value: float
    unit: str = ""
    most: float = math.inf
    least: float = -math.inf

    @property
    def met(self) -> bool:
        """Whether the number is within its target."""
        return self.least <= self.value <= self.most

    def __str__(self) -> str:
        line = f"{self.name:<68}{self.value:>8.4g} {self.unit:<3}"
        verdict = "ok" if self.met else "MISSED"
        if math.isfinite(self.most):
            return f"{line} at most {self.most:<5g} {verdict}"
        return f"{line} at least {self.least:<5g} {verdict}" if math.isfinite(self.least) else line.rstrip()


def sources() -> list[Path]:
    """Return every Python file that operators run, but no generated data."""
    return sorted(path for path in (ROOT / "plugins").rglob("*.py") if not path.name.endswith("_data.py"))


def _is_document(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id in DOCUMENTS for target in node.targets)
    return False


def code_lines(path: Path) -> set[int]:
    """Return the numbers of the lines that hold code."""
    text = path.read_text(encoding="utf-8")
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Expr, ast.Assign)) and _is_document(node):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def functions(path: Path) -> list[Function]:
    """Return every function of a file."""
    lines = code_lines(path)
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = len(lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
            found.append(Function(path, node.name, length, node.returns is not None))
    return found


def percentile(values: t.Sequence[int], percent: int) -> int:
    """Return the smallest value that is not below so many percent of all."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def complexities() -> list[int]:
    """Return the cyclomatic complexity of every function, as ruff counts it (rule C901)."""
    command = [shutil.which("ruff") or str(ROOT / ".venv/bin/ruff"), "check", "plugins", "--isolated", "--select", "C901"]
    command += ["--config", "lint.mccabe.max-complexity=0", "--output-format", "json", "--exit-zero", "--no-cache"]
    report = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout)
    return [int(match[1]) for finding in report if (match := re.search(r"\((\d+) > 0\)", finding["message"]))]


def sizes() -> list[Metric]:
    """Return the numbers of the architecture that the code itself shows."""
    modules = [len(code_lines(path)) for path in sources() if path.parent.name == "modules"]
    found = [function for path in sources() for function in functions(path)]
    lengths, complexity = [function.lines for function in found], complexities()
    annotated = statistics.mean(function.annotated for function in found)
    largest = max(sources(), key=lambda path: len(code_lines(path)))
    return [
        Metric("code lines per module, median", statistics.median(modules), most=25),
        Metric(f"code lines of the largest file ({largest.name})", len(code_lines(largest)), most=300),
        Metric("function length, 95th percentile", percentile(lengths, 95), most=30),
        Metric("complexity, 95th percentile", percentile(complexity, 95), most=6),
        Metric("complexity, maximum", max(complexity), most=10),
        Metric("functions with a return annotation", 100 * annotated, "%", least=100),
    ]


def coverage() -> list[Metric]:
    """Return how much of the module utils the tests have run, when that was measured since the last `make clean`."""
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    if done.returncode:
        return []
    report = json.loads(done.stdout)
    files = [Metric(f"  {path}", _covered(file["summary"], "statements"), "%") for path, file in report["files"].items()]
    poor = sorted((file for file in files if file.value < COVERED), key=lambda file: file.value)
    totals = report["totals"]
    return [
        Metric("lines of module_utils that tests run", _covered(totals, "statements"), "%", least=COVERED),
        Metric("branches of module_utils that tests take", _covered(totals, "branches"), "%"),
        *poor,
    ]


def _covered(summary: dict[str, float], what: str) -> float:
    return summary[f"percent_{what}_covered"]


def main() -> None:
    metrics = [*sizes(), *coverage()]
    print(*metrics, sep="\n")
    if not all(metric.met for metric in metrics):
        raise SystemExit("A target is missed.")


if __name__ == "__main__":
    main()
