"""The review's page in a real browser: `make test-browser`. Every edit is on the disk before the page shows it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cv_pipeline.review.record import read_record, record_path
from cv_pipeline.review.reopen import open_result
from cv_pipeline.review.server import ReviewServer
from cv_pipeline.review.session import Session
from tests.review.factories import make_result, open_record

from .test_report import _CONTRAST, browser  # noqa: F401 (the fixture)

pytestmark = pytest.mark.browser

WAIT_MS = 90_000


@contextmanager
def served(result: Path, reviewer: str | None = "A. Reader") -> Iterator[str]:
    opened = open_result(result)
    with open_record(opened) as record, ReviewServer(Session(opened, record, reviewer)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_result(tmp_path_factory.mktemp("review"), impacts=8)


@pytest.fixture
def result(written: Path) -> Path:
    """The result with no review of it yet."""
    record_path(written).unlink(missing_ok=True)
    return written


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[[str], Any]]:  # noqa: F811
    """Opens an address; fails in the end if the page logged an error or asked another server for anything.

    A refused edit is no fault: the browser logs its status 400, and the page says why.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    faults: list[str] = []
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on(
        "console", lambda m: faults.append(m.text) if m.type in ("error", "warning") and "400" not in m.text else None
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("http://127.0.0.1:", "data:")) else faults.append(r.url))

    def open_url(url: str) -> Any:
        page.goto(url)
        page.wait_for_selector("html[data-ready=true]")
        return settled(page)

    yield open_url
    context.close()
    assert faults == []


def settled(page: Any) -> Any:
    page.wait_for_timeout(60)
    page.wait_for_selector("html[data-idle=true]")
    return page


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        settled(page)


def count(page: Any, name: str) -> int:
    found = re.search(rf"(\d+) {name}\b", page.locator("#counts").inner_text())
    assert found is not None
    return int(found[1])


def first_row(page: Any) -> str:
    return str(page.locator("#accuracy tbody tr:first-child").inner_text())


def shown(page: Any) -> str:
    return str(page.locator("#name").inner_text())


def field(page: Any, name: str) -> float:
    return float(page.locator(f"[data-field={name}]").input_value())


def test_by_key_alone_edits_change_the_statistics_and_stay_after_a_reload(
    result: Path, opened: Callable[[str], Any]
) -> None:
    with served(result) as url:
        page = opened(url)
        statistics = first_row(page)
        press(page, "a")
        assert shown(page) == "I002" and count(page, "accepted") == 1
        assert first_row(page) == statistics  # an accepted impact counted before, too
        press(page, "r")
        assert shown(page) == "I003" and count(page, "rejected") == 1
        after = first_row(page)
        assert after != statistics
        page.reload()
        page.wait_for_selector("html[data-ready=true]")
        settled(page)
        assert first_row(page) == after and (count(page, "accepted"), count(page, "rejected")) == (1, 1)
        press(page, "u")
        assert first_row(page) == statistics and shown(page) == "I002"
        press(page, "n", "ArrowRight", "p")
        assert shown(page) == "I003"
    fields = [(e.impact_id, e.field, e.new) for e in read_record(record_path(result)).edits]
    assert fields == [
        ("I001", "decision", "accepted"), ("I002", "decision", "rejected"), ("I002", "decision", "unreviewed")
    ]  # fmt: skip


def test_keys_in_quick_succession_never_decide_on_an_impact_that_is_not_shown(
    result: Path, opened: Callable[[str], Any]
) -> None:
    with served(result) as url:
        page = opened(url)
        page.evaluate(
            "() => ['a', 'r', 'r'].forEach((key) => document.body.dispatchEvent("
            "new KeyboardEvent('keydown', { key, bubbles: true })))"
        )
        settled(page)
    assert [(e.impact_id, e.new) for e in read_record(record_path(result)).edits] == [("I001", "accepted")]


def test_circles_and_centre_are_dragged_and_moved_by_key(result: Path, opened: Callable[[str], Any]) -> None:
    with served(result) as url:
        page = opened(url)
        radius, row = field(page, "crater_radius_m"), field(page, "row")
        box = page.locator("#after [data-handle=crater_radius_m] .grip").bounding_box()
        side = page.locator("#after").bounding_box()["width"]
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 6):
            page.mouse.move(x + 10 * step, y)
        page.mouse.up()
        settled(page)
        half_m = max(8.0, 4 * radius, 1.6 * field(page, "blast_radius_m"))
        assert field(page, "crater_radius_m") == pytest.approx(radius + 50 * 2 * half_m / side, abs=0.1)
        centre = page.locator("#after [data-handle=centre]")
        centre.focus()
        press(page, "ArrowDown", "ArrowDown", "Shift+ArrowUp")
        page.locator("#name").click()
        settled(page)
        assert field(page, "row") == pytest.approx(row + 1.0 - 5.0, abs=0.02)
        blast = page.locator("#after [data-handle=blast_radius_m]")
        assert blast.get_attribute("role") == "slider" and float(blast.get_attribute("aria-valuenow")) > 0
        assert "centre, crater radius" in page.locator("#changed").inner_text()
    edits = read_record(record_path(result)).edits
    assert edits[0].field == "crater_radius_m" and {e.field for e in edits[1:]} == {"centre_px"}
    assert len(edits) <= 4  # a drag is one edit, not one for each step of the mouse


