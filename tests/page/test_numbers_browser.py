"""The page's arithmetic against Python's (oracle): network, wiring, filter, simulation, decoder, push."""

import json

import numpy as np
import pytest
from conftest import RUNS
from support import noisy_taskset

import tinymeta
from tinymeta.base import randomness
from tinymeta.learning.agent import Agent
from tinymeta.learning.playing import evaluation_uniforms
from tinymeta.learning.rollout import uniforms_per_trial
from tinymeta.network.parameters import num_parameters
from tinymeta.page import assembly
from tinymeta.page.encoding import packed, unpacked
from tinymeta.page.worlds import tables_of
from tinymeta.probes.recording import record, untrained

TRIALS = 12
SEED = 7  # other trials than those that the page itself holds

# Sends recorded trials through the page's network and filter: logits (N, T, A) and joint beliefs (N, T, M·S).
REPLAY = """([world, agent, trials]) => trials.map((trial) => {
  const belief = new Belief(world);
  let state = zeroState(agent.layout.hidden_size);
  return trial.action.map((_, t) => {
    const before = t === 0 ? {} : { prevReward: trial.reward[t - 1], prevAction: trial.action[t - 1] };
    const beginsEpisode = t === 0 || trial.episode[t] > trial.episode[t - 1];
    const now = { observation: trial.observation[t], episode: trial.episode[t], task: trial.task };
    const input = writeInput(agent.layout, { beginsTrial: t === 0, beginsEpisode, ...now, ...before });
    state = agent.network.step(state, input);
    if (t === 0) belief.begin(now.observation);
    else belief.update(before.prevAction, now.observation, rewardIndex(world.outcomes, before.prevReward));
    const { num_tasks: M, num_states: S } = world.rules;
    const joint = new Array(M * S).fill(0);
    for (const [index, weight] of belief.weights) joint[index % (M * S)] += weight;
    return { logits: Array.from(state.logits), value: state.value, joint, hypotheses: Array.from(belief.hypotheses()) };
  });
})"""
ON_PAGE = "([w, name, trials]) => (%s)([lab.worlds[w], lab.worlds[w].agents.find((a) => a.name === name), trials])"


@pytest.fixture(scope="module")
def tab(chromium, page_file):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(page_file.as_uri())
    yield page
    context.close()


def agents_of(runs):
    """[(number of the world, name on the page, Agent)] of all that the page shows."""
    worlds = list(dict.fromkeys(tuple(RUNS[name][::2]) + RUNS[name][3:] for name in RUNS))
    found = []
    for name, row in RUNS.items():
        world = worlds.index(tuple(row[::2]) + row[3:])
        agent = tinymeta.load(runs / name)
        found.append((world, agent.name, agent))
        if agent.name == "rl2":
            found.append((world, "untrained", untrained(agent, 0)))
    return found


def as_trials(recording):
    names = ("observation", "action", "reward", "episode")
    trials = []
    for n, valid in enumerate(recording.valid):
        arrays = {name: getattr(recording, name)[n, valid].tolist() for name in names}
        trials.append({**arrays, "task": int(recording.task[n])})
    return trials


def compare(recording, replayed):
    for n, valid in enumerate(recording.valid):
        logits = np.array([step["logits"] for step in replayed[n]])
        joint = np.array([step["joint"] for step in replayed[n]])
        hypotheses = np.array([step["hypotheses"] for step in replayed[n]])
        np.testing.assert_allclose(logits, recording.logits[n, valid], atol=1e-5, rtol=0)
        np.testing.assert_allclose(joint, recording.belief[n, valid].reshape(len(joint), -1), atol=1e-9, rtol=0)
        np.testing.assert_allclose(hypotheses, recording.hypotheses[n, valid], atol=1e-9, rtol=0)


def test_logits_and_beliefs_are_pythons(tab, runs):
    """Every agent of the page, trained or not, on recorded trials."""
    agents = agents_of(runs)
    assert len(agents) == sum(len(world) for world in tab.evaluate("lab.worlds.map((world) => world.agents)"))
    for world, name, agent in agents:
        recording = record(agent, TRIALS, SEED)
        compare(recording, tab.evaluate(ON_PAGE % REPLAY, [world, name, as_trials(recording)]))


