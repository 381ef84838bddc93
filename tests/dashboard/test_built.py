"""A figure is built once for the same numbers, and never shown for others."""

from dashboard.figures import lines
from dashboard.theme import framed, theme


def drawn(**change):
    told = {"series": {"p50": ((0, 1.0), (1, 2.0))}, "zone": "UTC", "unit": "ms"} | change
    return lines.lines(told.pop("series"), theme(told.pop("mode", "light")), **told)


def test_the_same_numbers_are_built_once_and_any_other_anew():
    assert drawn() is drawn()
    others = [
        drawn(mode="dark"),
        drawn(zone="Asia/Tokyo"),
        drawn(series={"p50": ((0, 1.0), (1, 2.5))}),
        drawn(unit="s"),
    ]
    assert all(one is not drawn() for one in others)
    assert drawn(series={"p50": ((0, 1.0), (1, 2.5))}).to_dict()["data"][0]["y"][1] == 2.5


def test_what_is_made_of_a_figure_leaves_it_as_it_was():
    before = drawn().to_json()
    copy = framed(drawn(), theme("dark"), title="t", caption="c")
    assert copy.layout.title.text == "t"
    assert drawn().to_json() == before
