# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What goes wrong with a directory: each failure with its own cause and remedy.

The libraries for LDAP only say which result they got; everything that people read is said here.
"""

from __future__ import annotations

import typing as t

from ansible_collections.bw.selfhost.plugins.module_utils._directory.connection import DOWN, FILTER, LATE, Result
from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

# Results of LDAP (RFC 4511) that are told apart.
TIME_LIMIT, SIZE_LIMIT, ADMIN_LIMIT = 0x03, 0x04, 0x0B
STRONGER_AUTH, REFERRAL, CONFIDENTIALITY = 0x08, 0x0A, 0x0D
NO_SUCH_OBJECT, BAD_NAME = 0x20, 0x22
INAPPROPRIATE_AUTH, BAD_CREDENTIALS, NO_ACCESS = 0x30, 0x31, 0x32
TRUNCATED = {SIZE_LIMIT: "size limit", TIME_LIMIT: "time limit", ADMIN_LIMIT: "administrative limit"}


class Answers(t.NamedTuple):
    """Cause, option and remedy of a result, with places for C(base), C(who), C(host) and C(count)."""

    cause: str
    option: str
    remedy: str


_NOT_CHANGED = "Nothing was changed."
_ENCRYPT = Answers(
    "{host} takes no password over an unencrypted connection.", "directory.tls", "Set tls to ldaps or to starttls."
)
# While binding. The option that is named stands in the module's directory.
_BIND: dict[int, Answers] = {
    BAD_CREDENTIALS: Answers(
        "{host} does not accept the password of {who}.",
        "directory.bind_password",
        "Check both. An expired or locked account is refused in the same way.",
    ),
    STRONGER_AUTH: _ENCRYPT,
    CONFIDENTIALITY: _ENCRYPT,
    BAD_NAME: Answers(
        "{who} is not a distinguished name.", "directory.bind_dn", "Write it like cn=sync,ou=Services,dc=example,dc=com."
    ),
    INAPPROPRIATE_AUTH: Answers("{host} does not let {who} log in with a password.", "directory.bind_dn", "Use another account."),
}
_BIND_OTHER = Answers("{host} refuses the log-in of {who}.", "directory.bind_dn", "The directory's log says more.")

_CUT_OFF = Answers(
    "The answer to the search below {base} was cut off after at least {count} entries by the directory's {limit}.",
    "{option}.base",
    _NOT_CHANGED + " A part of a directory must not pass for the whole: let its administrators lift the limit for {who}.",
)
_SEARCH: dict[int, Answers] = {
    **dict.fromkeys(TRUNCATED, _CUT_OFF),
    NO_SUCH_OBJECT: Answers(
        "There is no {base} in the directory, or {who} may not see it.",
        "{option}.base",
        "Check how it is spelled, and {who}'s rights.",
    ),
    BAD_NAME: Answers("{base} is not a distinguished name.", "{option}.base", "Write it like ou=People,dc=example,dc=com."),
    NO_ACCESS: Answers("{who} may not search below {base}.", "{option}.base", "Let its administrators give that right."),
    STRONGER_AUTH: _ENCRYPT,
    CONFIDENTIALITY: _ENCRYPT,
    REFERRAL: Answers("{base} is kept by another server.", "directory.hosts", "Name the server that has it."),
    FILTER: Answers("The filter is not one of LDAP.", "{option}.filter", "Write it like (!(employeeType=guest))."),
    DOWN: Answers(
        "The connection to {host} was lost after {count} entries of {base}.", "directory.hosts", _NOT_CHANGED + " Run it again."
    ),
    LATE: Answers(
        "{host} was silent for {timeout} s, after {count} entries of {base}.",
        "directory.timeout",
        _NOT_CHANGED + " Run it again, or wait longer.",
    ),
}
_SEARCH_OTHER = Answers("{host} refuses the search below {base}.", "{option}.base", "The directory's log says more.")


def bind_failed(result: Result, **places: t.Any) -> SelfhostError:
    """Return what a refused log-in means."""
    return _error(_BIND.get(result.code, _BIND_OTHER), result, places)


def search_failed(result: Result, **places: t.Any) -> SelfhostError:
    """Return what a search without success means; what was found so far does not count."""
    return _error(_SEARCH.get(result.code, _SEARCH_OTHER), result, {"limit": TRUNCATED.get(result.code), **places})


def _error(answers: Answers, result: Result, places: t.Mapping[str, t.Any]) -> SelfhostError:
    cause = answers.cause.format(**places)
    return SelfhostError(
        f"{cause[:-1]}{result.said}.", field=answers.option.format(**places), remedy=answers.remedy.format(**places)
    )
