"""Every place that the briefs name is one surface of the one API; a list may mix kinds of items."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import catalogue
from storage.records import clock
from storage.records.items import Item
from storage.records.policies import PolicyState, Source, Surface
from tests.scoring_core.edges.running import INSTALLATION, POLICY, SNAPSHOT, Running, install, running

SURFACES = {
    "homepage": ("product", "article", "video"),
    "search": ("product",),
    "product-page": ("product",),
    "checkout": ("offer", "product"),
    "confirmation": ("offer",),
    "post-purchase": ("product", "article"),
    "e-mail": ("product", "offer", "article"),
    "support-articles": ("article",),
    "chat-routing": ("queue",),
    "tone": ("tone",),
    "promotions": ("offer",),
    "pickup": ("pickup",),
    "routes": ("route",),
    "driver-zones": ("zone",),
}
KINDS = sorted({kind for kinds in SURFACES.values() for kind in kinds})
EACH = 3
SOURCES = (Source(name="caller"), Source(name="popular"), Source(name="catalogue"))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home: Path = tmp_path_factory.mktemp("places")
    snapshot = replace(
        SNAPSHOT,
        installation=replace(
            INSTALLATION,
            surfaces={key: Surface(key=key, item_kinds=kinds, max_slots=100) for key, kinds in SURFACES.items()},
        ),
        policies={
            key: PolicyState(
                key=key, surface=key, stable=1, versions={1: replace(POLICY, surface=key, sources=SOURCES)}
            )
            for key in SURFACES
        },
        campaigns={},
    )
    installed = install(home, count=2, snapshot=snapshot)
    with installed.database.write() as write:
        catalogue.upsert(
            write,
            [Item(item_id=f"{kind}-{n}", kind=kind) for kind in KINDS for n in range(EACH)],
            now=clock.now(),
        )
    with running(installed) as started:
        yield started


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_shows_its_kinds_of_items_and_no_other(places: Running, surface: str) -> None:
    answer = places.decide(surface=surface, subject="u-1", slots=100)
    found = {item["item"] for item in answer["items"]}
    assert found == {f"{kind}-{n}" for kind in SURFACES[surface] for n in range(EACH)}
    assert answer["policy"] == {"key": surface, "version": 1}
    assert len(answer["decision_id"]) == 36 and all(item["reasons"] for item in answer["items"])


@pytest.mark.parametrize("subject", ["u-1", None])
def test_what_a_caller_names_is_held_to_the_surface_too(places: Running, subject: str | None) -> None:
    answer = places.decide(surface="tone", subject=subject, slots=5, candidates=["product-0", "tone-1", "route-2"])
    assert [item["item"] for item in answer["items"]] == ["tone-1"]
    assert places.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()["verdict"] == "exact"


def test_a_surface_that_nobody_declared_is_refused_by_its_name(places: Running) -> None:
    answer = places.client.post("/v1/personalize", json={"surface": "billboard"})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == "surface"
