"""What commands about tokens and roles carry."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from governance.api.bodies import Name, Text
from storage.records.document import document
from storage.records.roles import Role


@document
class NewRole:
    """A role to create, or what an existing one is to become."""

    role: Role
    reason: Text
    confirm: Text = ""


@document
class NewToken:
    """A token to mint; scopes default to those of the role."""

    name: Name
    principal: Name
    reason: Text
    role: Name = "service"
    scopes: tuple[Name, ...] | None = None
    expires_in_s: Annotated[int, Field(ge=1, le=10 * 366 * 86_400)] | None = None


@document
class NewDraft:
    """What a form holds so far, by the names of its fields."""

    values: Mapping[str, Any]
