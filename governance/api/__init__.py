"""The control API: every command, and everything that is read per subject, per decision or of the ledger.

Mounted under ``/control/v1`` and, alike, under ``/api/v1``. ``Authorization: Bearer fl_…`` on every route but those
marked *public*. Every mutating body carries ``reason`` (≥ 10 characters); ``confirm`` is the object's key and is asked
for at D2 and D3; ``If-Match`` carries the ``ETag`` of what was read. Lists are objects with one named list. Reading by
``decision:read``, ``consent:read``, ``audit:read`` or ``fairness:read`` is entered in the ledger before the answer, the
same look of the same person once in five minutes.

===============================================  ==================  =========================================
route                                            scope               body → answer
===============================================  ==================  =========================================
GET  /me                                         read                → Me
POST /auth/once                                  read                → Once (10 min, single use)
POST /auth/exchange                              *public*            Exchange → Session
POST /auth/logout                                read                → {"revoked": true}
POST /own/links                                  own:issue           SubjectQuery → {"token", "path", "expires_at"}
GET  /own                                        own                 → {"consents": [ConsentChange]}, the caller's own
POST /own/opt-out, /own/opt-in                   own                 {"purpose", "text_version"?} → Recorded
GET  /campaigns                                  read                → {"campaigns": [CampaignView]}
POST /campaigns                                  campaign:write      NewCampaign → Outcome
GET  /campaigns/{key}                            read                → CampaignView, ETag
PUT  /campaigns/{key}                            campaign:write      EditCampaign, If-Match → Outcome
POST /campaigns/{key}/start|pause|resume|end     campaign:write      Why → Outcome
GET  /policies                                   read                → {"policies": [PolicyView]}
POST /policies                                   policy:propose      NewPolicy → Outcome
GET  /policies/{key}                             read                → PolicyView, ETag
GET  /policies/{key}/versions/{version}          read                → VersionView
POST /policies/{key}/versions                    policy:propose      NewVersion → Outcome (after.version = n)
GET  /policies/{key}/versions/{version}/card     read                → CardView, ETag
PUT  /policies/{key}/versions/{version}/card     policy:propose      {"card": Card, "reason"} → Outcome
GET  /models/{key}/versions/{version}/card       read                → CardView, ETag
PUT  /models/{key}/versions/{version}/card       policy:propose      {"card": Card, "reason"} → Outcome
POST /policies/{key}/validate                    policy:propose      Draft → {"problems": [{field, message}]}
GET  /policies/{key}/diff?from=1&to=2            read                → Diff
POST /policies/{key}/rollout                     policy:apply        RolloutStep, If-Match? → Outcome
POST /policies/{key}/rollback                    policy:apply        Why → Outcome
GET  /rollouts?policy=&state=&limit=             read                → {"rollouts": [RolloutView]}
POST /rollouts                                   policy:apply        NewRollout → Outcome (after.rollout_id)
POST /rollouts/preview                           policy:propose      RolloutDraft → Announcement (writes nothing)
GET  /rollouts/{id}                              read                → RolloutView, ETag
GET  /rollouts/{id}/looks?before=&limit=         read                → {"looks": [Look]}
GET  /rollouts/{id}/looks/{seq}/replay           read                → {"verdict": "exact"|"mismatch", "kept", "anew"}
POST /rollouts/{id}/pause|resume|roll-back       policy:apply        Why → RolloutView
POST /rollouts/{id}/let-go                       policy:approve      Why → RolloutView (never its author)
GET  /rules?surface=&campaign=&action=&enabled=  read                → {"rules": [RuleView]}
POST /rules                                      campaign:write      NewRule → Outcome
POST /rules/validate                             campaign:write      {"rule"} → Review (writes nothing)
GET  /rules/conflicts                            read                → {"conflicts": [Conflict]}
GET  /rules/performance, /rules/advice           read                → {"at", "start", "end", "effects" | "advice"}
GET  /rules/{key}                                read                → RuleView, ETag
GET  /rules/{key}/performance                    read                → {"at", "end", "effect", "advice"}
PUT  /rules/{key}                                campaign:write      NewRule, If-Match → Outcome
DELETE /rules/{key}                              campaign:write      Why, If-Match → Outcome
POST /rules/{key}/enable|disable|rollback        campaign:write      Why → Outcome
GET  /caps                                       read                → {"caps": [CapView], "elsewhere": [CapView]}
POST /caps                                       campaign:write      NewCap → Outcome
POST /caps/validate                              campaign:write      {"cap"} → problems, behind, sentence, level
GET  /caps/effect?hours=                         read                → {"start", "end", "effects": [CapEffect]}
GET  /caps/{key}                                 read                → CapView, ETag
GET  /caps/exposures?name=                       read                → Spread (times shown, curve of stricter limits)
PUT  /caps/{key}                                 campaign:write      NewCap, If-Match → Outcome
DELETE /caps/{key}                               campaign:write      Why, If-Match → Outcome
POST /caps/{key}/rollback                        campaign:write      Why → Outcome
GET  /toggles?enabled=                           read                → {"toggles": [ToggleView]}
POST /toggles                                    campaign:write      NewToggle → Outcome
POST /toggles/validate                           campaign:write      {"toggle"} → problems, level, reach
GET  /toggles/{key}                              read                → ToggleView, ETag
PUT  /toggles/{key}                              campaign:write      NewToggle, If-Match → Outcome
DELETE /toggles/{key}                            campaign:write      Why, If-Match → Outcome
POST /toggles/{key}/enable|disable|rollback      campaign:write      Why → Outcome
POST /toggles/{key}/try                          read                ToggleTry → {"evaluations": [Evaluation]}
GET  /kill                                       read                → KillSwitch
POST /kill                                       policy:apply        Kill → Outcome (confirm = environment to lift)
GET  /changes?state=&object_key=                 read                → {"changes": [ChangeView]}
POST /changes                                    policy:propose      NewChange → ChangeView
GET  /changes/{id}                               read                → ChangeView
PUT  /changes/{id}                               policy:propose      EditChange → ChangeView (approvals cleared)
POST /changes/{id}/submit                        policy:propose      Why → ChangeView
POST /changes/{id}/approve                       policy:approve      Why → ChangeView
POST /changes/{id}/reject                        policy:approve      Why → ChangeView
POST /changes/{id}/withdraw                      policy:propose      Why → ChangeView (author takes it back)
POST /changes/{id}/apply                         policy:apply        Apply → Outcome (next step of a rollout plan)
POST /changes/{id}/schedule                      policy:apply        When → ChangeView (applied by itself then)
GET  /changes/{id}/diff                          read                → Differences (three-way where it is stale)
GET  /emergencies                                read                → {"emergencies", "waiting_for_review", "now"}
POST /emergencies                                emergency:open      Why (confirm = environment) → Emergency
POST /emergencies/{id}/review                    policy:approve      Why (the finding; by somebody else) → Emergency
GET  /consents/summary                           read                → {"epoch", "purposes": {p: {state: n|null}}}
POST /consents/opt-out, /consents/opt-in         consent:write       ConsentOrder → Recorded
POST /consents/history, /consents/receipts       consent:read        SubjectQuery → {"changes" | "receipts": […]}
POST /consents/state                             consent:read        StateQuery → {"purposes": [Standing]}
POST /consents/check                             consent:read        CheckQuery → {"allowed": [subject]}
POST /consents/import                            consent:write       {"csv", "source", "reason"} → Job
GET  /consents/probe, /consents/key              read                → results, violations, … | {"key", "public_pem"}
GET  /consents/texts                             read                → {"texts": [ConsentText + "granted"], …}
POST /consents/texts                             consent:write       NewWording → Outcome
GET  /consents/platforms[/{name}]                read                → {"platforms"} | {"name", "platform", "etag"}
PUT · DELETE /consents/platforms/{name}          admin               PlatformOrder · Why → Outcome (confirm = name)
POST /consents/platforms/{name}/messages         consent:write       the platform's own → {"taken", "unmapped", …}
POST /subjects/look-up                           consent:read        SubjectQuery → said, stated, requests (ledger)
GET  /subjects/requests?state=&kind=             consent:read        → {"requests": [RequestView]}
POST /subjects/requests                          consent:write       NewRequest → RequestView with its change
GET  /subjects/requests/{id}                     consent:read        → RequestView with its change
POST /subjects/requests/{id}/extend|refuse       consent:write       Why → RequestView
POST /subjects/requests/{id}/answer              consent:write       Why (what the person reads) → RequestView
GET  /subjects/requests/{id}/receipt             consent:read        → {"receipt": signed, "public_key"} (ledger)
GET  /subjects/requests/{id}/export              subject:erase       → ZIP of JSON and CSV (ledger)
POST /subjects/objection                         consent:write       Objection → RequestView + Acknowledged
POST /subjects/restriction[/lift]                consent:write       SubjectQuery → RequestView + Acknowledged
POST /subjects/rectification                     consent:write       Rectification → RequestView + Acknowledged
GET  /tokens                                     admin               → {"tokens": [TokenView]}
POST /tokens                                     admin               NewToken → Minted (plaintext once)
POST /tokens/{token_id}/revoke                   admin               Why → {"revoked": true}
GET  /replicas                                   read                → ReplicasView ("live on k of n")
GET  /jobs?name=&state=                          read                → {"jobs": [Job]}
POST /jobs                                       job:run             NewJob → Job
GET  /jobs/{job_id}                              read                → Job
POST /whatif, /offpolicy                         policy:propose      Rehearse → Job (kept as an audit)
GET  /whatif, /offpolicy; …/{run_id}             read                → {"runs": [RunSummary]}; Audit
GET  /audits?kind=                               read                → {"audits": [AuditSummary]}
GET  /audits/{audit_id}                          fairness:read       → Audit
GET  /audits/{audit_id}/artifacts/{name}         fairness:read       → file
GET  /fairness/plans                             read                → {"plans": [StoredPlan]}
POST /fairness/plans                             job:run             NewFairnessPlan → Outcome
GET  /fairness/plans/{key}                       read                → StoredPlan, ETag
PUT  /fairness/plans/{key}                       job:run             NewFairnessPlan, If-Match → Outcome
DELETE /fairness/plans/{key}                     job:run             Why, If-Match → Outcome
GET  /fairness/attributes                        fairness:read       → {"attributes": [Coverage]}
POST /fairness/attributes                        fairness:write      NewSensitive → Told (in the ledger as counts)
DELETE /fairness/attributes/{name}               fairness:write      Why → Told
GET  /audits/drift/references?surface=           read                → {"references": [Reference]}
POST /audits/drift/references                    job:run             NewDriftReference → Outcome (a job counts it)
GET  /audits/drift/looks?surface=&origin=&limit= read                → {"looks": [Look]}
GET  /audits/drift/accepted?surface=             read                → {"accepted": [Acceptance + "in_force"]}
POST /audits/drift/accept                        job:run             AcceptDrift → Outcome
POST /audits/drift/withdraw                      job:run             WithdrawDrift → Outcome
GET  /audits/{audit_id}/evidence                 fairness:read       → ZIP: the audit and its files, signed
GET  /checks                                     read                → {"checks": [CheckView]}
GET  /checks/{name}?limit=                       read                → {"check": CheckView, "history": [CheckVerdict]}
POST /checks/run                                 job:run             Why → {"checks": [CheckView]} (all look now)
GET  /metrics (no prefix)                        metrics:read        → control's own metrics, Prometheus
GET  /ledger?actor=&action=&object_kind=         audit:read          → {"entries": [LedgerEntry], "next_before_seq"}
     &object_key=&result=&start=&end=&limit=&before_seq=
GET  /ledger/own?limit=&before_seq=              read                → the same, the caller's own actions
GET  /ledger/verify                              audit:read          → Verification
GET  /ledger/export?(filters)&first=&last=       audit:read          → ZIP: a bundle for ``storage.verifier``
GET  /ledger/{seq}/proof                         audit:read          → ZIP: one entry between two anchors
GET  /ledger/key                                 read                → the public key, PEM
GET  /decisions?campaign=&start=&end=&hour=      decision:read       → {"decisions": [DecisionSummary]}
     &weekday=&zone=&position=&item=&attribute=&value=&origin=&limit=
GET  /decisions/{id}/anew?version=               decision:read       → Anew (with another version of its policy)
GET  /decisions/{id}                             decision:read       → {"decision": {…}, "from": "engine|lake"}
GET  /decisions/{id}/explanation                 decision:read       → the engine's answer
GET  /decisions/{id}/replay                      decision:read       → the engine's answer
GET  /models                                     read                → {"models": [ModelVersion], "in_service",
                                                                        "standings": [Standing]}
POST /models/{name}/promote                      policy:apply        Promotion → Outcome
POST /models/{name}/rollback                     policy:apply        Why → Outcome (the version before)
GET  /catalogue                                  read                → {"holding", "oldest_version"}
POST /catalogue/items                            campaign:write      NewItems → Outcome (counts, not items)
GET  /catalogue/items/{item_id}                  read                → Item
GET  /catalogue/syncs                            read                → {"syncs": [SyncStanding]}
POST /catalogue/syncs                            admin               NewSync → Outcome
GET  /catalogue/syncs/{name}                     read                → {"name", "sync", "etag", "runs"}, ETag
PUT  /catalogue/syncs/{name}                     admin               EditSync, If-Match → Outcome
POST /catalogue/syncs/{name}/remove              admin               Why → Outcome (its items stay)
GET  /segments, /personalization/segments,       read                → Audience
     /analytics/segment-performance
GET  /segments/history?days=                     read                → {"segments": {key: [{"at", "people"}]}}
POST /segments                                   campaign:write      NewSegmentKey → Outcome
GET  /segments/{key}                             read                → {"segment", "rule", "used_by"}, ETag
PUT  /segments/{key}                             campaign:write      NewSegment, If-Match → Outcome
DELETE /segments/{key}                           campaign:write      Why, If-Match → Outcome
GET  /analytics/forecasts                        read                → {"forecasts": [ForecastView]}
GET  /analytics/user-behavior,                   read                → {"audience": Audience, "forecasts"}
     /personalization/analytics
POST /analytics/person                           decision:read       SubjectQuery → Insights (in the ledger)
GET  /personalization/insights/{subject}         decision:read       → Insights (in the ledger)
GET  /settings                                   read                → {"installation": {…}, "etag"}, ETag
PUT  /settings                                   admin               NewSettings, If-Match → Outcome
GET  /revisions/current, /revisions/{n}          read                → Snapshot
GET  /system                                     read                → SystemView
GET  /system/doctor                              metrics:read        → {"at", "findings": [Finding]}
POST /system/dead-letters/requeue                policy:apply        {"code", "reason"} → Requeued
GET  /control/v1/openapi.json                    *public*            → the OpenAPI document
GET  /healthz, /readyz (at the root)             *public*            → {"ok": true}
===============================================  ==================  =========================================

``/me`` is a person's own page, plain HTML opened by a link of ``POST /own/links`` (15 minutes, once); its routes stand
in ``governance.api.own_page``.

Bodies (all closed: an unknown field is a 422 that names it)::

    Exchange      {"once"}
    Why           {"reason", "confirm"?}
    NewDriftReference {"surface", "reference": {"start", "end", "origins"?, "methods"?}, "reason"}
    AcceptDrift   {"surface", "feature", "until", "reason"}         WithdrawDrift {"surface", "feature", "reason"}
    NewCampaign   {"campaign": Campaign, "reason"}
    EditCampaign  {"campaign": Campaign, "reason", "confirm"?}
    NewRule       {"rule": Rule, "reason", "confirm"?}
    NewSegment    {"rule": SegmentRule, "reason", "confirm"?}        NewSegmentKey also with "key"
    NewCap        {"cap": Cap, "reason", "confirm"?}
    When          {"at": RFC 3339 or µs, "reason", "confirm"?}
    NewFairnessPlan {"plan": FairnessPlan, "reason", "confirm"?}
    NewSensitive  {"rows": [{"subject", "attribute", "value"}], "source", "reason"}
    NewToggle     {"toggle": Toggle, "reason", "confirm"?}
    ToggleTry     {"people": [{"subject"?, "session"?, "attributes"?}], "toggle"?: a draft, "at"?}
    Apply         {"reason", "confirm"?, "percent"?: the step that must be next}
    NewPolicy     {"key", "surface", "reason"}
    NewVersion    {"document": Policy, "note"?, "reason"}
    Draft         {"document": {…}}
    RolloutStep   {"version", "percent": 0|1|5|10|25|50|100, "segment"?: condition, "reason", "confirm"?}
    NewRollout    {"policy", "plan": GatedPlan, "reason", "confirm"?}      RolloutDraft {"policy", "plan"}
    Kill          {"on": bool, "reason", "confirm"?}
    NewChange     {"kind", "key", "payload": {…}, "reason"}
    EditChange    {"payload": {…}, "reason"}
    ConsentOrder  {"subject", "purpose", "reason", "source"?, "text_version"?}
    SubjectQuery  {"subject", "reason"}
    NewRequest    {"subject", "kind": access|portability|erasure|review, "reason", "received_at"?}
    Objection     {"subject", "purposes"?: […], "reason"}
    Rectification {"subject", "attributes"?: {…}, "interests"?: {…}, "reason"}
    NewToken      {"name", "principal", "role"?, "scopes"?: […], "expires_in_s"?, "reason"}
    NewJob        {"name", "arguments"?: {…}, "reason"}
    Promotion     {"version", "reason", "confirm"?}
    NewSettings   {"installation": Installation, "reason", "confirm"?}
    NewItems      {"items": [Item, at most 1,000], "reason"}
    NewSync       {"name", "sync": CatalogueSync, "reason"}
    EditSync      {"sync": CatalogueSync, "reason"}

What routes answer stands in ``governance.api.answers``, kinds of change and their payloads in ``governance.kinds``.

Errors are RFC 9457 problem details ``{"type", "title", "status", "code", "detail", "problems"}`` with the codes of
``storage.errors``: 401 FL-1401, 403 FL-1403, 404 FL-1404, 409 FL-1409, 409 FL-1407 (a second person must agree),
412 FL-1412, 413 FL-1413, 422 FL-1422, 503 FL-1503. Nothing that was sent is echoed.
"""
