"""Every control of the page does what it says (contract), by mouse and by keyboard."""

import re

import pytest
from browser import until
from conftest import RUNS

CORRIDOR, COUNTING, UNIFORM, GRIDWORLD, TIGER, INFORMATIVE = range(6)


def open_mode(tab, mode, world=COUNTING, agent="rl2"):
    tab.click(f"#tab-{mode}")
    tab.select_option("#world", str(world))
    tab.click(f"#agents label:has([value={agent}])")


def after(tab, selector, act):
    """(text before, text after) of an element around an action."""
    before = tab.inner_text(selector)
    act()
    return before, tab.inner_text(selector)


def probabilities(tab):
    return [float(text) for text in re.findall(r"\d\.\d\d", tab.inner_text("#actions"))]


def time_of(tab):
    return tab.evaluate("lab.player.trial.time")


def check_world(tab):
    for world in (GRIDWORLD, TIGER, UNIFORM, INFORMATIVE, COUNTING, CORRIDOR):
        tab.select_option("#world", str(world))
        assert tab.inner_text("#story") == tab.evaluate(f"lab.worlds[{world}].story")
        assert tab.locator("#play-actions button").count() == tab.evaluate("lab.world.actions.length")


def check_theme(tab):
    grounds = [tab.evaluate("getComputedStyle(document.body).backgroundColor")]
    for _ in range(2):
        tab.click("#theme")
        grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] == grounds[2] != grounds[1]


def check_tabs(tab):
    for mode in ("watch", "intervene", "play"):
        tab.click(f"#tab-{mode}")
        assert tab.get_attribute(f"#tab-{mode}", "aria-selected") == "true"
        assert tab.is_visible("#panel-play") == (mode == "play")
        assert tab.is_visible("#panel-inside") == (mode != "play")
        assert tab.is_visible("#tools") == (mode == "intervene")


def check_begin_play(tab):
    tab.click("#tab-watch")
    tab.click("#begin-play")
    assert tab.evaluate("lab.mode") == "play"
    assert tab.evaluate("document.activeElement.dataset.action") == "0"


def check_compare(tab):
    open_mode(tab, "play")
    assert tab.is_disabled("#play-compare")
    for action in (0, 1, 1):
        tab.click(f"[data-action='{action}']")
    assert not tab.is_visible("#play-result")
    assert "covered" in tab.inner_text("#play-score")
    tab.click("#play-compare")
    mine = tab.evaluate("game.trial.reward")
    rival = tab.evaluate("rivalPlayer().trial.reward")
    assert tab.evaluate("rivalPlayer().trial.time") == 3
    assert f"You earned {mine:g}," in tab.inner_text("#result-sentence")
    assert f"RL² with {rival:g}." in tab.inner_text("#result-sentence")
    assert tab.is_disabled("[data-action='0']")


def check_again(tab):
    check_compare(tab)
    tab.click("#play-again")
    assert tab.evaluate("[game.trial.time, game.number]") == [0, 2]
    assert not tab.is_visible("#play-result")


def check_watch_it(tab):
    check_again(tab)
    tab.click("[data-action='0']")
    tab.click("#play-compare")
    rival = tab.evaluate("rivalPlayer().trial.history[0].action")
    tab.click("#play-watch")
    assert tab.evaluate("[lab.mode, lab.number, document.activeElement.id]") == ["watch", 2, "step"]
    tab.click("#step")
    assert tab.evaluate("lab.player.trial.history[0].action") == rival


def check_hint(tab):
    open_mode(tab, "play")
    assert tab.inner_text("#play-belief") == ""
    tab.check("#play-hint")
    assert tab.inner_text("#play-belief").count("0.50") == 2
    tab.click("[data-action='0']")
    won = tab.evaluate("game.trial.reward") == 1
    bars = tab.locator("#play-belief .meter span").all_inner_texts()
    assert bars == (["0.25", "0.75"] if won else ["0.75", "0.25"])


def check_step(tab):
    open_mode(tab, "watch")
    before, now = after(tab, "#step-status", lambda: tab.click("#step"))
    assert before.startswith("Before the first step of RL²")
    assert re.match(r"Step 1: RL² chose arm [01] and (won|lost)\. Next is step 2 of 50\.", now)
    assert "Exact belief in p = 0." in tab.inner_text("#say")
    assert tab.locator("#lanes circle").count() == 1


