"""The dips: rules (oracle), replays and interventions against the learner (contract), the remedy, the picture."""

import csv
import json
import shutil

import numpy as np
import pytest
from synthetic import results_in

from tinymeta.learning.learner import STATISTICS, Learner
from tinymeta.papers.alver_precup_2021 import dips
from tinymeta.papers.alver_precup_2021.dip_claims import DIP_CLAIMS
from tinymeta.papers.alver_precup_2021.dip_figures import draw_dips
from tinymeta.papers.alver_precup_2021.dip_results import CLIPPED, TRAINED_ON, intervene, interventions
from tinymeta.papers.alver_precup_2021.dips import Variant, cause_of_dip, first_dip, force, lost_window
from tinymeta.papers.alver_precup_2021.replay import Replay
from tinymeta.papers.claims import BROKEN, HOLDS, UNDECIDED, judge
from tinymeta.papers.experiments import Experiment
from tinymeta.papers.plotting import drawing
from tinymeta.papers.results import Results
from tinymeta.runs.config import build, make_config
from tinymeta.runs.training import train

CONFIG = make_config("bandit", "rl2", seed=1000, hidden_size=6, trials=2000, snapshots=2)
REWARD = STATISTICS.index("reward")

# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(("reward", "row"), [
    ([5.0, *[9.5] * 12, 8.9, 9.5, 6.0], 13),
    ([5.0, *[9.5] * 12, 9.1, 9.5], None),  # shallow
    ([5.0, *[9.5] * 9, 6.0, *[9.5] * 5], None),  # not converged by then
    ([5.0, *[9.5] * 9, 6.0, *[9.5] * 10, 7.0], 21),
    ([5.0] * 30, None),
    ([9.5] * 3, None),
])  # fmt: skip
def test_a_dip_is_a_low_row_after_convergence(reward, row):
    assert first_dip(np.array(reward)) == row


def test_a_policy_is_lost_where_ten_updates_say_so():
    assert lost_window(np.array([*[9.5] * 20, *[6.5] * 3, *[9.5] * 20])) == 12  # two of 10 at 6.5: a mean of 8.9
    assert lost_window(np.array([*[9.5] * 20, 6.5, *[9.5] * 20])) is None  # one: 9.2


# ---------------------------------------------------------------- replays


@pytest.fixture
def replay():
    made = Replay(CONFIG)
    made.learner.advance(40)
    return made


def test_a_replay_with_its_own_numbers_is_the_run(replay):
    """Weights, moments and rewards bit by bit, from any state."""
    state = replay.state
    reward = replay.run(replay.uniforms(state.updates, 30))
    run = Learner(build(CONFIG), CONFIG.settings)
    run.advance(40)
    np.testing.assert_array_equal(reward, run.advance(30)[:, REWARD] / 4)
    np.testing.assert_array_equal(replay.learner.theta, run.theta)
    np.testing.assert_array_equal(replay.learner.second, run.second)
    replay.restore(state)
    np.testing.assert_array_equal(replay.run(replay.uniforms(40, 30)), reward)


@pytest.mark.parametrize("rare", [True, False])
@pytest.mark.parametrize(("trial", "pull"), [(0, 0), (3, 1), (2, 9)])
def test_one_number_is_changed_and_one_action_is_chosen_by_it(replay, rare, trial, pull):
    state = replay.state
    numbers = replay.uniforms(state.updates, 1)[0]
    steered = replay.steered(state, numbers, trial, pull, rare)
    assert np.flatnonzero(steered != numbers).tolist() == [trial * 22 + 2 + 2 * pull]
    replay.restore(state)
    replay.run(steered[None])
    rows = replay.learner.rows
    (n,) = np.flatnonzero((rows.trial[:40] == trial) & (rows.episode[:40] == pull))
    chances = replay.learner.act.probabilities[n]
    assert chances[rows.action[n]] == (chances.min() if rare else chances.max())


def test_the_rarest_action_is_found(replay):
    """A certain policy whose least probable action is put in."""
    replay.learner.theta *= 8
    state = replay.state
    replay.run(replay.steered(state, replay.uniforms(40, 1)[0], 2, 3, rare=True)[None])
    found = replay.rarest()
    rows = replay.learner.rows
    chances = [replay.learner.act.probabilities[n, rows.action[n]] for n in range(40)]
    assert found.probability == min(chances)
    n = int(np.argmin(chances))
    assert (found.trial, found.pull) == (rows.trial[n], rows.episode[n])


