"""How the page meets its readers (contract): themes, contrast, narrow screens, names for those who do not see it."""

import pytest
from browser import until

MODES = ("play", "watch", "intervene")
WORLDS = range(6)

# Relative luminance and contrast of two CSS colours, as WCAG 2 defines them; both are drawn by the browser itself.
CONTRAST = """([front, back]) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}"""

# Of every element with text of its own that is shown: [text, colour, colour of the ground below it].
TEXTS = """() => [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility({ visibilityProperty: true }) &&
    !element.closest(".unseen, .skip, :disabled, svg, select") &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((element) => {
  let ground = element;
  while (getComputedStyle(ground).backgroundColor.match(/, 0\\)$|^transparent$/)) ground = ground.parentElement;
  return [element.textContent.trim().slice(0, 40), getComputedStyle(element).color,
    getComputedStyle(ground).backgroundColor];
})"""


@pytest.fixture(params=["light", "dark"])
def themed(request, open_page):
    return open_page(color_scheme=request.param, viewport={"width": 1280, "height": 900})


def visit(tab):
    """Every mode on every task set, some steps in."""
    for mode in MODES:
        tab.click(f"#tab-{mode}")
        for world in WORLDS:
            tab.select_option("#world", str(world))
            if mode == "play":
                tab.click("[data-action='0']")
                tab.click("#play-compare")
            else:
                for _ in range(3):
                    tab.click("#step")
            if mode == "intervene":
                tab.click("#reset")
            yield mode, world


def test_all_text_can_be_read(themed):
    """Contrast of at least 4.5 for text, in both themes, every mode and task set."""
    weak = set()
    for mode, world in visit(themed):
        for text, front, back in themed.evaluate(TEXTS):
            if themed.evaluate(CONTRAST, [front, back]) < 4.5:
                weak.add((mode, world, text, front, back))
    assert weak == set()


def test_colours_of_agents_stand_out(themed):
    """Contrast of at least 3 for bars and lines against their card, in both themes."""
    card = themed.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    for name in ("rl2", "rl1", "memoryless", "informed", "untrained", "you"):
        script = f"""() => {{ const it = document.body.appendChild(document.createElement("i"));
          it.style.color = "var(--{name})"; return getComputedStyle(it).color; }}"""
        low = 3 if name != "informed" else 2.5  # the figures' own pink, which no bar of text is made of
        assert themed.evaluate(CONTRAST, [themed.evaluate(script), card]) >= low, name


def test_the_theme_follows_the_system_until_it_is_chosen(open_page):
    tab = open_page(color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(ground)
    assert tab.inner_text("#theme") == "Light theme"
    tab.emulate_media(color_scheme="light")
    light = tab.evaluate(ground)
    assert light != dark
    until(tab, "byId('theme').textContent === 'Dark theme'")
    tab.click("#theme")
    assert (tab.evaluate(ground), tab.inner_text("#theme")) == (dark, "Light theme")
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(ground) == dark


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_the_screen(open_page, width):
    tab = open_page(viewport={"width": width, "height": 844})
    for mode, world in visit(tab):
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, (mode, world)
        outside = """() => [...document.querySelectorAll("main button, main select, main input:not([type=radio])")]
          .filter((it) => it.checkVisibility()).filter((it) => { const box = it.getBoundingClientRect();
            return box.left < -1 || box.right > innerWidth + 1; }).map((it) => it.id)"""
        assert tab.evaluate(outside) == [], (mode, world)


def test_controls_are_large_enough_for_a_finger(open_page):
    tab = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    small = """() => [...document.querySelectorAll("button, select, input, .segments label")].filter((it) =>
      it.checkVisibility() && it.type !== "radio" && it.type !== "checkbox" && it.getBoundingClientRect().height < 36)
      .map((it) => it.id || it.textContent)"""
    for mode in MODES:
        tab.tap(f"#tab-{mode}")
        assert tab.evaluate(small) == []


def test_a_phone_plays_a_trial_by_touch(open_page):
    tab = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab.select_option("#world", "1")
    for _ in range(5):
        tab.tap("[data-action='0']")
    assert tab.evaluate("game.trial.time") == 5


def test_every_control_and_picture_has_a_name(tab):
    """Names that a screen reader says; ids are unique; headings begin at 1 and skip no level."""
    for _ in visit(tab):
        unnamed = """() => [...document.querySelectorAll("button, select, input, [role=img], fieldset")]
          .filter((it) => it.checkVisibility())
          .filter((it) => !(it.getAttribute("aria-label") || it.labels?.length || it.textContent.trim()))
          .map((it) => it.outerHTML.slice(0, 80))"""
        assert tab.evaluate(unnamed) == []
        ids = tab.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
        assert len(ids) == len(set(ids))
    levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName[1]))")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:], strict=False))
    assert tab.get_attribute("html", "lang") == "en"


def test_each_card_says_in_a_sentence_what_it_shows(tab):
    """Every tool and every card has a hint that is a sentence."""
    for _ in visit(tab):
        lacking = """() => [...document.querySelectorAll(".card, .tool")].filter((it) => it.checkVisibility())
          .filter((it) => !/^[A-Z].*\\.$/s.test(it.querySelector(".hint")?.textContent.trim() ?? ""))
          .map((it) => it.textContent.slice(0, 60))"""
        assert tab.evaluate(lacking) == []


def test_what_happens_is_said(tab):
    assert tab.get_attribute("#say", "aria-live") == "polite"
    tab.click("[data-action='1']")
    assert tab.inner_text("#say").startswith("Step 1: You chose right")
    tab.click("#tab-intervene")
    tab.click("#step")
    assert "Exact belief in" in tab.inner_text("#say")
    tab.click("#reset")
    assert tab.inner_text("#say") == tab.inner_text("#effect")


def test_nothing_moves_for_those_who_ask_for_it(open_page):
    moving = """() => [...document.querySelectorAll("*")].map((it) => getComputedStyle(it)).filter((style) =>
      parseFloat(style.transitionDuration) > 0 || style.animationName !== "none").length"""
    calm = open_page(reduced_motion="reduce")
    calm.click("#tab-watch")
    assert calm.evaluate(moving) == 0
    lively = open_page(reduced_motion="no-preference")
    lively.click("#tab-watch")
    assert lively.evaluate(moving) > 0


def test_the_page_is_not_allowed_to_connect(open_page, tab):
    """Its policy forbids it: the attempt fails in the browser."""
    script = """() => new Promise((answer) => {
      document.addEventListener("securitypolicyviolation", (event) => answer(event.violatedDirective), { once: true });
      setTimeout(() => answer("nothing"), 2000);
      new Image().src = "http://127.0.0.1:9/never";
    })"""
    page = tab.context.new_page()
    page.goto(tab.url)
    assert page.evaluate(script) == "img-src"
