"""What a form sent, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from storage.errors import Invalid, Problem

KEY: Final = "key"
MOST_FIELDS: Final = 100
_MEDIA: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form by name; of those that came twice the last."""

    fields: Mapping[str, str]

    def one(self, name: str) -> str:
        """Return a field that must be there.

        Raises
        ------
        Invalid
            Naming it.
        """
        found = self.fields.get(name, "")
        if not found:
            raise Invalid(f"{name}: is missing", problems=(Problem(field=name, message="is missing"),))
        return found

    def get(self, name: str) -> str:
        """Return a field, empty where it is not there."""
        return self.fields.get(name, "")

    def pairs(self, name: str, value: str) -> dict[str, str]:
        """Return what stands in numbered fields: ``name.1`` with ``value.1``, and so on."""
        return {
            said: self.get(f"{value}.{number}")
            for field, said in self.fields.items()
            if (number := field.removeprefix(f"{name}.")) != field and number.isdecimal()
        }


async def form_of(request: Request) -> Form:
    """Read a form.

    Raises
    ------
    Invalid
        If it is none, has too many fields, or holds what is no text.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA:
        raise Invalid("a form of this page is expected")
    try:
        text = (await request.body()).decode()
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError:
        raise Invalid("this form cannot be read; load the page again and try once more") from None
    if any("\x00" in part for pair in fields.items() for part in pair):
        raise Invalid("a field holds what is no text")
    return Form(fields)