def test_the_axis_is_dragged_and_typed(result: Path, opened: Callable[[str], Any]) -> None:
    with served(result) as url:
        page = opened(url)
        page.locator("#list button[data-id=I002]").click()  # a cone in the factory
        settled(page)
        box = page.locator("#after [data-handle=direction_deg] .grip").bounding_box()
        picture = page.locator("#after").bounding_box()
        middle = (picture["x"] + picture["width"] / 2, picture["y"] + picture["height"] / 2)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(middle[0] - 90, middle[1], steps=5)
        page.mouse.up()
        settled(page)
        assert field(page, "direction_deg") == pytest.approx(270.0, abs=3.0)  # north is up to the grid's small turn
        page.locator("[data-field=direction_deg]").fill("")
        page.keyboard.press("Enter")
        settled(page)
        assert page.locator("#after [data-handle=direction_deg]").count() == 0
        page.locator("[data-field=crater_radius_m]").fill("-3")
        page.keyboard.press("Enter")
        settled(page)
        assert "crater_radius_m cannot be -3" in page.locator("#fault").inner_text()
    assert [e.field for e in read_record(record_path(result)).edits] == ["direction_deg", "direction_deg"]


def test_missed_impacts_are_added_by_click_and_by_key_and_windows_give_recall(
    result: Path, opened: Callable[[str], Any]
) -> None:
    with served(result) as url:
        page = opened(url)
        press(page, *"aaaaaaaa")
        press(page, "w")
        assert shown(page) == "Window W0001"
        press(page, "d")
        assert "Recall 1.00 (95% interval 0." in page.locator("#sentences").inner_text()
        page.locator("#miss").click()
        page.locator("#after").click(position={"x": 200, "y": 220})
        settled(page)
        assert count(page, "added") == 1 and shown(page) == "Window W0002"
        page.keyboard.press("m")
        for _ in range(4):
            page.keyboard.press("Shift+ArrowLeft")
        press(page, "Enter")
        assert count(page, "added") == 2
        press(page, "d")
        assert "Recall 1.00" not in page.locator("#sentences").inner_text()
        page.locator("#list button[data-id=R002]").click()
        settled(page)
        press(page, "r")  # takes it out
        assert count(page, "added") == 1 and page.locator("#list button[data-id=R002]").count() == 0


def test_an_edit_over_what_another_page_changed_is_refused_and_shown(
    result: Path, opened: Callable[[str], Any]
) -> None:
    with served(result) as url:
        page = opened(url)
        other = page.context.new_page()
        other.goto(url)
        other.wait_for_selector("html[data-ready=true]")
        for each, radius in ((other, "3.3"), (page, "4.4")):
            settled(each)
            each.locator("[data-field=crater_radius_m]").fill(radius)
            each.keyboard.press("Enter")
            settled(each)
        assert "another state" in page.locator("#fault").inner_text()
        assert field(page, "crater_radius_m") == 3.3
    assert [e.new for e in read_record(record_path(result)).edits] == [3.3]


def test_an_aim_point_is_picked_by_key(result: Path, opened: Callable[[str], Any]) -> None:
    with served(result) as url:
        page = opened(url)
        press(page, "2")
        assert first_row(page).startswith("aim point decided by the user for 1 of")
        assert page.locator("#aims input").nth(1).is_checked()
        press(page, "0")
        assert first_row(page).startswith("likely aim point")


def test_the_page_asks_who_reviews_and_names_it_in_the_record(result: Path, opened: Callable[[str], Any]) -> None:
    with served(result, reviewer=None) as url:
        page = opened(url)
        assert page.locator("#who").is_visible()
        page.locator("#reviewer").fill("Änne O'Neill")
        page.keyboard.press("Enter")
        settled(page)
        press(page, "a")
    assert [e.reviewer for e in read_record(record_path(result)).edits] == ["Änne O'Neill"]


def test_the_button_exports_a_reviewed_result(result: Path, opened: Callable[[str], Any]) -> None:
    with served(result) as url:
        page = opened(url)
        press(page, "r")
        page.locator("#export").click()
        settled(page)
        assert "out.reviewed/report.html" in page.locator("#hint").inner_text()
    assert "1 rejected and left out" in (result.with_name("out.reviewed") / "report.html").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(result: Path, opened: Callable[[str], Any], scheme: str) -> None:
    with served(result) as url:
        page = opened(url)
        page.emulate_media(color_scheme=scheme)
        press(page, "a")
        page.locator("#list button[data-id=I001]").click()
        settled(page)
        for part in (
            "body",
            "#list .accepted",
            "#list .unreviewed",
            "#accept",
            "#reject",
            "#aims .first",
            "#hint",
            "kbd",
        ):
            assert page.locator(part).first.evaluate(_CONTRAST) >= 4.5, part
