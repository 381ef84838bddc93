"""A browser without scripts at a person's own page."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx

from .conftest import REASON
from .served import People


class Forms(HTMLParser):
    """The forms of a page: where each goes, its fields, its buttons."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.add(tag)
        if tag == "form":
            self.found.append({"action": said["action"], "fields": {}, "buttons": [], "asked": 0})
        elif tag == "input" and said.get("type") == "hidden":
            self.found[-1]["fields"][said["name"]] = said.get("value")
        elif tag in ("input", "textarea"):
            self.found[-1]["asked"] += 1
        elif tag == "button":
            self.found[-1]["buttons"].append((said.get("name"), said.get("value")))

    def to(self, action: str) -> list[dict[str, Any]]:
        return [form for form in self.found if form["action"] == action]


class Browser:
    """A browser without scripts: it keeps the cookie, reads the page, and sends its forms."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def open(self, path: str) -> httpx.Response:
        return self.http.get(path, follow_redirects=True)

    @property
    def text(self) -> str:
        answer = self.http.get("/me")
        assert answer.status_code == 200, answer.text
        return answer.text

    def forms(self, action: str) -> list[dict[str, Any]]:
        return Forms(self.text).to(action)

    def send(self, action: str, **fields: str) -> httpx.Response:
        key = re.search(r'name="key" value="([0-9a-f]+)"', self.text)
        assert key is not None
        return self.http.post(action, data={"key": key[1], **fields})


def link(people: People, subject: str) -> str:
    answer = people(f"shop for {subject}", "service").post("/own/links", json={"subject": subject, "reason": REASON})
    assert answer.status_code == 201, answer.text
    path: str = answer.json()["path"]
    return path
