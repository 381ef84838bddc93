"""The page What if: an answer is read with what it rests on, and trying something asks for a reason."""

from dashboard.queries import rehearsals
from storage import findings
from storage.records.findings import Audit
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings


def test_a_what_if_is_read_with_what_it_rests_on(week):
    app = run("whatif", surroundings(week))
    said = told(app)
    assert "Decisions that would differ" in said
    assert "400 of 410 came out again as recorded, 390 of them bit for bit" in said
    assert "not recorded, so taken as unknown" in said
    assert "The figures all the same" not in said
    assert [one.value for one in app.metric][:3] == ["10 %", "5.0 %", "30"]
    refused = told(app.selectbox(key="run").select_index(2).run())
    assert "They rest on too little to be read as an answer." in refused
    assert "What it really earned" in refused
    assert "Exact: what would be shown" not in refused


def test_what_was_asked_last_is_shown_first_though_an_earlier_dry_run_ended_later(filled):
    for at, job_id in ((2, "01a20000-earlier"), (1, "01a2ffff-later")):
        with filled.write() as write:
            findings.save(
                write,
                Audit(
                    audit_id=f"whatif-{job_id}",
                    kind="whatif",
                    job_id=job_id,
                    at=at,
                    verdict="pass",
                    sentence="",
                    population={},
                    result={},
                ),
            )
    with filled.read() as read:
        told = [one.job_id for one in rehearsals.tried(read) if "-" in one.job_id]
    assert told == ["01a2ffff-later", "01a20000-earlier"]


def test_trying_something_asks_for_a_reason_and_names_the_traffic(week):
    context = surroundings(week)
    app = run("whatif", context)
    app.text_input(key="try-reason").set_value("what would version two have done")
    app.button(key="FormSubmitter:try-form-Try it").click().run()
    ((path, body),) = context.control.given
    assert path == "/whatif"
    assert body["arguments"].keys() == {"policy", "version", "start"}
