"""The script that Streamlit runs, with its settings beside it; apart, because Streamlit takes any folder ``pages``
beside its script for scripts of their own."""
