"""What commands about drift carry."""

from governance.api.bodies import Name, Text
from governance.drifting import NewReference
from storage.records.document import document


@document
class NewDriftReference:
    """What is normal on a surface."""

    surface: Name
    reference: NewReference
    reason: Text


@document
class AcceptDrift:
    """Drift of a feature to accept until a moment, microseconds UTC."""

    surface: Name
    feature: Name
    until: int
    reason: Text


@document
class WithdrawDrift:
    """Drift of a feature to accept no longer."""

    surface: Name
    feature: Name
    reason: Text