def test_new_luck_is_new_each_time(replay):
    numbers = [replay.luck(number, 3) for number in (0, 1, 0)]
    np.testing.assert_array_equal(numbers[0], numbers[2])
    assert not (numbers[0] == numbers[1]).any()
    assert not (numbers[0] == replay.uniforms(0, 3)).any()


# ---------------------------------------------------------------- interventions


def test_variants_change_what_they_say(replay):
    state = replay.state
    numbers = replay.uniforms(state.updates, 1)

    def after(**changed):
        dips._continued(replay, state, numbers, Variant(**changed))
        moved = np.abs(replay.learner.theta - state.theta).sum()
        return moved, replay.learner.first.copy(), replay.learner.second.copy()

    moved, first, second = after()
    slower, _, raised = after(raised=10.0)
    assert slower < 0.2 * moved
    np.testing.assert_allclose(raised - second, 0.999 * 99 * state.second, rtol=1e-3, atol=1e-12)
    _, stopped, _ = after(momentum=False)
    assert np.abs(first).max() > 0
    assert np.abs(stopped).max() == 0
    _, clipped, _ = after(max_grad_norm=1e-6)
    change = np.linalg.norm(clipped - 0.9 * state.first.astype(float))
    assert change == pytest.approx(0.1 * 1e-6, rel=0.1)


@pytest.fixture
def shallow(monkeypatch):
    """Rules under which an untrained agent has learned, and any luck is a dip: interventions without long runs."""
    monkeypatch.setattr(dips, "CONVERGED", 0.0)
    monkeypatch.setattr(dips, "LOST", 5.0)
    monkeypatch.setattr(dips, "REPLICATES", 3)
    monkeypatch.setattr(dips, "FORCED_REPLICATES", 2)


@pytest.fixture
def played(monkeypatch):
    """Every continuation that is played: (numbers, variant)."""
    kept = []
    play = dips._continued

    def record(replay, state, uniforms, variant=dips.VARIANTS["with"]):
        kept.append((uniforms.copy(), variant))
        return play(replay, state, uniforms, variant)

    monkeypatch.setattr(dips, "_continued", record)
    return kept


def test_the_cause_is_the_rarest_action_before_the_policy_was_lost(shallow):
    """As it was is the run itself, bit by bit; masked, the same up to the action and another one from there."""
    run = Learner(build(CONFIG), CONFIG.settings)
    rewards = run.advance(500)[:, REWARD] / 4
    row = 3
    lost = lost_window(rewards[:200])
    assert lost is not None
    found = cause_of_dip(CONFIG, row)
    np.testing.assert_array_equal(found["as_it_was"], rewards[found["update"] :][:200])
    assert found["masked"] != found["as_it_was"]
    assert found["masked_moved"] != found["as_it_was_moved"]
    assert set(found["lost"]) == {*dips.VARIANTS, "placebo"}
    again = Replay(CONFIG)
    rarest = []
    for _ in range(lost + dips.WINDOW):
        again.learner.advance(1)
        rarest.append(again.rarest())
    last = rarest[-dips.LOOK_BACK :]
    rare = min(last, key=lambda one: one.probability)
    assert found["update"] == len(rarest) - len(last) + last.index(rare)
    assert (found["pull"], found["probability"]) == (rare.pull, rare.probability)


def test_masked_and_placebo_change_one_thing_each_and_new_luck_all_that_follows(shallow, played):
    found = cause_of_dip(CONFIG, 3)
    replay = Replay(CONFIG)
    own = replay.uniforms(found["update"], 200)
    masked = played[2][0]  # after two of "as it was", whole and short
    assert np.argwhere(masked != own)[:, 0].tolist() == [0]
    rounds = played[4:]
    assert len(rounds) == 3 * (len(dips.VARIANTS) + 1)
    for number in range(3):
        *variants, (placebo, _) = rounds[6 * number : 6 * number + 6]
        assert [variant for _, variant in variants] == list(dips.VARIANTS.values())
        for (numbers, _), name in zip(variants, dips.VARIANTS, strict=True):
            np.testing.assert_array_equal(numbers[0], masked[0] if name == "without" else own[0])
            np.testing.assert_array_equal(numbers[1:], replay.luck(number, 200)[1:])
        np.testing.assert_array_equal(placebo[1:], own[1:])
        (other,) = np.flatnonzero((replay.by_trial(placebo[0]) != replay.by_trial(own[0])).any(axis=1))
        rare = np.flatnonzero(masked[0] != own[0])[0] // 22
        assert other != rare


