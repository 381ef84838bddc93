"""Panels that take more than a few lines; each draws one thing into the page that calls it."""
