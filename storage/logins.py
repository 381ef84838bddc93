"""Login links and sessions that ended long ago, and how they go."""

from sqlmodel import col, delete, or_

from storage.database import Write
from storage.tables.control import TokenRow


def forget_ended(write: Write, *, before: int) -> int:
    """Delete the tokens of logins that expired or were revoked before an instant; return how many. Minted tokens stay
    listed for good."""
    login = or_(*(col(TokenRow.name).startswith(prefix, autoescape=True) for prefix in ("session:", "once:")))
    ended = or_(col(TokenRow.expires_at) < before, col(TokenRow.revoked_at) < before)
    return int(write.execute(delete(TokenRow).where(login, ended)).rowcount)
