"""Half-filled forms outlive the page, the browser and this process: control keeps them, each person's own.

A form's fields are drawn within ``kept``. What differs from the form as it was first drawn is kept on each change, and
forgotten when the form is sent, put back, or discarded. With it goes what the form began from (``dashboard.merging``).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import orjson
import streamlit as st

from dashboard.context import Context
from dashboard.text import ago
from storage.errors import FairleadError

log = logging.getLogger(__name__)

OPEN, ASKED = "drafts open", "drafts asked"
"""Where a session keeps its forms, by the start of their fields' keys; and those not drawn yet, by name."""
FOUND = "-found"
"""Under what a draft keeps what its form began from."""
COMMANDS = ("save", "propose")
"""What the commands of a form are called in the keys of their fields: a reason is given anew each time."""
_DAY = "date:"


class _Form:
    """A form in this session: its name, as it was first drawn, what is kept, and what its command will be named by."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.first: dict[str, Any] | None = None
        self.kept: dict[str, Any] = {}
        self.restored = False
        self.touched = False
        self.found: Mapping[str, Any] | None = None
        self.at: int | None = None
        self.seed = str(uuid4())


def _forms() -> dict[str, _Form]:
    forms: dict[str, _Form] = st.session_state.setdefault(OPEN, {})
    return forms


def _waiting() -> dict[str, _Form]:
    waiting: dict[str, _Form] = st.session_state.setdefault(ASKED, {})
    return waiting


def found(context: Context, name: str) -> Mapping[str, Any] | None:
    """Return what the draft of the form ``name`` began from; None where there is no draft, or it says nothing of it."""
    form = _waiting()[name] = _asked(context, name)
    return form.found


def touched(name: str) -> bool:
    """Tell whether anything is filled into the form ``name`` in this session."""
    return any(form.touched for form in _forms().values() if form.name == name)


def rebase(before: str, after: str) -> None:
    """Let the form whose fields' keys began with ``before`` go on under ``after``, filled anew, its draft kept."""
    if form := _forms().pop(before, None):
        form.first, form.kept, form.restored, form.touched = None, {}, True, True
        _forms()[after] = form


@contextmanager
def kept(context: Context, name: str, *, key: str, began: str = "") -> Iterator[None]:
    """Draw a form's fields within this. ``name`` is the form's own, ``key`` what its fields' keys begin with, ``began``
    what its draft shall keep of what it began from."""
    form = _forms().get(key) or _restored(context, name, key)
    if form.at is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(
                f"half filled {ago(form.at, context.now)}, kept for you",
                icon=":material/edit_note:",
                color="blue",
                help="Your own, until it is sent or discarded; at most 30 days.",
            )
            if st.button("Discard", key=f"discard {key}", icon=":material/delete:", type="tertiary"):
                discard(context, key)
                st.session_state["turn"] = st.session_state.get("turn", 0) + 1
                st.rerun()
    try:
        yield
    except FairleadError:
        raise
    except Exception:
        discard(context, key)  # what was kept no longer fits the form; the next look begins with an empty one
        raise
    _keep(context, form, key, began)


def _asked(context: Context, name: str) -> _Form:
    form = _Form(name)
    try:
        known = context.control.get(f"/drafts/{name}")["draft"]
    except FairleadError as error:
        log.info("the draft of %s is not known: %s", name, error)
        return form
    if known is None:
        return form
    form.seed, form.at, form.restored, form.touched = str(known["idempotency_key"]), int(known["at"]), True, True
    form.kept = dict(known["values"])
    began = form.kept.pop(FOUND, None)
    with suppress(ValueError, TypeError, KeyError):
        told = orjson.loads(began or "")
        form.found = {"document": dict(told["document"]), "etag": str(told["etag"])}
    return form


def _restored(context: Context, name: str, key: str) -> _Form:
    form = _waiting().pop(name, None) or _asked(context, name)
    _forms()[key] = form
    for suffix, value in form.kept.items():
        st.session_state[f"{key}{suffix}"] = _told(value)
    return form


def _keep(context: Context, form: _Form, key: str, began: str) -> None:
    values = {
        str(one)[len(key) :]: _plain(value)
        for one, value in st.session_state.items()
        if isinstance(one, str)
        and one.startswith(f"{key}-")
        and not one.startswith(tuple(f"{key}-{command}" for command in COMMANDS))
        and _is_plain(value)
    }
    if form.first is None:
        form.first = values
        if form.kept or not form.touched:
            return
    wanted = values if form.restored or values != form.first else {}
    form.touched = bool(wanted)
    if wanted == form.kept:
        return
    try:
        if wanted:
            told = wanted | ({FOUND: began} if began else {})
            answer = context.control.put(f"/drafts/{form.name}", {"values": told}, etag="")
            form.seed, form.at = str(answer["idempotency_key"]), int(answer["at"])
        else:
            _remove(context, form)
    except FairleadError as error:
        log.warning("the draft of %s is not kept: %s", form.name, error)
        return
    form.kept = wanted


def seed(key: str) -> str:
    """Return what the command ``key`` is named by: its form's draft, or else this turn of this session."""
    for begins, form in _forms().items():
        if key.startswith(f"{begins}-"):
            return form.seed
    mine: str = st.session_state.setdefault(f"seed {key}", str(uuid4()))
    return mine


def once(key: str, order: Any) -> str:
    """Return the name of a command (RFC 9562, version 5): the same for the same order of the same form, whoever clicks
    how often, before and after the page was loaded anew."""
    told = orjson.dumps(order, option=orjson.OPT_SORT_KEYS, default=str).decode("utf-8", "replace")
    return str(uuid5(NAMESPACE_URL, f"{seed(key)} {told}"))


def discard(context: Context, key: str) -> None:
    """Forget the draft of the form that the command ``key`` is part of."""
    for begins in [begins for begins in _forms() if key == begins or key.startswith(f"{begins}-")]:
        form = _forms().pop(begins)
        try:
            _remove(context, form)
        except FairleadError as error:
            log.warning("the draft of %s stays: %s", form.name, error)


def _remove(context: Context, form: _Form) -> None:
    if form.at is not None:
        context.control.delete(f"/drafts/{form.name}", {}, etag="")
    form.at, form.kept = None, {}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(one) for one in value)
    return value is None or isinstance(value, str | int | float | date)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return f"{_DAY}{value.isoformat()[:10]}" if isinstance(value, date) else value


def _told(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_DAY):
        return date.fromisoformat(value.removeprefix(_DAY))
    return value
