"""Pages, drawn as their own scripts, and the words on them."""

import streamlit as st
from streamlit.testing.v1 import AppTest


def script(key, context):  # runs as a script of its own
    from dashboard import shell
    from dashboard.pages.registry import PAGES

    shell.draw(next(page for page in PAGES if page.key == key), context)


def run(key, context, **query):
    st.cache_data.clear()
    app = AppTest.from_function(script, args=(key, context), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def told(app) -> str:
    return "\n".join(
        str(one.value) for kind in ("markdown", "error", "warning", "info", "title") for one in app.get(kind)
    )