def test_forcing_is_one_action_in_new_luck(shallow, played):
    replay = Replay(CONFIG)
    replay.learner.advance(100)
    state = replay.state
    shares = force(CONFIG, [state])
    assert set(shares) == set(dips.VARIANTS)
    assert len(played) == len(dips.VARIANTS) * 4  # two pulls, two sets of numbers each
    for number in range(4):
        several = played[5 * number : 5 * number + 5]
        luck = replay.luck(3 + number, 200)
        forced = replay.steered(state, luck[0], 0, dips.FORCED_PULLS[number // 2], rare=True)
        for (numbers, _), name in zip(several, dips.VARIANTS, strict=True):
            np.testing.assert_array_equal(numbers[0], luck[0] if name == "without" else forced)
            np.testing.assert_array_equal(numbers[1:], luck[1:])


def test_interventions_are_kept_with_the_run(shallow, tmp_path):
    experiments = {TRAINED_ON: Experiment("bandit", "rl2", {}, {"hidden_size": 6, "trials": 4000}, snapshots=2)}
    results = Results(tmp_path, experiments, 1, 1000)
    config = experiments[TRAINED_ON].config(1000)
    train(results.path(TRAINED_ON, 1000), config)
    with pytest.raises(ValueError, match=r"seed-1000 has no dips\.json; expected it from: python -m tinymeta.figures"):
        interventions(results)
    (found,) = intervene(results)
    path = results.path(TRAINED_ON, 1000) / "dips.json"
    assert json.loads(path.read_text()) == found
    path.write_text(json.dumps({"cause": None, "forced": None}))
    assert intervene(results) == [{"cause": None, "forced": None}]  # not made again
    path.unlink()
    shutil.rmtree(results.path(TRAINED_ON, 1000) / "snapshots")
    with pytest.raises(ValueError, match="has no snapshots"):
        intervene(results)


# ---------------------------------------------------------------- the remedy's claim, the picture


class Curves:
    """Twenty runs of each length in memory: some of Table 1's dip, some of the clipped ones."""

    def __init__(self, dips=8, clipped=0, reward=9.5, delay=0):
        self.dips = {TRAINED_ON: dips, CLIPPED: clipped}
        self.reward = reward
        self.delay = {TRAINED_ON: 0, CLIPPED: delay}

    def metrics(self, name):
        trials = np.arange(200.0, 150_001, 200)
        curves = np.tile(np.where(trials > 5000 + self.delay[name], 9.5, 5.0), (20, 1))
        curves[: self.dips[name], 300] = 6.0
        return {"trials": np.tile(trials, (20, 1)), "reward_per_trial": curves}

    def evaluations(self, name):
        return [{"reward_per_trial": {"mean": self.reward + 0.01 * (seed % 3 - 1)}} for seed in range(20)]


@pytest.mark.parametrize(("curves", "verdict"), [
    (Curves(), HOLDS),
    (Curves(dips=2), UNDECIDED),
    (Curves(clipped=3), UNDECIDED),
    (Curves(clipped=15), BROKEN),
    (Curves(reward=9.3), BROKEN),
    (Curves(delay=3000), BROKEN),
    (Curves(delay=10**6), BROKEN),  # never learned
])  # fmt: skip
def test_the_remedy(curves, verdict):
    claim = next(claim for claim in DIP_CLAIMS if claim.name == "dip-remedy")
    ((_, measurement),) = judge(curves, [claim])
    assert measurement.verdict == verdict


def test_the_picture_holds_the_runs_own_numbers(good, tmp_path):
    with drawing():
        draw_dips(results_in(good), tmp_path)
    assert (tmp_path / "dips.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "dips.csv").read_text().splitlines()))
    shares = [float(row["y"]) for row in rows if (row["panel"], row["series"]) == ("lost, before dips", "with")]
    assert shares == pytest.approx([0.3, 0.3001, 0.3002])
    masked = [float(row["y"]) for row in rows if row["series"] == "rare action masked"]
    assert masked == pytest.approx([9.5] * 120)
    as_it_was = [float(row["y"]) for row in rows if (row["series"], row["seed"]) == ("as it was", "0")]
    assert as_it_was[9:20:10] == pytest.approx([9.5, 5.0])
