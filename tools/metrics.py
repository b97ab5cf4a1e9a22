"""Measure the size, complexity and typing of the collection's code, without its documentation.

Usage: python -m tools.metrics
"""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import statistics
import subprocess
import tokenize
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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


def table() -> list[tuple[str, str, str]]:
    """Return name, value and target of every number the architecture names."""
    modules = [len(code_lines(path)) for path in sources() if path.parent.name == "modules"]
    found = [function for path in sources() for function in functions(path)]
    lengths, complexity = [function.lines for function in found], complexities()
    annotated = 100 * sum(function.annotated for function in found) / len(found)
    largest = max(sources(), key=lambda path: len(code_lines(path)))
    return [
        ("code lines per module, median", f"{statistics.median(modules):g}" if modules else "-", "25"),
        ("code lines of the largest file", f"{len(code_lines(largest))} ({largest.name})", "300"),
        ("function length, 95th percentile", str(percentile(lengths, 95)), "30"),
        ("complexity, 95th percentile", str(percentile(complexity, 95)), "6"),
        ("complexity, maximum", str(max(complexity)), "10"),
        ("functions with a return annotation", f"{annotated:.1f} %", "100 %"),
    ]


def main() -> None:
    for name, value, target in table():
        print(f"{name:<38}{value:<24}target {target}")


if __name__ == "__main__":
    main()
