"""On which day a week begins where somebody is."""

SUNDAY = (
    "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK "
    "PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW"
)
SATURDAY = "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY"
"""Regions by the first day of their week (Unicode CLDR, supplemental data, weekData); elsewhere it is Monday."""


def first_day(locale: str | None) -> int:
    """Return the first day of the week, 0 for Monday, of a browser's language tag; Monday where it names no region.

    >>> first_day("en-US"), first_day("de-DE"), first_day("ar-EG"), first_day(None)
    (6, 0, 5, 0)
    """
    region = next((part for part in reversed((locale or "").replace("_", "-").split("-")[1:]) if len(part) == 2), "")
    return next((day for day, held in ((6, SUNDAY), (5, SATURDAY)) if region.upper() in held.split()), 0)
