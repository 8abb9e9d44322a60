"""The feedback and the overview as Chromium shows them: nothing runs, nothing is fetched, all can be read on any screen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from browser.conftest import PICTURES
from graded import HOSTILE_NAME, everyone
from playwright.sync_api import Browser, Page

from flightschool.grading.reports import write
from flightschool.grading.reports.text import stem

PAGES = {
    "honest": "feedback/amelia.html",
    "hostile": f"feedback/{stem(HOSTILE_NAME)}.html",
    "refused": "feedback/bela.html",
    "failed": "feedback/chiara.html",
    "overview": "index.html",
}
PHONE, LAPTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 800}

# The contrast of each text with what is behind it, as WCAG 2.2 defines it; the elements where it is below 4.5.
PALE = """() => {
    const parse = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => {
        const [r, g, b] = parse(colour).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            const [, , , alpha = 1] = parse(colour);
            if (alpha > 0) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const found = [];
    let looked = 0;
    for (const element of document.querySelectorAll('body *')) {
        if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
        looked += 1;
        const style = getComputedStyle(element);
        const ink = light(element instanceof SVGElement ? style.fill : style.color), ground = light(behind(element));
        const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${element.tagName} ${element.textContent.slice(0, 40)}`);
    }
    return [looked, found];
}"""

# Elements whose content sticks out of them at the side, even if cut off there, but for those that scroll or are for a screen reader only.
STICKING_OUT = """() => [...document.querySelectorAll('body *')]
    .filter(one => !one.closest('svg, .scroll, .unseen'))
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
    .map(one => `${one.tagName} ${one.textContent.slice(0, 40)}`)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reports")
    write(everyone(), out, names={"amelia": "Amélie O'Brien"})
    return out


Show = Callable[..., Page]


@pytest.fixture
def shown(browser: Browser, folder: Path, request: pytest.FixtureRequest) -> Iterator[Show]:
    """Open one of PAGES: `shown("honest", PHONE, dark=True)`. A request, a message or a dialogue fails the test at its end."""
    opened: list[Page] = []
    unwanted: list[str] = []

    def show(name: str, size: dict[str, int] = LAPTOP, *, dark: bool = False) -> Page:
        page = browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
        opened.append(page)
        page.on("console", lambda message: unwanted.append(message.text))
        page.on("dialog", lambda dialog: (unwanted.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda one: unwanted.append(one.url) if not _ours(one.url, folder) else None)
        page.goto((folder / PAGES[name]).as_uri())
        PICTURES.mkdir(parents=True, exist_ok=True)
        scheme = "dark" if dark else "light"
        page.screenshot(path=PICTURES / f"{name}-{size['width']}-{scheme}.png", full_page=True)
        return page

    yield show
    for page in opened:
        page.close()
    assert unwanted == []


def _ours(url: str, folder: Path) -> bool:
    parts = urlparse(url)
    return parts.scheme == "data" or (
        parts.scheme == "file" and Path(unquote(parts.path)).is_relative_to(folder)
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_text_stands_out_from_its_ground(shown, name, dark):
    looked, pale = shown(name, dark=dark).evaluate(PALE)
    assert looked > 5
    assert pale == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out_of_a_phone(shown, name):
    page = shown(name, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(STICKING_OUT) == []


def test_hostile_texts_stay_texts(shown):
    page = shown("hostile")
    assert page.title().startswith("01 · Why DataOps – =cmd|")
    assert page.locator("script, img, iframe, main svg").count() == 0
    assert page.get_by_text("<script>document.title='owned'</script>").count() >= 1
    assert page.locator("article").count() == 3
    assert page.evaluate("document.documentElement.scrollHeight") < 6_000


def test_the_policy_stops_a_script_even_if_one_got_in(browser, folder, tmp_path):
    html = (folder / PAGES["honest"]).read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(
        html.replace(
            "<main>", "<main><script>document.title='owned'</script><img src='http://127.0.0.1:9/x'>"
        ),
        encoding="utf-8",
    )
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(broken.as_uri())
    assert "owned" not in page.title()
    assert len([text for text in said if "Content Security Policy" in text]) == 2
    page.close()


def test_an_instructor_goes_by_keyboard_from_the_overview_to_a_learner(shown):
    page = shown("overview")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "chiara"
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.get_by_role("table", name="Learners").get_by_role("link", name="Amélie O'Brien").press("Enter")
    page.wait_for_url("**/feedback/amelia.html")
    assert page.get_by_role("main").get_by_text("3.2 of 17 points").is_visible()


def test_a_screen_reader_finds_landmarks_tables_and_the_chart(shown):
    page = shown("overview")
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("img").count() == 1
    assert page.get_by_role("img", name="The median is").count() == 1
    assert page.get_by_role("region", name="What needs a look").count() == 1
    cell = (
        page.get_by_role("row")
        .filter(has=page.get_by_role("rowheader", name="learner00"))
        .get_by_role("cell")
    )
    assert "passed 2" in cell.all_text_contents()[3].replace("✓", "")


def test_paper_shows_all(shown):
    page = shown("overview", PHONE)
    page.emulate_media(media="print")
    assert page.locator(".scroll").first.evaluate("one => getComputedStyle(one).overflowX") == "visible"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert len(page.pdf()) > 10_000
