"""Which scope each route of the engine asks for; a route that names none is closed to everybody."""

from collections.abc import Mapping
from typing import Final

from storage.records.access import Scope

PUBLIC: Final = "public"

SCOPES: Mapping[tuple[str, str], Scope | str] = {
    ("POST", "/v1/personalize"): Scope.DECIDE,
    ("POST", "/v1/rerank"): Scope.DECIDE,
    ("POST", "/v1/events"): Scope.EVENTS_WRITE,
    ("POST", "/v1/personalization/config"): Scope.DECIDE,
    ("POST", "/v1/personalization/track-interaction"): Scope.EVENTS_WRITE,
    ("POST", "/v1/personalization/track-interactions"): Scope.EVENTS_WRITE,
    ("GET", "/v1/decisions/{id}"): Scope.DECISION_READ,
    ("GET", "/v1/decisions/{id}/explanation"): Scope.DECISION_READ,
    ("GET", "/v1/decisions/{id}/replay"): Scope.DECISION_READ,
    ("GET", "/v1/user/profile"): Scope.DECISION_READ,
    ("PUT", "/v1/user/profile/preferences"): Scope.EVENTS_WRITE,
    ("GET", "/v1/user/interests"): Scope.DECISION_READ,
    ("PUT", "/v1/user/interests"): Scope.EVENTS_WRITE,
    ("GET", "/v1/user/interests/history"): Scope.DECISION_READ,
    ("GET", "/v1/user/interactions"): Scope.DECISION_READ,
    ("GET", "/v1/user/quiz"): Scope.DECIDE,
    ("POST", "/v1/user/quiz"): Scope.EVENTS_WRITE,
    ("POST", "/v1/user/identify"): Scope.EVENTS_WRITE,
    ("POST", "/v1/user/feedback"): Scope.EVENTS_WRITE,
    ("GET", "/v1/user/recommendations"): Scope.DECIDE,
    ("GET", "/v1/personalization/profile/{subject}"): Scope.DECISION_READ,
    ("POST", "/v1/personalization/profile/{subject}"): Scope.EVENTS_WRITE,
    ("POST", "/v1/personalization/profile/{subject}/recompute"): Scope.EVENTS_WRITE,
    ("GET", "/v1/personalization/interactions/{subject}"): Scope.DECISION_READ,
    ("GET", "/v1/toggles"): Scope.DECIDE,
    ("POST", "/v1/toggles"): Scope.DECIDE,
    ("POST", "/ofrep/v1/evaluate/flags"): Scope.DECIDE,
    ("POST", "/ofrep/v1/evaluate/flags/{key}"): Scope.DECIDE,
    ("GET", "/v1/journal"): Scope.JOURNAL_READ,
    ("GET", "/v1/metrics/windows"): Scope.METRICS_READ,
    ("GET", "/metrics"): Scope.METRICS_READ,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
}
