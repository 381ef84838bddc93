"""Is everyone who said no left alone: violations in a day, and replicas behind the consent epoch."""

from governance.checks.check import Check, Finding, Ground, unknown
from governance.checks.counts import summed
from storage import consent, consent_probes, receipts
from storage.records.clock import DAY, SECOND

VIOLATIONS, CHECKED = "fairlead_consent_violations_total", "fairlead_consent_checks_total"
HEARD, BEHIND = 10 * SECOND, 10 * SECOND


def look(ground: Ground) -> Finding:
    """Sum the violations; one is harm."""
    since = ground.now - DAY
    seen = sum(consent_probes.totals(ground.read, since=since).values())  # by the probe and in the records
    violations = (summed(ground, VIOLATIONS, since=since) or 0) + seen
    checked = summed(ground, CHECKED, since=since)
    if violations:
        sentence = f"{violations} decisions in a day were personalized against a no. Throw the kill switch, then look."
        return Finding(verdict="fail", sentence=sentence, figures={"violations": violations, "checked": checked})
    if not checked:
        return unknown("No decision asked for consent in a day.")
    epoch = consent.epoch(ground.read)
    late = [
        each.replica
        for each in receipts.registered(ground.read, ground.now, HEARD)
        if any(ground.now - change.at > BEHIND for change in consent.after(ground.read, each.consent_epoch, 1))
    ]
    figures = {"violations": violations, "checked": checked, "epoch": epoch, "behind": late}
    if late:
        sentence = f"{', '.join(late)} decide without the newest consent for over 10 s; they serve the default then."
        return Finding(verdict="warn", sentence=sentence, figures=figures)
    return Finding(verdict="pass", sentence=f"{checked:,} checks in a day, no violation.", figures=figures)


CHECK = Check(name="consent", title="Consent", question="Is everyone who said no left alone?", look=look, every_s=30.0)
