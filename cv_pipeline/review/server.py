"""The page's server: this machine only, one random token, no other origin, no request to anywhere.

The token is the first part of every path, so the address that is printed is the key and relative links carry it. Three
checks stand before anything else: ``Host`` must be this server's own address, because a name that an outside page
points at 127.0.0.1 (DNS rebinding) would otherwise make the browser think it speaks to that page's server; an
``Origin``, where stated, must be ours; and the token is compared in constant time.
"""

from __future__ import annotations

import hmac
import json
import math
import secrets
import sys
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cv_pipeline.errors import CvPipelineError, ReviewError
from cv_pipeline.review.export import export_review
from cv_pipeline.review.session import Session, default_export

HOST = "127.0.0.1"
MAX_BODY = 65_536
_ASSETS: Mapping[str, tuple[str, str]] = {
    "page.css": ("cv_pipeline.review", "text/css"),
    "page.js": ("cv_pipeline.review", "text/javascript"),
    "picture.js": ("cv_pipeline.review", "text/javascript"),
    "scene.js": ("cv_pipeline.review", "text/javascript"),
    "report.css": ("cv_pipeline.report", "text/css"),
    "leaflet.css": ("cv_pipeline.report.static", "text/css"),
    "leaflet.js": ("cv_pipeline.report.static", "text/javascript"),
}
"""All files that are served, by name; a path in a request is only ever looked up here."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Answer = tuple[str, bytes]
"""Content type and body."""


class ReviewServer(ThreadingHTTPServer):
    """Serves one session on a free port of the loopback address; ``url`` is where, token included."""

    daemon_threads = True

    def __init__(self, session: Session) -> None:
        """Bind; nothing is served before :meth:`serve_forever`."""
        super().__init__((HOST, 0), _Handler)
        self.session = session
        self.token = secrets.token_urlsafe(32)

    @property
    def port(self) -> int:
        """The port that the system gave."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.port}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a read."""
        self._answer(_GET)

    def do_POST(self) -> None:
        """Answer an edit."""
        self._answer(_POST)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the log would hold the token."""

    def _answer(self, routes: Mapping[str, Callable[[Session, Mapping[str, Any]], Answer]]) -> None:
        try:
            refusal = self._refusal()
            if refusal:
                self.close_connection = True
                self._send(HTTPStatus.FORBIDDEN, _json({"error": refusal}))
                return
            parts = urlsplit(self.path)
            name = parts.path.split("/", 2)[2] if parts.path.count("/") > 1 else ""
            arguments = _query(parts.query) if routes is _GET else self._body()
            if routes is _GET and name.startswith("assets/"):
                name, arguments = "assets", {"name": name.removeprefix("assets/")}
            if name not in routes:
                self._send(HTTPStatus.NOT_FOUND, _json({"error": f"there is nothing called {name!r} here"}))
                return
            self._send(HTTPStatus.OK, routes[name](self.server.session, arguments))
        except FileNotFoundError as error:
            self._send(HTTPStatus.NOT_FOUND, _json({"error": str(error)}))
        except CvPipelineError as error:
            self._send(HTTPStatus.BAD_REQUEST, _json({"error": str(error)}))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _json({"error": f"a defect: {error!r}"}))

    def _refusal(self) -> str:
        """Why this request is not answered; empty where it may be."""
        own = {f"{HOST}:{self.server.port}", f"localhost:{self.server.port}"}
        if self.headers.get("Host") not in own:
            return "this server answers to its own address only"
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{name}" for name in own}:
            return "this server answers to its own page only"
        if self.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return "this server answers to its own page only"
        given = urlsplit(self.path).path.split("/", 2)[1:2]
        if not hmac.compare_digest((given or [""])[0].encode("utf-8", "replace"), self.server.token.encode()):
            return "open the address that 'cv-pipeline review' printed, with its token"
        return ""

    def _body(self) -> Mapping[str, Any]:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError as error:
            self.close_connection = True
            raise ReviewError("the request does not say how long it is") from error
        if not 0 <= length <= MAX_BODY:
            self.close_connection = True
            raise ReviewError(f"a request has at most {MAX_BODY} bytes, this one has {length}")
        content = self.rfile.read(length)
        if self.headers.get_content_type() != "application/json":
            raise ReviewError("an edit is sent as application/json")
        try:
            body = json.loads(content)
        except ValueError as error:
            raise ReviewError(f"the request is no JSON ({error})") from error
        if not isinstance(body, dict):
            raise ReviewError("the request has to be a JSON object")
        return body

    def _send(self, status: HTTPStatus, answer: Answer) -> None:
        kind, content = answer
        self.send_response(status)
        self.send_header("Content-Type", kind if kind.startswith("image/") else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for header, value in _HEADERS.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(content)

    def version_string(self) -> str:
        """Nothing about versions to strangers."""
        return "cv-pipeline"


def _json(content: Any) -> Answer:
    return "application/json", json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _asset(_session: Session, arguments: Mapping[str, Any]) -> Answer:
    name = arguments["name"]
    if name not in _ASSETS:
        raise FileNotFoundError(f"there is no file {name!r} here")
    package, kind = _ASSETS[name]
    return kind, (resources.files(package) / name).read_bytes()


def _page(_session: Session, _arguments: Mapping[str, Any]) -> Answer:
    return "text/html", (resources.files("cv_pipeline.review") / "page.html").read_bytes()


def _query(text: str) -> Mapping[str, Any]:
    try:
        return {name: values[-1] for name, values in parse_qs(text, strict_parsing=bool(text)).items()}
    except ValueError as error:
        raise ReviewError(f"the request's query cannot be read ({error})") from error


def _place(arguments: Mapping[str, Any]) -> tuple[tuple[float, float], float]:
    try:
        row, col, half_m = (float(arguments[name]) for name in ("row", "col", "half"))
    except (KeyError, ValueError) as error:
        raise ReviewError(f"a picture needs the numbers row, col and half ({error!r})") from error
    if not all(map(math.isfinite, (row, col, half_m))):
        raise ReviewError("row, col and half have to be finite")
    return (row, col), half_m


def _needed(arguments: Mapping[str, Any], *names: str) -> list[Any]:
    missing = [name for name in names if name not in arguments]
    if missing:
        raise ReviewError(f"the request lacks {', '.join(missing)}")
    return [arguments[name] for name in names]


def _texts(arguments: Mapping[str, Any], *names: str) -> list[str]:
    values = _needed(arguments, *names)
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, str):
            raise ReviewError(f"{name} has to be text, not {value!r}")
    return values


def _picture(session: Session, arguments: Mapping[str, Any]) -> Answer:
    (kind,) = _texts(arguments, "kind")
    if kind == "before":
        return "image/jpeg", session.picture("before", *_place(arguments))
    if kind == "after":
        return "image/jpeg", session.picture("after", *_place(arguments))
    raise ReviewError(f"a picture is of before or after, not {kind!r}")


def _edit(session: Session, arguments: Mapping[str, Any]) -> Answer:
    impact_id, field = _texts(arguments, "impact_id", "field")
    return _json(session.edit(impact_id, field, *_needed(arguments, "old", "new")))


def _reviewer(session: Session, arguments: Mapping[str, Any]) -> Answer:
    session.name_reviewer(*_texts(arguments, "name"))
    return _json({"reviewer": session.reviewer})


def _export(session: Session, _arguments: Mapping[str, Any]) -> Answer:
    report = export_review(session, default_export(session.opened.folder))
    return _json({"folder": str(report.parent), "report": str(report)})


_GET: Mapping[str, Callable[[Session, Mapping[str, Any]], Answer]] = {
    "": _page,
    "assets": _asset,
    "overview": lambda session, _: _json(session.overview()),
    "impact": lambda session, given: _json(session.impact(*_texts(given, "id"))),
    "statistics": lambda session, _: _json(session.statistics()),
    "view": lambda session, given: _json(session.view(*_place(given))),
    "picture": _picture,
    "scene": lambda session, _: ("image/jpeg", session.scene()),
}
_POST: Mapping[str, Callable[[Session, Mapping[str, Any]], Answer]] = {
    "reviewer": _reviewer,
    "edit": _edit,
    "add": lambda session, given: _json(session.add(*_needed(given, "centre_px", "crater_radius_m"))),
    "undo": lambda session, _: _json(session.undo()),
    "export": _export,
}
