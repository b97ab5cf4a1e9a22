# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one exception people see: what is wrong, where, and what to do next."""

from __future__ import annotations


class SelfhostError(Exception):
    """A refusal or failure that a person can act on.

    Args:
        cause: one sentence, without secrets, that says what is wrong.
        field: the option, setting, file or endpoint it is about, if there is one.
        remedy: one sentence that says what to do next, if we know it.
    """

    def __init__(self, cause: str, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.field = field
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        then = f" {self.remedy}" if self.remedy else ""
        return f"{where}{self.cause}{then}"

    def as_dict(self) -> dict[str, str | None]:
        """Return the parts as data, the shape of the modules' C(error) return value."""
        return {"cause": self.cause, "field": self.field, "remedy": self.remedy}


class Problems(SelfhostError):
    """Several refusals found in one look, reported together."""

    def __init__(self, problems: list[SelfhostError]) -> None:
        fields = dict.fromkeys(problem.field for problem in problems if problem.field)
        super().__init__(
            "\n".join(f"- {problem}" for problem in problems),
            field=", ".join(fields) or None,
            remedy="Each problem names its own remedy.",
        )
        self.problems = problems

    def __str__(self) -> str:
        count = len(self.problems)
        return str(self.problems[0]) if count == 1 else f"{count} problems, nothing was changed:\n{self.cause}"


def refuse_all(problems: list[SelfhostError]) -> None:
    """Raise every problem at once; do nothing when there is none."""
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(problems)
