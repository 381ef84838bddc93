"""Where alerts are sent: names that everybody may know, and addresses that nobody may."""

from dataclasses import dataclass, field

from governance.alerts.kinds import SEEN_WITH
from storage.errors import Invalid, Problem
from storage.records.alerts import Audience

SETTING = "alert_destinations"
FORM = "write NAME=ADDRESS or NAME/AUDIENCE=ADDRESS, separated by spaces or lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One destination. ``address`` is one of Apprise's and a secret; no ``audience``: everything is sent there."""

    name: str
    address: str = field(repr=False)
    audience: Audience | None = None

    def wants(self, audience: str) -> bool:
        """Tell whether alerts of an audience go there."""
        return self.audience is None or self.audience == audience


def _refuse(message: str) -> Invalid:
    return Invalid(f"{SETTING}: {message}", problems=(Problem(field=SETTING, message=message),))


def parse(text: str) -> tuple[Destination, ...]:
    """Read the setting.

    >>> [(one.name, one.audience) for one in parse("ops=json://h/a shop/campaigns=mailtos://u:p@h")]
    [('ops', None), ('shop', 'campaigns')]

    Raises
    ------
    Invalid
        Naming the place of what cannot be read; never what stands there.
    """
    found: list[Destination] = []
    for place, part in enumerate(text.split(), start=1):
        label, equals, address = part.partition("=")
        name, _, audience = label.partition("/")
        if not equals or "://" not in address or not name.replace("-", "").replace("_", "").isalnum():
            raise _refuse(f"destination {place} cannot be read; {FORM}")
        whose = next((one for one in SEEN_WITH if one == audience), None)
        if audience and whose is None:
            raise _refuse(f"destination {place} names an unknown audience; {', '.join(SEEN_WITH)} are known")
        if name in {one.name for one in found}:
            raise _refuse(f"destination {place} has a name that is taken")
        found.append(Destination(name=name, address=address, audience=whose))
    return tuple(found)