@pytest.mark.parametrize("changes", [{}, {"episode_length": 3}, {"episodes": 1}], ids=["noisy", "fixed", "one"])
def test_beliefs_where_an_episodes_end_is_hidden(tab, changes):
    """Noisy observations and ends that differ between tasks: the filter has to carry the clock along."""
    tasks = noisy_taskset(**changes)
    agent = random_agent(tasks)
    recording = record(agent, 30, SEED)
    world = tables_of(tasks)
    entry = {"layout": {**agent.layout._asdict(), "identity_from": 2**30}, "theta": agent.theta.tolist()}
    script = f"""([world, entry, trials]) => {{
      const agent = {{ ...entry, network: new Network(entry.layout, Float64Array.from(entry.theta)) }};
      return ({REPLAY})([unpackedDeep(world), agent, trials]);
    }}"""
    compare(recording, tab.evaluate(script, [world, entry, as_trials(recording)]))


def random_agent(tasks):
    agent = tinymeta.learn(tasks, "rl2", trials=4, hidden_size=4)
    numbers = randomness.uniforms(1, randomness.INITIALISATION, 0, 1, num_parameters(agent.layout))[0]
    return Agent(tasks, "rl2", (2 * numbers - 1).astype(np.float32), 4)


def test_impossible_evidence_is_an_error(tab):
    script = "() => { try { new Belief(lab.worlds[0])%s; } catch (error) { return error.message; } }"
    assert tab.evaluate(script % ".begin(0)") == "impossible evidence at step 0: first observation 0"
    expected = "impossible evidence at step 1: action 0, observation 2 and reward index 0"
    assert tab.evaluate(script % ".begin(2).update(0, 2, 0)") == expected


def test_the_same_numbers_make_the_same_trials(tab, runs):
    """Python's uniform numbers as the page's luck: tasks, actions, rewards, what is decoded and where the state is."""
    script = """([w, name, rows]) => {
      const world = lab.worlds[w];
      const agent = world.agents.find((a) => a.name === name);
      return rows.map((row) => {
        const player = new Player(world, agent, (column) => row[column]).playUntil(() => false);
        const { trial } = player;
        const frames = player.frames.map(({ decoded, point }) => [Array.from(decoded), point]);
        const history = trial.history.map(({ action, reward, from, ended }) => [action, reward, from, ended]);
        return { task: trial.task, reward: trial.reward, over: trial.over, cut: trial.cut, history, frames };
      });
    }"""
    for world, name, agent in agents_of(runs):
        if name not in ("rl2", "rl1"):
            continue
        steps = agent.tasks.step_limit
        totals, trace = agent.play(TRIALS, seed=SEED, trace=True)
        rows = evaluation_uniforms(SEED, 0, TRIALS, steps)
        assert rows.shape == (TRIALS, uniforms_per_trial(steps))
        played = tab.evaluate(script, [world, name, rows.tolist()])
        for n, trial in enumerate(played):
            valid = trace["valid"][n]
            assert trial["over"]
            assert trial["task"] == trace["task"][n, 0]
            assert trial["cut"] == totals.cut[n]
            assert trial["reward"] == pytest.approx(totals.reward[n].sum(), abs=1e-4)
            assert [step[0] for step in trial["history"]] == trace["action"][n, valid].tolist()
            assert [step[2] for step in trial["history"]] == trace["observation"][n, valid].tolist()
            state = np.hstack([trace["hidden"][n, valid], trace["cell"][n, valid]])
            check_inside(tab, world, name, state, trial["frames"])