def check_run(tab):
    open_mode(tab, "watch")
    tab.select_option("#speed", "80")
    tab.click("#run")
    assert tab.inner_text("#run") == "Pause"
    until(tab, "lab.player.trial.time >= 4")
    tab.click("#run")
    paused = time_of(tab)
    tab.wait_for_timeout(300)
    assert (time_of(tab), tab.inner_text("#run")) == (paused, "Run")
    tab.click("#run")
    until(tab, "lab.player.trial.over")
    assert tab.inner_text("#run") == "Run"
    assert tab.is_disabled("#step")
    assert "The trial is over" in tab.inner_text("#step-status")


def check_speed(tab):
    open_mode(tab, "watch")
    tab.select_option("#speed", "1200")
    tab.click("#run")
    tab.wait_for_timeout(500)
    assert time_of(tab) == 1
    tab.click("#run")


def check_leap(tab):
    open_mode(tab, "watch")
    tab.click("#leap")
    assert (tab.inner_text("#leap"), time_of(tab)) == ("Ten steps", 10)
    open_mode(tab, "watch", GRIDWORLD)
    tab.click("#leap")
    assert (tab.inner_text("#leap"), time_of(tab)) == ("To the next episode", 5)
    open_mode(tab, "watch", TIGER)
    assert not tab.is_visible("#leap")


def check_restart(tab):
    open_mode(tab, "watch")
    tab.click("#leap")
    first = tab.evaluate("lab.player.trial.history.map(({ action, reward }) => [action, reward])")
    tab.click("#restart")
    assert time_of(tab) == 0
    tab.click("#leap")
    assert tab.evaluate("lab.player.trial.history.map(({ action, reward }) => [action, reward])") == first


def check_trial(tab):
    open_mode(tab, "watch")
    tab.click("#next-trial")
    assert (tab.input_value("#trial"), tab.evaluate("lab.number")) == ("2", 2)
    tab.fill("#trial", "31")
    tab.press("#trial", "Enter")
    assert tab.evaluate("[lab.number, lab.player.trial.time]") == [31, 0]
    tab.fill("#trial", "-5")
    tab.press("#trial", "Enter")
    assert tab.input_value("#trial") == "1"
    tab.fill("#trial", "")
    tab.press("#trial", "Enter")
    assert tab.input_value("#trial") == "1"


def check_agents(tab):
    open_mode(tab, "watch", CORRIDOR)
    colours = set()
    for name in ("rl1", "memoryless", "informed", "untrained", "rl2"):
        tab.click(f"#agents label:has([value={name}])")
        assert tab.evaluate("[lab.agent.name, lab.number]") == [name, 1]
        assert tab.is_checked(f"#agents [value={name}]")
        colours.add(tab.evaluate("getComputedStyle(document.querySelector('#scene .agent-fill')).fill"))
    assert len(colours) >= 4


def ready(tab, steps="#leap"):
    open_mode(tab, "intervene")
    assert tab.is_disabled("#transplant")
    assert "Take a step first" in tab.inner_text("#effect")
    tab.click(steps)
    assert tab.inner_text("#effect") == "Nothing is changed at this step."
    exact = tab.evaluate("Array.from(lab.player.frame.exact)")
    assert {tab.input_value("#donor"), tab.input_value("#toward")} == {str(exact.index(min(exact)))}
    return probabilities(tab)


def check_transplant(tab):
    before = ready(tab)
    for hypothesis in ("0", "1"):
        tab.select_option("#donor", hypothesis)
        if hypothesis == "0":
            tab.click("#transplant")
        assert tab.get_attribute("#transplant", "aria-pressed") == "true"
        assert "Put in: the state of a trial" in tab.inner_text("#donor-note")
        assert tab.evaluate("lab.player.frame.changes.transplant.task") == int(hypothesis)
        assert tab.locator("#actions .ghost").count() == 2
    tab.click("#step")
    assert tab.get_attribute("#transplant", "aria-pressed") == "false"
    assert "changed" in tab.inner_text("#lanes")
    assert "the same trial, nothing changed" in tab.inner_text("#lanes")
    assert tab.evaluate("lab.twin.trial.time") == 11
    assert re.search(r"\d+ with the change, \d+ without", tab.inner_text("#lanes-hint"))
    assert len(before) == 2


