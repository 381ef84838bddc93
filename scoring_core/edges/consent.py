"""The consent record as one replica holds it: what people said, the installation's default for everyone else."""

from collections.abc import Iterable, Mapping
from itertools import product

from storage.hot.table import PackedTable, key_of
from storage.records.consent import ConsentChange, ConsentFlags, Purpose
from storage.records.policies import Installation

_SLOT = {Purpose.TRACKING: 0, Purpose.PERSONALIZATION: 1, Purpose.PROFILING: 2}
"""The purposes that an engine acts on; each takes two bits: 0 nothing said, 1 granted, 2 denied."""
PER_BUCKET = 16
_UNSAID, _GRANTED, _DENIED = 0, 1, 2
_Table = tuple[ConsentFlags, ...]


class ConsentState:
    """Who said what, as of ``epoch``, and until when that may be relied upon. The event loop alone changes it.

    Only what was said is kept, two bits per purpose, under 16 bytes of key.
    """

    __slots__ = ("_elsewhere", "_flags", "_held_until", "_regions", "_said", "epoch")

    def __init__(self) -> None:
        self.epoch = 0
        self._held_until = -1
        self._said = PackedTable(per_bucket=PER_BUCKET)
        self._flags: _Table = ()
        self._elsewhere: _Table = ()
        self._regions: Mapping[str, _Table] = {}
        self.set_defaults(Installation())

    def __len__(self) -> int:
        return len(self._said)

    def flags(self, subject: str, region: str = "") -> ConsentFlags:
        """What holds for a subject now; the default of the region, or the installation's, where nothing was said."""
        flags = self._regions.get(region, self._elsewhere) if region else self._flags
        return flags[self._of(key_of(subject))]

    def lease_holds(self, monotonic_us: int) -> bool:
        """Tell whether the state was read from the database recently enough to personalize."""
        return monotonic_us < self._held_until

    @property
    def whole(self) -> bool:
        """Whether everything that was said was read once, however long ago."""
        return self._held_until >= 0

    def renew(self, until_us: int) -> None:
        """Hold the lease until then; it never shrinks."""
        self._held_until = max(self._held_until, until_us)

    def apply(self, changes: Iterable[ConsentChange]) -> None:
        """Take over changes in the order of their epochs."""
        for change in changes:
            if change.epoch <= self.epoch:
                continue
            self._say(change.subject, change.purpose, granted=change.state == "granted")
            self.epoch = change.epoch

    def reach(self, epoch: int) -> None:
        """Note that nothing up to ``epoch`` is left to read."""
        self.epoch = max(self.epoch, epoch)

    def deny(self, subject: str, purpose: Purpose) -> None:
        """Let an objection hold here at once, ahead of the epoch that will carry it."""
        self._say(subject, purpose, granted=False)

    def denied(self, subject: str, purpose: Purpose) -> bool:
        """Tell whether the subject said no, default aside."""
        return self._of(key_of(subject)) >> 2 * _SLOT[purpose] & 3 == _DENIED

    def unsay(self, subject: str) -> None:
        """Let a subject have said nothing."""
        self._said.pop(key_of(subject))

    def forget(self) -> None:
        """Start over: nobody said anything, and nothing may be relied upon until all is read again."""
        self.epoch = 0
        self._held_until = -1
        self._said = PackedTable(per_bucket=PER_BUCKET)

    def set_defaults(self, installation: Installation) -> None:
        """Take the defaults of every region; a purpose without one is denied."""
        self._flags = _table(installation.defaults_of())
        self._elsewhere = _table(installation.defaults_of("default"))
        self._regions = {region: _table(defaults) for region, defaults in installation.consent_default.items()}

    def _say(self, subject: str, purpose: Purpose, *, granted: bool) -> None:
        slot = _SLOT.get(purpose)
        if slot is None:
            return
        key = key_of(subject)
        said = self._of(key) & ~(3 << 2 * slot)
        self._said.put(key, bytes([said | (_GRANTED if granted else _DENIED) << 2 * slot]))

    def _of(self, key: bytes) -> int:
        said = self._said.get(key)
        return said[0] if said is not None else 0


def _table(defaults: Mapping[str, str]) -> _Table:
    """Return what holds for each combination of what may have been said."""
    default = {purpose: defaults.get(purpose.value) == "allow" for purpose in _SLOT}
    return tuple(
        ConsentFlags(
            tracking=_holds(tracking, default[Purpose.TRACKING]),
            personalization=_holds(personalization, default[Purpose.PERSONALIZATION]),
            profiling=_holds(profiling, default[Purpose.PROFILING]),
        )
        for profiling, personalization, tracking in product(range(4), repeat=3)
    )


def _holds(said: int, default: bool) -> bool:
    return default if said == _UNSAID else said == _GRANTED
