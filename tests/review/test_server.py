"""The server: only the page that was opened with the printed address gets anything; a killed process loses nothing."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cv_pipeline.review.record import read_record, record_path
from cv_pipeline.review.reopen import open_result
from cv_pipeline.review.server import HOST, MAX_BODY, ReviewServer
from cv_pipeline.review.session import Session

from .factories import make_result, open_record

Answer = tuple[int, Any, http.client.HTTPMessage]
Asks = Callable[..., Answer]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_result(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def server(result: Path) -> Iterator[ReviewServer]:
    opened = open_result(result)
    with open_record(opened) as record, ReviewServer(Session(opened, record, "A. Reader")) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def ask(server: ReviewServer) -> Asks:
    def asked(
        method: str, path: str, body: Any = None, *, token: str | None = None, raw: bytes | None = None, **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if content is not None:
            named.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
        try:
            prefix = server.token if token is None else token
            connection.request(method, f"/{prefix}/{path}" if prefix else path, content, named)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, json.loads(data) if is_json else data, answer.headers

    return asked


def test_it_listens_on_the_loopback_address_only(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 40 and server.token in server.url


def test_the_page_and_its_files_are_served_with_a_policy_that_lets_nothing_out(ask: Asks) -> None:
    status, page, headers = ask("GET", "")
    assert status == 200 and b"<!DOCTYPE html>" in page
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    linked = re.findall(rb'(?:src|href)="(assets/[^"]+)"', page)
    assert len(linked) >= 5 and all(ask("GET", name.decode())[0] == 200 for name in linked)
    assert b"http://" not in page and b"https://" not in page


@pytest.mark.parametrize("token", ["wrong", "x" * 43, "%00", ".."])
@pytest.mark.parametrize(("method", "path"), [("GET", "overview"), ("GET", "assets/page.js"), ("POST", "undo")])
def test_without_the_token_nothing_is_answered(ask: Asks, token: str, method: str, path: str) -> None:
    status, body, _ = ask(method, path, {} if method == "POST" else None, token=token)
    assert status == 403 and "token" in body["error"]


@pytest.mark.parametrize("path", ["/", "/overview", "", "//", "/favicon.ico", "/../../etc/passwd"])
def test_paths_without_a_token_are_refused(ask: Asks, path: str) -> None:
    assert ask("GET", path or "/", token="")[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:80", "", "[::1]:80"])
def test_another_host_is_refused_even_with_the_token(ask: Asks, host: str) -> None:
    assert ask("GET", "overview", Host=host)[0] == 403
    assert ask("POST", "undo", {}, Host=host)[0] == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_origin_is_refused_even_with_the_token(ask: Asks, headers: dict[str, str]) -> None:
    assert ask("POST", "undo", {}, **headers)[0] == 403
    assert ask("GET", "overview", **headers)[0] == 403


def test_the_own_origin_is_answered(ask: Asks, server: ReviewServer) -> None:
    own = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
    assert ask("GET", "overview", **own)[0] == 200


@pytest.mark.parametrize(
    "path",
    ["assets/../server.py", "assets/..%2fserver.py", "assets//etc/passwd", "assets/%2e%2e/%2e%2e/errors.py", "assets/",
     "../../../etc/passwd", "assets/__init__.py", "nothing"],
)  # fmt: skip
def test_only_listed_files_are_served(ask: Asks, path: str) -> None:
    status, body, _ = ask("GET", path)
    assert status == 404 and "error" in body


@pytest.mark.parametrize(
    ("path", "raw", "words"),
    [
        ("edit", b"{", "no JSON"),
        ("edit", b"\xff\xfe", "no JSON"),
        ("edit", b"[1]", "JSON object"),
        ("edit", b"{}", "lacks impact_id"),
        ("edit", b'{"impact_id": 3, "field": "decision", "old": 1, "new": 2}', "has to be text"),
        ("edit", b'{"impact_id": "I001", "field": "score", "old": null, "new": 2}', "cannot be edited"),
        ("edit", b'{"impact_id": "I001", "field": "crater_radius_m", "old": 1, "new": NaN}', "cannot be nan"),
        ("edit", b'{"impact_id": "I001", "field": "decision", "old": "unreviewed", "new": {}}', "decision"),
        ("add", b'{"centre_px": [1, 1e400], "crater_radius_m": 1}', "outside"),
        ("add", b'{"centre_px": {"a": 1}, "crater_radius_m": 1}', "row and a column"),
        ("reviewer", b'{"name": ["x"]}', "has to be text"),
        ("undo", b" " * (MAX_BODY + 1), "at most"),
    ],
)
def test_bad_requests_are_answered_in_words_and_leave_no_edit(
    ask: Asks, server: ReviewServer, path: str, raw: bytes, words: str
) -> None:
    before = server.session.record.path.read_bytes()
    status, body, _ = ask("POST", path, raw=raw)
    assert status == 400 and words in body["error"]
    assert server.session.record.path.read_bytes() == before


@pytest.mark.parametrize(
    "query", ["", "row=1", "row=1&col=2&half=x", "row=nan&col=1&half=5", "row=1&col=1&half=1e9", "%%"]
)
def test_pictures_need_a_place(ask: Asks, query: str) -> None:
    assert ask("GET", f"view?{query}")[0] == 400
    assert ask("GET", f"picture?kind=after&{query}")[0] == 400


def test_a_form_of_another_page_cannot_send_an_edit(ask: Asks) -> None:
    status, body, _ = ask("POST", "undo", raw=b"{}", Content_Type="text/plain")
    assert status == 400 and "application/json" in body["error"]


def test_edits_arrive_and_come_back(ask: Asks) -> None:
    old = ask("GET", "impact?id=I004")[1]
    status, _, _ = ask(
        "POST", "edit", {"impact_id": "I004", "field": "decision", "old": "unreviewed", "new": "accepted"}
    )
    assert status == 200
    again = {"impact_id": "I004", "field": "decision", "old": "unreviewed", "new": "rejected"}
    assert "another state" in ask("POST", "edit", again)[1]["error"]
    assert ask("GET", "impact?id=I004")[1] == old | {"decision": "accepted"}
    assert ask("GET", "statistics")[1]["counts"]["accepted"] == 1
    assert ask("POST", "undo", {})[0] == 200
    assert ask("GET", "impact?id=I004")[1] == old
    status, picture, headers = ask("GET", "picture?kind=before&row=100&col=100&half=20")
    assert status == 200 and headers["Content-Type"] == "image/jpeg" and picture[:2] == b"\xff\xd8"


class _Process:
    """The command itself, as a user starts it."""

    def __init__(self, result: Path) -> None:
        code = "from cv_pipeline.cli import main; main()"
        arguments = [sys.executable, "-c", code, "review", str(result), "--no-browser", "--reviewer", "A. Reader"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self.running = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert self.running.stdout is not None
        self.said = ""
        for line in self.running.stdout:
            self.said += line
            found = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]+)/", line)
            if found:
                self.port, self.token = int(found[1]), found[2]
                return
        raise AssertionError(self.said)

    def post(self, path: str, body: Any) -> int:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        connection.request("POST", f"/{self.token}/{path}", json.dumps(body), {"Content-Type": "application/json"})
        return connection.getresponse().status

    def kill(self) -> None:
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()


@pytest.mark.slow
def test_a_killed_server_loses_no_edit_that_it_confirmed(tmp_path: Path) -> None:
    result = make_result(tmp_path)
    first = _Process(result)
    try:
        for number in (1, 2, 3):
            wanted = {"impact_id": f"I{number:03d}", "field": "decision", "old": "unreviewed", "new": "accepted"}
            assert first.post("edit", wanted) == 200
        second = subprocess.run(
            [sys.executable, "-c", "from cv_pipeline.cli import main; main()", "review", str(result), "--no-browser"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert second.returncode == 2 and "another 'cv-pipeline review'" in second.stderr
    finally:
        first.kill()
    path = record_path(result)
    path.write_bytes(path.read_bytes() + b'{"time_utc": "2026-')  # as if it had been killed in the middle of a write
    again = _Process(result)
    try:
        assert "cut short" in again.said
        assert again.post("undo", {}) == 200
    finally:
        again.kill()
    edits = read_record(path).edits
    assert [e.impact_id for e in edits] == ["I001", "I002", "I003", "I003"] and edits[-1].undoes == 4
