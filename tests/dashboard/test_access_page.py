"""The page Access: a token is shown once, what may be given is what one has, a wider role is proposed."""

from dashboard.panels import tokens
from tests.dashboard.answers import ANSWERS, TOKENS
from tests.dashboard.drawn import run, told
from tests.dashboard.table_control import surroundings
from tests.dashboard.week import NOW

MINTED = {"token_id": "t-9", "token": "fl_shown_once", "principal": "kim", "scopes": ["read"], "expires_at": None}


def test_a_token_is_made_shown_once_and_taken_off_the_page(week):
    context = surroundings(week, answers={**ANSWERS, "/tokens": {**MINTED, "tokens": TOKENS}})
    app = run("access", context)
    assert "Say who holds it" in told(app)
    app.text_input(key="token-principal").set_value(" kim ")
    app.text_input(key="token-name").set_value("reads figures").run()
    app.multiselect(key="token-scopes-marketer").set_value(["read"]).run()
    app.text_input(key="token-make-reason").set_value("kim joined the team")
    app.button(key="FormSubmitter:token-make-form-Create token").click().run()
    path, sent = context.control.given[-1]
    assert path == "/tokens" and sent["principal"] == "kim" and sent["scopes"] == ["read"]
    assert sent["expires_in_s"] == 30 * 86_400
    assert [one.value for one in app.code if "fl_shown_once" in one.value]
    app.button(key="kept").click().run()
    assert not [one.value for one in app.code if "fl_shown_once" in one.value]


def test_ended_tokens_and_sign_ins_are_listed_apart(week):
    app = run("access", surroundings(week))
    (alive,) = [frame.value for frame in app.dataframe if "last used" in frame.value]
    assert alive["id"].tolist() == ["t-1", "t-2"] and alive["last used"].tolist()[1] == "never"
    assert "1 of them nobody used for 90 days" in told(app)
    app.toggle(key="ended").set_value(True).run()
    (every,) = [frame.value for frame in app.dataframe if "last used" in frame.value]
    assert every["state"].tolist() == ["alive", "alive", "revoked"]
    (people,) = [frame.value for frame in app.dataframe if "signed in" in frame.value]
    assert people["signed in"].tolist() == [0, 1]


def test_a_wider_role_is_proposed_and_a_narrow_one_made(week):
    app = run("access", surroundings(week))
    app.text_input(key="role-new-key").set_value("release")
    app.multiselect(key="role-new-scopes").set_value(["policy:apply", "read"]).run()
    assert "It may more than a marketer" in told(app) and "A second admin must agree" in told(app)
    app.multiselect(key="role-new-scopes").set_value(["read"]).run()
    assert "no more than the role that it resembles" in told(app)
    assert "simulate" not in app.multiselect(key="role-new-scopes").options


def test_a_token_is_alive_until_it_ends():
    token = {"revoked_at": None, "expires_at": NOW + 1}
    assert tokens.alive(token, NOW)
    assert not tokens.alive(token, NOW + 1) and not tokens.alive({**token, "revoked_at": NOW}, NOW)