def check_push(tab):
    ready(tab)
    tab.select_option("#toward", "0")
    decoded = []
    for amount in (0, 50, 100):
        tab.evaluate(f"byId('amount').value = {amount}; byId('amount').dispatchEvent(new Event('input'))")
        assert tab.inner_text("#amount-shown") == f"{amount} %"
        decoded.append(tab.evaluate("lab.player.frame.decoded[0]"))
    tab.select_option("#toward", "1")
    other = tab.evaluate("lab.player.frame.decoded[0]")
    assert len({round(x, 6) for x in [*decoded, other]}) == 4
    tab.focus("#amount")
    tab.keyboard.press("ArrowLeft")
    assert tab.inner_text("#amount-shown") == "99 %"


def check_lie(tab):
    ready(tab)
    truth = tab.evaluate("lab.player.frame.input.prevReward")
    before = tab.evaluate("Array.from(lab.player.frame.logits)")
    tab.select_option("#lie", str(int(1 - truth)))
    assert tab.evaluate("Array.from(lab.player.frame.logits)") != before
    tab.select_option("#lie", str(int(truth)))
    assert tab.evaluate("Array.from(lab.player.frame.logits)") == before
    tab.select_option("#lie", "truth")
    assert tab.inner_text("#effect") == "Nothing is changed at this step."


def check_reset(tab):
    ready(tab)
    before = tab.evaluate("Array.from(lab.player.frame.logits)")
    tab.click("#reset")
    assert tab.get_attribute("#reset", "aria-pressed") == "true"
    assert tab.evaluate("Array.from(lab.player.frame.logits)") != before
    tab.click("#reset")
    assert tab.evaluate("Array.from(lab.player.frame.logits)") == before


def check_undo(tab):
    ready(tab)
    before = tab.evaluate("Array.from(lab.player.frame.logits)")
    tab.click("#reset")
    tab.select_option("#lie", "0")
    tab.click("#undo")
    assert tab.evaluate("Array.from(lab.player.frame.logits)") == before
    assert tab.evaluate("wantedChanges()") == {"transplant": None, "reset": False, "push": None, "lie": None}


def check_tour(tab):
    tab.click("#begin-tour")
    seen = []
    for step in range(5):
        assert tab.inner_text("#tour-count") == f"Tour, {step + 1} of 5"
        seen.append((tab.inner_text("#tour-title"), tab.evaluate("[lab.world.env, lab.agent.name, lab.mode]")))
        assert tab.evaluate("document.activeElement.id") == "tour-title"
        if step == 1:
            tab.click("#tour-back")
            assert tab.inner_text("#tour-title") == seen[0][0]
            tab.click("#tour-next")
        if step < 4:
            tab.click("#tour-next")
    stages = [stage for _, stage in seen]
    corridor, counting = ["corridor", "rl2", "watch"], ["bandit", "rl2", "watch"]
    assert stages == [corridor, corridor, ["corridor", "rl1", "watch"], counting, ["bandit", "rl2", "intervene"]]
    assert len({title for title, _ in seen}) == 5
    assert tab.get_attribute("#transplant", "aria-pressed") == "true"
    assert tab.inner_text("#tour-next") == "Done"
    tab.click("#tour-next")
    assert not tab.is_visible("#tour")
    tab.click("#begin-tour")
    tab.click("#tour-close")
    assert not tab.is_visible("#tour")
    tab.click("#begin-tour")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#tour")


CHECKS = {  # control: what looks whether it does what it says
    "world": check_world, "theme": check_theme, "tab-play": check_tabs, "tab-watch": check_tabs,
    "tab-intervene": check_tabs, "begin-play": check_begin_play, "begin-tour": check_tour, "tour-back": check_tour,
    "tour-next": check_tour, "tour-close": check_tour, "play-compare": check_compare, "play-again": check_again,
    "play-hint": check_hint, "play-watch": check_watch_it,
    "step": check_step, "run": check_run, "leap": check_leap, "restart": check_restart,
    "next-trial": check_trial, "trial": check_trial, "speed": check_speed, "donor": check_transplant,
    "transplant": check_transplant, "toward": check_push, "amount": check_push, "lie": check_lie, "reset": check_reset,
    "undo": check_undo, "agents": check_agents, "play-actions": check_compare,
}  # fmt: skip


@pytest.mark.parametrize("check", dict.fromkeys(CHECKS.values()), ids=lambda check: check.__name__)
def test_control(check, tab):
    check(tab)


