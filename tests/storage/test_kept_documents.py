"""Catalogue, model registry and audits: versions grow with changes only, what is immutable stays so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from storage import catalogue, findings, registry
from storage.errors import Conflict, NotFound
from storage.records.findings import Audit
from storage.records.items import Item
from storage.records.models import Calibration, ModelVersion

ITEM = st.builds(
    Item,
    item_id=st.sampled_from(["a", "b", "c", "d"]),
    title=st.sampled_from(["", "<script>alert(1)</script>", "![x](http://e)"]),
    attributes=st.dictionaries(
        st.sampled_from(["size", "colour"]),
        st.one_of(st.integers(0, 3), st.booleans(), st.text(max_size=2)),
        max_size=2,
    ),
    hidden=st.booleans(),
)


@settings(max_examples=30)
@given(st.lists(st.lists(ITEM, max_size=4), max_size=5))
def test_ordinals_never_change_and_the_version_grows_with_changes_only(sqlite_database, batches):
    with sqlite_database.write() as write:
        for table in ("items", "item_versions", "catalogue_versions"):
            write.execute(text(f"DELETE FROM {table}"))
        write.execute(text("DELETE FROM counters"))
    known, ordinals, version = {}, {}, 0
    for place, batch in enumerate(batches):
        with sqlite_database.write() as write:
            report = catalogue.upsert(write, batch, now=place)
        wanted = {item.item_id: item for item in batch}
        changed = {key for key in wanted if wanted[key] != known.get(key)}
        version += bool(changed)
        assert (report.added, report.changed) == (len(changed - set(known)), len(changed & set(known)))
        assert (report.unchanged, report.version, report.at) == (len(wanted) - len(changed), version, place)
        known |= wanted
        with sqlite_database.read() as read:
            loaded = catalogue.load(read)
            assert loaded.version == catalogue.version(read) == version
        now = {item.item_id: ordinal for ordinal, item in enumerate(loaded.items)}
        assert ordinals.items() <= now.items()
        ordinals = now
        assert {item.item_id: item for item in loaded.items} == known


def test_a_catalogue_works_the_same_on_both_databases(database):
    with database.write() as write:
        catalogue.upsert(write, [Item(item_id="a", attributes={"size": 1.5, "new": True})], now=0)
    with database.read() as read:
        assert catalogue.load(read).items[0].attributes == {"size": 1.5, "new": True}


def model(version, **fields):
    about = {
        "name": "ranker",
        "version": version,
        "created_at": int(version),
        "path": f"models/ranker/{version}",
        "digest": "d",
        "features": ("item.size",),
        "categories": {"context.x": ("a", "b")},
        "members": 10,
        "trees": 20,
        "lineage": {"rows": 5, "files": ["f"]},
        "calibration": Calibration(status="unproven", x=(0.0, 1.0), y=(0.1, 0.2)),
    }
    return ModelVersion(**about | fields)


def test_one_version_of_a_name_is_in_service(database):
    with database.write() as write:
        for version in ("1", "2"):
            registry.register(write, model(version))
        registry.register(write, model("3", name="other"))
    with database.read() as read:
        assert registry.in_service(read) == {}
        assert [found.version for found in registry.models(read)] == ["3", "2", "1"]
    for version in ("1", "2", "1"):
        with database.write() as write:
            registry.promote(write, "ranker", version)
        with database.read() as read:
            assert registry.in_service(read) == {"ranker": model(version)}


def test_a_version_is_immutable_and_must_exist_to_serve(database):
    with database.write() as write:
        registry.register(write, model("1"))
    with database.write() as write:
        registry.register(write, model("1"))
    with pytest.raises(Conflict, match="immutable"), database.write() as write:
        registry.register(write, model("1", trees=21))
    with pytest.raises(NotFound), database.write() as write:
        registry.promote(write, "ranker", "9")


def served(database) -> str:
    with database.read() as read:
        return registry.in_service(read)["ranker"].version


def test_rollbacks_walk_back_and_hold_what_would_be_promoted_by_itself(database):
    with database.write() as write:
        for version in ("1", "2", "3", "4"):
            registry.register(write, model(version))
        for version in ("1", "2", "3"):
            registry.promote(write, "ranker", version)
        assert not registry.held(write, "ranker")
        assert registry.roll_back(write, "ranker", at=100) == ("3", "2")
    with database.write() as write:
        assert registry.held(write, "ranker")
        assert registry.roll_back(write, "ranker", at=101) == ("2", "1")
    assert served(database) == "1"
    with pytest.raises(Conflict, match="no other version"), database.write() as write:
        registry.roll_back(write, "ranker", at=102)
    with database.write() as write:
        registry.promote(write, "ranker", "3", at=200)
        assert not registry.held(write, "ranker")
    with database.write() as write:
        assert registry.roll_back(write, "ranker", at=201) == ("3", "1")
    with pytest.raises(NotFound), database.write() as write:
        registry.roll_back(write, "other", at=1)


def test_a_verdict_stays_with_its_version(database):
    with database.write() as write:
        registry.register(write, model("1"))
        registry.note_verdict(write, "ranker", "1", {"promoted": False, "reason": "kept out", "difference": -0.25})
    with database.read() as read:
        (standing,) = registry.standings(read)
    assert standing.verdict == {"promoted": False, "reason": "kept out", "difference": -0.25}
    assert (standing.in_service, standing.served_at, standing.withdrawn_at) == (False, None, None)
    with pytest.raises(NotFound), database.write() as write:
        registry.note_verdict(write, "ranker", "9", {})


def audit(number, kind="fairness"):
    return Audit(
        audit_id=f"audit-{number}",
        kind=kind,
        job_id="job",
        at=number,
        verdict="unknown",
        sentence="Inconclusive: about 400 more needed",
        population={"campaign": "men", "rows": 3},
        result={"attributes": [{"attribute": "x", "p": None}]},
        artifacts={"report": "audits/a/report.html"},
    )


def test_audits_come_back_newest_first_and_cannot_be_written_twice(database):
    with database.write() as write:
        for number in (1, 3, 2):
            findings.save(write, audit(number, kind="drift" if number == 3 else "fairness"))
    with database.read() as read:
        assert findings.audits(read) == [audit(3, "drift"), audit(2), audit(1)]
        assert findings.audits(read, "fairness", limit=1) == [audit(2)]
        assert findings.audit(read, "audit-1") == audit(1)
        assert findings.audit(read, "audit-9") is None
    with pytest.raises(Conflict), database.write() as write:
        findings.save(write, audit(1))