def check_inside(tab, world, name, state, frames):
    """Decoded beliefs and points are those of the exported maps, applied in NumPy."""
    data = entries(tab)["worlds"][world]
    agent = next(agent for agent in data["agents"] if agent["name"] == name)
    decoder = {key: unpacked(agent["decoder"][key]) for key in ("shift", "weight", "bias")}
    plane = {key: unpacked(agent["plane"][key]) for key in ("mean", "axes")}
    decoded = (state - decoder["shift"]) @ decoder["weight"] + decoder["bias"]
    scale = max(1, np.abs(decoder["weight"]).max())
    np.testing.assert_allclose([frame[0] for frame in frames], decoded, atol=1e-5 * scale)
    np.testing.assert_allclose([frame[1] for frame in frames], (state - plane["mean"]) @ plane["axes"], atol=1e-4)


_ENTRIES = {}


def entries(tab):
    """The page's numbers, read once."""
    if tab.url not in _ENTRIES:
        _ENTRIES[tab.url] = json.loads(assembly.data_in(tab.evaluate("document.documentElement.outerHTML")))
    return _ENTRIES[tab.url]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_step(agent, h, c, x):
    """One step of the network in NumPy, from PyTorch's names: the policy (A,)."""
    p = {name: array.astype(float) for name, array in agent.parameters.items()}
    i, f, g, o = np.split(p["lstm.weight_ih"] @ x + p["lstm.weight_hh"] @ h + p["lstm.bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    logits = p["policy.weight"] @ (sigmoid(o) * np.tanh(c)) + p["policy.bias"]
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


CHANGE = """([w, name, time, changes]) => {
  const world = lab.worlds[w];
  const agent = world.agents.find((a) => a.name === name);
  const player = new Player(world, agent, luckOf(3)).playUntil(({ trial }) => trial.time === time);
  const donor = findDonor(world, agent, changes.donor, player.frame);
  player.change({ ...NO_CHANGE, ...changes, transplant: changes.transplanted ? donor : null });
  const list = (state) => [Array.from(state.h), Array.from(state.c)];
  return { policy: Array.from(player.frame.probabilities), input: player.frame.input, donor: list(donor.state),
    carried: list(player.frame.carried), belief: donor.belief, task: donor.task };
}"""
CHANGES = {
    "nothing": {},
    "transplant": {"transplanted": True},
    "reset": {"reset": True},
    "lie": {"lie": 1},
    "push": {"push": {"hypothesis": 1, "amount": 0.7}},
    "transplant, push and lie": {"transplanted": True, "push": {"hypothesis": 0, "amount": 0.4}, "lie": 0},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("name", ["rl2", "rl1"])
def test_a_change_does_what_it_says(tab, runs, name, changes):
    """Against NumPy: the state that enters, moved or replaced, and the reward that is told, give the page's policy."""
    agent = tinymeta.load(runs / f"counting-{name}")
    found = tab.evaluate(CHANGE, [1, name, 9, {"donor": 1, **changes}])
    assert found["task"] == 1
    entry = next(entry for entry in entries(tab)["worlds"][1]["agents"] if entry["name"] == name)
    h, c = map(np.array, found["donor"] if changes.get("transplanted") else found["carried"])
    if changes.get("reset"):
        h, c = np.zeros(8), np.zeros(8)
    if "push" in changes:
        decoder = {key: unpacked(entry["decoder"][key]).astype(float) for key in ("shift", "weight", "bias")}
        decoded = (np.concatenate([h, c]) - decoder["shift"]) @ decoder["weight"] + decoder["bias"]
        aim = np.eye(2)[changes["push"]["hypothesis"]]
        moved = np.concatenate([h, c]) + changes["push"]["amount"] * (aim - decoded) @ unpacked(entry["push"])
        h, c = moved[:8], moved[8:]
    if name == "rl1":  # every pull is an episode: its wiring zeroes the state, whatever is put in
        h, c = np.zeros(8), np.zeros(8)
    x = np.zeros(agent.layout.input_size)
    x[found["input"]["columns"]] = 1
    x[agent.layout.reward_column] = changes["lie"] if "lie" in changes else found["input"]["prevReward"]
    np.testing.assert_allclose(found["policy"], numpy_step(agent, h, c, x), atol=1e-6)


def test_a_donor_is_of_the_wanted_task_and_sure(tab):
    for hypothesis in (0, 1):
        found = tab.evaluate(CHANGE, [1, "rl2", 30, {"donor": hypothesis, "transplanted": True}])
        assert found["task"] == hypothesis
        assert found["belief"] > 0.95


def test_luck_is_uniform_and_its_columns_are_independent(tab):
    """Property: moments of 200 000 numbers within five standard errors, neighbours uncorrelated."""
    script = """() => Array.from({ length: 2000 }, (_, n) => {
      const luck = luckOf(n + 1);
      return Array.from({ length: 100 }, (_, column) => luck(column));
    })"""
    numbers = np.array(tab.evaluate(script))
    assert ((numbers >= 0) & (numbers < 1)).all()
    assert len(np.unique(numbers)) == numbers.size
    assert abs(numbers.mean() - 0.5) < 5 * np.sqrt(1 / 12 / numbers.size)
    assert abs(numbers.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / numbers.size)
    centred = numbers - 0.5
    for shifted in (centred[:, 1:] * centred[:, :-1], centred[1:] * centred[:-1]):
        assert abs(shifted.mean()) < 5 / 12 / np.sqrt(shifted.size)
    counts = np.histogram(numbers[:, 0], bins=20, range=(0, 1))[0]
    assert ((counts - 100) ** 2 / 100).sum() < 46  # χ² with 19 degrees of freedom, 0.05 %
    np.testing.assert_array_equal(numbers[:3], np.array(tab.evaluate(script))[:3])


def test_tasks_come_as_often_as_the_prior_says(tab):
    script = """() => Array.from({ length: 4000 }, (_, n) => new Trial(lab.worlds[2], luckOf(n + 1)).task)"""
    prior = unpacked(entries(tab)["worlds"][2]["outcomes"]["prior"])
    share = np.bincount(tab.evaluate(script), minlength=len(prior)) / 4000
    assert (np.abs(share - prior) < 5 * np.sqrt(prior * (1 - prior) / 4000)).all()


def test_luck_can_be_of_a_given_task(tab):
    """Only the task is another one: all other numbers stay."""
    script = """(m) => Array.from({ length: 20 }, (_, n) => {
      const [luck, given] = [luckOf(n + 1), luckOfTask(luckOf(n + 1), lab.worlds[2], m)];
      return [new Trial(lab.worlds[2], given).task, [1, 2, 3, 9].every((column) => luck(column) === given(column))];
    })"""
    for task in range(tab.evaluate("lab.worlds[2].rules.num_tasks")):
        assert tab.evaluate(script, task) == [[task, True]] * 20


def test_the_page_notices_a_wrong_number(open_page, page_file, tmp_path):
    """Its own check fails, and says so, when one weight, or one entry of a belief table, is another one."""
    page = page_file.read_text(encoding="utf-8")
    data = json.loads(assembly.data_in(page))
    world = data["worlds"][0]
    theta = unpacked(world["agents"][0]["theta"]).copy()
    theta[-2] += 1e-3
    wrong_weight = {**world, "agents": [{**world["agents"][0], "theta": packed(theta)}, *world["agents"][1:]]}
    counting = data["worlds"][1]
    probability = unpacked(counting["outcomes"]["probability"]).copy()
    probability[0] += 1e-6
    wrong_table = {**counting, "outcomes": {**counting["outcomes"], "probability": packed(probability)}}
    unpaid = unpacked(counting["outcomes"]["reward"]) * 0
    impossible = {**counting, "outcomes": {**counting["outcomes"], "reward": packed(unpaid)}}
    pages = {"weight": (wrong_weight, "are not Python's"), "table": (wrong_table, "are not Python's"),
             "impossible": (impossible, "cannot be repeated"), "none": (world, "are Python's")}  # fmt: skip
    for name, (shown, said) in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(assembly.assembled(json.dumps({"version": "0", "worlds": [shown]})), encoding="utf-8")
        opened = open_page(path)
        assert opened.get_attribute("#check", "data-sound") == ("true" if name == "none" else "false")
        assert said in opened.inner_text("#check")