def test_every_control_is_checked(tab):
    """A control without a check fails here; those made by scripts count by the box that holds them."""
    script = """() => [...document.querySelectorAll("button, select, input, a[href], [tabindex='0'], summary")].map(
      (control) => control.closest("#agents, #play-actions")?.id ?? (control.id || control.className))"""
    assert set(tab.evaluate(script)) == {*CHECKS, "skip"}


@pytest.mark.parametrize("world", range(6))
def test_a_whole_trial_is_played_against_the_agent(tab, world):
    """The person copies the agent's actions on the same luck, and earns the same; then the optimum stands beside."""
    tab.select_option("#world", str(world))
    actions = tab.evaluate("rivalPlayer().playUntil(() => false).trial.history.map(({ action }) => action)")
    for action in actions:
        tab.evaluate(f"document.querySelector('[data-action=\"{action}\"]').click()")
    assert tab.evaluate("game.trial.over")
    mine, rival = tab.evaluate("[game.trial.reward, rivalPlayer().trial.reward]")
    assert mine == rival
    assert "as much as RL²" in tab.inner_text("#result-sentence")
    table = tab.inner_text("#result-table")
    assert "Bayes-optimal" in table or world == INFORMATIVE
    steps = tab.locator("#result-lanes svg").get_attribute("aria-label")
    assert f"You: {len(actions)} steps" in steps


KEYS = {
    CORRIDOR: ["ArrowLeft", "ArrowRight"],
    GRIDWORLD: ["s", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"],
    TIGER: ["ArrowUp", "ArrowLeft", "ArrowRight"],
    INFORMATIVE: ["0", "7"],
}


@pytest.mark.parametrize("world", KEYS)
def test_it_is_played_by_keys(tab, world):
    tab.select_option("#world", str(world))
    tab.focus("#begin-play")
    for key in KEYS[world]:
        tab.keyboard.press(key)
    played = tab.evaluate("game.trial.history.map(({ action }) => keysOf(lab.world)[action])")
    assert played == KEYS[world][: len(played)]
    assert len(played) == len(KEYS[world])
    tab.focus("#world")
    tab.keyboard.press(KEYS[world][0])
    assert tab.evaluate("game.trial.time") in (0, len(played))  # in a list of choices a key chooses there


def test_everything_is_reached_by_tab_alone(tab):
    """From the top, the Tab key comes to every control that is shown, each with a visible ring."""
    tab.click("#tab-intervene")
    tab.click("#step")
    shown = """() => [...document.querySelectorAll("button, select, input, a[href]")].filter((control) =>
      control.checkVisibility() && !control.disabled && control.tabIndex >= 0 &&
      (control.type !== "radio" || control.checked)).length"""
    expected = tab.evaluate(shown)
    tab.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges(); scrollTo(0, 0)")
    tab.evaluate("document.body.tabIndex = -1; document.body.focus()")
    reached = []
    for _ in range(expected):
        tab.keyboard.press("Tab")
        ring = """() => { const it = document.activeElement;
          const box = it.type === "radio" ? it.closest("label") : it;
          return [it.id || it.name || it.className, getComputedStyle(box).outlineStyle]; }"""
        name, outline = tab.evaluate(ring)
        assert outline == "solid", name
        reached.append(name)
    assert len(set(reached)) == expected


def test_tabs_are_moved_by_arrows(tab):
    tab.focus("#tab-play")
    for mode in ("watch", "intervene", "play", "intervene"):
        tab.keyboard.press("ArrowLeft" if tab.evaluate("lab.mode") == "play" and mode == "intervene" else "ArrowRight")
        assert tab.evaluate("[lab.mode, document.activeElement.id]") == [mode, f"tab-{mode}"]


def test_rl1_wipes_what_is_put_in_at_an_episodes_beginning(tab):
    open_mode(tab, "intervene", COUNTING, "rl1")
    tab.click("#leap")
    before = probabilities(tab)
    tab.click("#transplant")
    assert probabilities(tab) == before
    assert "RL¹ is reset at this step by its wiring" in tab.inner_text("#effect")


def test_a_page_without_the_tours_task_sets_has_no_tour(open_page, runs, tmp_path):
    from tinymeta.page import __main__ as command

    path = tmp_path / "tiger.html"
    assert command.main([str(runs / "tiger-rl2"), "--out", str(path)]) == 0
    tab = open_page(path)
    assert not tab.is_visible("#begin-tour")
    assert len(RUNS) > 1
