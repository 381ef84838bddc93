"""The error tree; foreign errors are translated into it once, at the border.

::

    FairleadError
    ├── Invalid            a document or argument is wrong      (HTTP 422, exit 2)   names the field and the remedy
    ├── NotFound           no such object                       (HTTP 404, exit 3)
    ├── Forbidden          the caller may not                   (HTTP 403, exit 4)
    │   └── Unauthenticated  nobody knows who calls             (HTTP 401, exit 4)
    ├── Conflict           the object already is, or may not    (HTTP 409, exit 5)
    │   └── Stale          the object changed since it was read (HTTP 412, exit 5)
    ├── NeedsApproval      a second person must agree           (HTTP 409, exit 7)
    └── Unavailable        a store or a peer does not answer    (HTTP 503, exit 6)
        ├── Full           no room left on the disk             (HTTP 503, exit 6)
        └── TooSlow        a reading was ended at its deadline  (HTTP 503, exit 6)

A refusal is a value with a reason; these are for what a caller must mend.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, where it is, and what to do; never the offending value itself."""

    field: str
    message: str


class FairleadError(Exception):
    """Root of the tree. ``code`` is stable and documented; ``str(error)`` is fit for a user."""

    code = "FL-1000"
    status = 500
    exit_code = 1


class Invalid(FairleadError):
    """A document or an argument is wrong; ``problems`` names each field and the remedy."""

    code = "FL-1422"
    status = 422
    exit_code = 2

    def __init__(self, message: str, *, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class NotFound(FairleadError):
    """No such object."""

    code = "FL-1404"
    status = 404
    exit_code = 3


class Forbidden(FairleadError):
    """The caller may not do this."""

    code = "FL-1403"
    status = 403
    exit_code = 4


class Unauthenticated(Forbidden):
    """No token, or one that is unknown, expired or revoked."""

    code = "FL-1401"
    status = 401


class Conflict(FairleadError):
    """The object changed since it was read, or already is what was asked for."""

    code = "FL-1409"
    status = 409
    exit_code = 5


class Stale(Conflict):
    """The object changed since it was read; read it again and decide anew."""

    code = "FL-1412"
    status = 412


class NeedsApproval(FairleadError):
    """A second person must agree first."""

    code = "FL-1407"
    status = 409
    exit_code = 7


class Unavailable(FairleadError):
    """A store or a peer does not answer; try again later."""

    code = "FL-1503"
    status = 503
    exit_code = 6


class Full(Unavailable):
    """No room left on the disk."""

    code = "FL-1507"


class TooSlow(Unavailable):
    """A reading took longer than it may and was ended; asked for less, it may be quick enough."""

    code = "FL-1504"
