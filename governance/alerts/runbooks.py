"""What to do when an alert fires: what it means, where to look first, how it is mended."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """One runbook, in the words that pages, messages and the guide all show."""

    means: str
    look: str
    mend: str


RUNBOOKS: Mapping[str, Runbook] = {
    "slo": Runbook(
        means="An objective's error budget is spent faster than the period bears, over a long window and still now.",
        look="Open the alert: what differs most, and which change of policy lies just before it. The objective's card "
        "shows how much is left and until when it lasts.",
        mend="If a change coincides, take it back on Policies: one step and a reason. If one engine stands out, stop "
        "it. If everything is slow, see the stages on Live.",
    ),
    "errors": Runbook(
        means="More than 0.1 % of requests ended with an error of ours within a quarter of an hour.",
        look="On Live: which route and engine. `run/engine-0.log` names each error.",
        mend="Take back the last change of policy if it coincides. The kill switch serves the default experience, "
        "which asks neither models nor features.",
    ),
    "latency": Runbook(
        means="Fewer than 99 % of decisions came within 50 ms in a quarter of an hour.",
        look="On Live: the stage that takes the time, and whether one engine stands out.",
        mend="Take back a heavier policy or model; add an engine; see whether something else uses the machine.",
    ),
    "silence": Runbook(
        means="Decisions or events come in far more rarely than in the hour before; chance alone would not do that "
        "once in a million looks.",
        look="Do the applications reach the engines? Have their tokens run out? Does the collector run (System)?",
        mend="Restore the way from the application to `/v1/personalize` and `/v1/events`. What applications kept is "
        "sent again under the same event ids and counted once. If the traffic was meant to stop, close the alert.",
    ),
    "replicas": Runbook(
        means="An engine is not heard of, or decides with policies that are not the newest.",
        look="`fairlead doctor` asks each engine; System shows what it reported last.",
        mend="Start it again. Others go on without it; without the database all go on with what they have.",
    ),
    "deadman": Runbook(
        means="What should watch has stopped: no metric window was collected, or the rounds of checks and alerts do "
        "not run. No other alert can fire until this one is over.",
        look="`fairlead doctor`; does `fairlead control` run; what does `run/control.log` say; which task on System is "
        "late?",
        mend="Start control again. Engines keep 60 minutes of windows and all of their journal; what was missed is "
        "fetched.",
    ),
    "collector": Runbook(
        means="What engines counted is not fetched in time, or there are gaps in it.",
        look="System: the targets and the last error of each.",
        mend="Make the engine reachable from control, and let their clocks agree. Engines keep an hour.",
    ),
    "intake": Runbook(
        means="Events that were accepted are not durable, decision records were lost, or many events are refused.",
        look="System: dead letters with field and reason; the disk of the engine's log.",
        mend="Free disk space. Mend the sender whose events are refused; refused ones can be sent again.",
    ),
    "schedule": Runbook(
        means="Work by the clock has missed three runs or more, or ended with an error.",
        look="System: which task, and since when; `run/control.log`.",
        mend="A task that hangs ends with control's restart; what it missed is done in the next run.",
    ),
    "jobs": Runbook(
        means="Heavy work (training, audits, retention) ended badly or does not end.",
        look="System: the job's last words.",
        mend="Give it more time or memory by settings, or ask for it again: `fairlead job request NAME`.",
    ),
    "disk": Runbook(
        means="The disk of the home folder is nearly full.",
        look="`fairlead doctor`; System shows what the lake takes.",
        mend="Free space or lower `FAIRLEAD_RETENTION_MAX_BYTES`: the oldest rows go, their counts stay.",
    ),
    "consent": Runbook(
        means="A decision was personalized against a no, or an engine decides without the newest consent.",
        look="Consent and subjects: which detector, which engine; the decision in the Decision explorer.",
        mend="Throw the kill switch first: everyone gets the default experience within a second. Then find the cause. "
        "A violation may have to be reported; the evidence bundle of the ledger holds what is needed.",
    ),
    "ledger": Runbook(
        means="The record of control actions is not whole, or was not anchored outside the database for too long.",
        look="Audit log: where the chain breaks, and the last anchor.",
        mend="Touch nothing: keep the database and the anchors as they are, and find out who had access.",
    ),
    "requests": Runbook(
        means="Somebody who asked about their own data is not answered yet, and the deadline of the law is near.",
        look="Consent and subjects: the request, its deadline, what it waits for.",
        mend="Approve or refuse it with a reason; extend it once if it is complex.",
    ),
    "ctr": Runbook(
        means="A running campaign's click rate fell against its own four weeks before, beyond chance, over all "
        "campaigns compared.",
        look="The campaign's heatmap: which hour, position or item; whether a policy changed at that time.",
        mend="Take the change back, or pause the campaign. A season that ended is no fault.",
    ),
    "campaigns": Runbook(
        means="A running campaign is shown to nobody, or is shown a great deal and never clicked.",
        look="Its heatmap and Overview: is it limited by a cap, by consent, by a rule, or by its own filters?",
        mend="Widen its filters or lift what holds it back. No click at all after thousands of impressions mostly "
        "means that clicks are not sent: ask who builds the application.",
    ),
    "fallbacks": Runbook(
        means="Policies fall back far more often than the day before: confidence is low or models are missing.",
        look="Live: reasons of fallbacks by campaign. Models: what is in service, and since when.",
        mend="Put the model before back in service, or take back the policy.",
    ),
    "caps": Runbook(
        means="Somebody was shown more than a cap allows, or caps could not be counted.",
        look="Caps and exposure: which cap. Is the shared store (Redis) away?",
        mend="Bring the shared store back. Until then each engine counts for itself.",
    ),
    "confidence": Runbook(
        means="A model in service is not as often right as its confidence says.",
        look="Models: its reliability over ten bins.",
        mend="Let it be calibrated anew (retraining) or put the version before back in service.",
    ),
    "drift": Runbook(
        means="The newest window differs from the surface's reference, beyond chance and by enough to matter.",
        look="Drift: which feature; late, missing or doubled data are the first suspects.",
        mend="Mend the source. If the change is real and fine, accept it with an end, or set a new reference.",
    ),
    "fairness": Runbook(
        means="A planned fairness audit is overdue, or shows a disparity between groups.",
        look="Fairness: which groups, which measure, how wide the interval.",
        mend="Take back the policy, or add a fair re-rank; a second person decides on how fairness is judged.",
    ),
    "audits": Runbook(
        means="The last fairness or drift audit showed harm.",
        look="The audit's page: what it says, of which rows, of which policy version.",
        mend="As for fairness and drift; then audit again.",
    ),
    "unknown": Runbook(
        means="An alert of a check that has no runbook of its own.",
        look="Checks: its question and its last word.",
        mend="Write a runbook once the cause is known.",
    ),
}
"""By the name of the alert."""


def guide() -> str:
    """Return the runbooks as the guide's page, one heading and so one anchor per alert."""
    parts = [
        f"## {name}\n\n{one.means}\n\n- **Look first:** {one.look}\n- **Mend:** {one.mend}\n"
        for name, one in RUNBOOKS.items()
    ]
    head = (
        "# Runbooks\n\nWhat each alert means, where to look first and how it is mended. The same words stand behind\n"
        "the link of every message, on the page SLO and alerts. This page is made from\n"
        "`governance/alerts/runbooks.py`; a test compares them.\n"
    )
    return head + "\n" + "\n".join(parts)
