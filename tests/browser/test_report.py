"""The report in a real browser with the network off: `make test-browser`."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cv_pipeline.config import AssessConfig
from cv_pipeline.report import write_report
from tests.report.factories import make_assessment

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")
pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE_MS = 240_000  # on a machine that does much else at once
SLOWEST_RATIO = 5.0
LARGEST_MB = 30.0
MANY = 5000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium found; install the package chromium")
    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=QUIET, chromium_sandbox=False)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[[Path], Any]]:
    """Opens a file with the network off; fails in the end if it logged an error or asked for anything."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900}, accept_downloads=True)
    faults: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else faults.append(r.url))

    def open_file(path: Path) -> Any:
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=true]")
        return page

    yield open_file
    context.close()
    assert faults == []


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return write_report(make_assessment(folder, impacts=40), AssessConfig(), folder / "out")


def _rows(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".tabulator-row .tabulator-cell.impact_id").all_inner_texts()]


def test_map_zooms_by_key_and_layers_switch_off(report: Path, opened: Callable[[Path], Any]) -> None:
    page = opened(report)
    scale = page.locator(".leaflet-control-scale-line")
    wide = scale.inner_text()
    page.locator("#leaflet").focus()
    page.keyboard.press("Equal")
    page.keyboard.press("Equal")
    page.wait_for_function("text => document.querySelector('.leaflet-control-scale-line').innerText !== text", arg=wide)
    labels = page.locator(".leaflet-control-layers-overlays label")
    assert {"Structures", "Craters", "Blast patterns", "Impacts"} <= {t.strip() for t in labels.all_inner_texts()}
    page.get_by_role("checkbox", name="Structures", exact=True).uncheck()


def test_swipe_uncovers_the_scene_before(report: Path, opened: Callable[[Path], Any]) -> None:
    page = opened(report)
    width = "() => parseFloat(document.querySelector('.leaflet-before-pane').style.clip.split(',')[1])"
    hidden = page.evaluate(width)
    page.locator("#swipe").focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    assert page.evaluate(width) > hidden + 100


def test_table_sorts_filters_and_is_downloaded(report: Path, opened: Callable[[Path], Any], tmp_path: Path) -> None:
    page = opened(report)
    assert page.locator("#shown").inner_text() == "40 of 40 shown"
    head = page.locator(".tabulator-col[tabulator-field=score]")
    head.focus()
    page.keyboard.press("Enter")
    scores = [float(t) for t in page.locator(".tabulator-row .tabulator-cell.score").all_inner_texts()]
    assert scores == sorted(scores) and scores[0] < scores[-1]
    head.locator("input").press_sequentially(str(scores[len(scores) // 2]))
    page.wait_for_function("() => !document.getElementById('shown').innerText.startsWith('40 ')")
    shown = int(page.locator("#shown").inner_text().split()[0])
    with page.expect_download() as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "rows.csv")
    rows = list(csv.DictReader((tmp_path / "rows.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == shown < 40
    assert all(float(row["score"]) >= scores[len(scores) // 2] for row in rows)


def test_from_the_table_to_the_map_to_the_card(report: Path, opened: Callable[[Path], Any]) -> None:
    page = opened(report)
    wanted = _rows(page)[3]
    page.locator(f"#impacts button[data-show={wanted}]").click()
    popup = page.locator(".leaflet-popup-content")
    assert wanted in popup.inner_text()
    popup.locator("a").click()
    assert page.url.endswith(f"#card-{wanted}")
    assert page.locator(f"#card-{wanted} h3").inner_text() == wanted


def test_cards_lead_to_their_neighbours(report: Path, opened: Callable[[Path], Any]) -> None:
    page = opened(report)
    cards = page.locator("article.card")
    first, second = (cards.nth(k).get_attribute("id") for k in (0, 1))
    assert cards.nth(0).locator("a[rel=prev]").count() == 0
    cards.nth(0).locator("a[rel=next]").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith(f"#{second}")
    cards.nth(1).locator("a[rel=prev]").click()
    assert page.url.endswith(f"#{first}")


def test_likely_and_less_likely_are_told_apart_without_colour(report: Path, opened: Callable[[Path], Any]) -> None:
    page = opened(report)
    before = "(element) => getComputedStyle(element, '::before').content"
    marks = [
        page.locator(f".tabulator-col.{name} .tabulator-col-title").evaluate(before).strip('" ')
        for name in ("likely_m", "less_likely_m")
    ]
    assert marks == ["\u25cf", "\u25c6"]
    grounds = [
        page.locator(f".tabulator-row .tabulator-cell.{name}").first.evaluate(
            "(e) => getComputedStyle(e).backgroundColor"
        )
        for name in ("likely_m", "less_likely_m", "score")
    ]
    assert len(set(grounds)) == 3


def test_paper_has_the_scene_and_the_whole_table(report: Path, opened: Callable[[Path], Any]) -> None:
    page = opened(report)
    page.emulate_media(media="print")
    assert page.locator("#paper-scene").is_visible()
    assert not page.locator("#leaflet").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    # What the browser's own printing does, which puts all rows of the table on paper, and no wider than it.
    page.set_viewport_size({"width": 690, "height": 900})
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    table = page.locator("table.tabulator-print-table")
    assert table.locator("tbody tr").count() == 40
    assert table.bounding_box()["width"] <= 690


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(report: Path, opened: Callable[[Path], Any], scheme: str) -> None:
    page = opened(report)
    page.emulate_media(color_scheme=scheme)
    for part in ("body", ".tabulator-row .tabulator-cell.score", ".leaflet-control-layers"):
        assert page.locator(part).first.evaluate(_CONTRAST) >= 4.5, part


_CONTRAST = """(element) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  const clear = (one) => getComputedStyle(one).backgroundColor.startsWith("rgba(0, 0, 0, 0");
  while (behind && clear(behind)) behind = behind.parentElement;
  const pair = [light(getComputedStyle(element).color), light(getComputedStyle(behind).backgroundColor)].sort();
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""


def test_thousands_of_impacts_open_about_as_fast_as_forty(
    report: Path, opened: Callable[[Path], Any], tmp_path: Path
) -> None:
    few_ms = opened(report).evaluate("() => performance.now()")
    html = write_report(make_assessment(tmp_path, impacts=MANY, structures=60), AssessConfig(), tmp_path / "out")
    assert html.stat().st_size < LARGEST_MB * 1e6
    page = opened(html)
    many_ms = page.evaluate("() => performance.now()")
    print(f"opened in {many_ms:.0f} ms, {html.stat().st_size / 1e6:.1f} MB; 40 impacts in {few_ms:.0f} ms")
    assert many_ms < SLOWEST_RATIO * few_ms
    assert page.locator("#shown").inner_text() == f"{MANY} of {MANY} shown"
