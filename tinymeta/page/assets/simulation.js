/*
 * Trials on the table, on numbered luck: who plays with the same number meets the same task and the same chances.
 *
 * Twins: tinymeta/learning/rollout.py (columns of luck, `step_environment`), tinymeta/environments/outcomes.py
 * (`sample_index`) and tinymeta/network/heads.py (`sample_action`). The generator is the page's own.
 */

const TASK_UNIFORM = 0;
const START_UNIFORM = 1;
const ACTION_UNIFORM = 2; // at time t, 2t further on
const OUTCOME_UNIFORM = 3;

/** 32 bits well mixed (the finaliser of MurmurHash3, Appleby). */
function mixed(x) {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The luck of trial `number`: a function from a column to a uniform number in [0, 1), of 53 bits. */
function luckOf(number) {
  const key = mixed(Math.imul(number, 0x9e3779b9) + 0x7f4a7c15);
  return (column) => {
    const high = mixed(key ^ mixed(2 * column + 1));
    const low = mixed(mixed(key + 0x165667b1) ^ mixed(2 * column + 2));
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  };
}

/** `luck`, but with task m. */
function luckOfTask(luck, world, m) {
  const cumulative = world.outcomes.prior_cumulative;
  const middle = ((m > 0 ? cumulative[m - 1] : 0) + cumulative[m]) / 2;
  return (column) => (column === TASK_UNIFORM ? middle : luck(column));
}

/** The first index in start…stop whose cumulative probability exceeds `uniform`. */
function sampleIndex(cumulative, start, stop, uniform) {
  let i = start;
  while (i < stop - 1 && uniform >= cumulative[i]) i += 1;
  return i;
}

/** An action of the policy `probabilities` (A,) from a uniform number. */
function sampleAction(probabilities, uniform) {
  const total = probabilities.reduce((sum, p) => sum + p, 0);
  let cumulative = 0;
  let action = 0;
  for (let a = 0; a < probabilities.length; a++) {
    if (probabilities[a] > 0 && cumulative <= uniform * total) action = a;
    cumulative += probabilities[a];
  }
  return action;
}

/** One trial of a task set, for whoever acts in it. */
class Trial {
  /**
   * @param world a task set: {outcomes, rules}
   * @param luck a function from a column to a uniform number
   */
  constructor(world, luck) {
    const { outcomes, rules } = world;
    this.world = world;
    this.luck = luck;
    this.task = sampleIndex(outcomes.prior_cumulative, 0, rules.num_tasks, luck(TASK_UNIFORM));
    const [start, stop] = [outcomes.initial_start[this.task], outcomes.initial_start[this.task + 1]];
    const first = sampleIndex(outcomes.initial_cumulative, start, stop, luck(START_UNIFORM));
    this.state = outcomes.initial_state[first];
    this.observation = outcomes.initial_observation[first];
    this.time = 0;
    this.episode = 0;
    this.elapsed = 0; // steps since the episode began
    this.over = false; // the last episode ended, or a step limit cut the trial
    this.cut = false;
    this.reward = 0; // so far
    this.history = []; // what each step was, see `step`
  }

  /** The hypothesis that is true now: the task where there are several, else the state. */
  get truth() {
    return this.world.hidden === "task" ? this.task : this.state;
  }

  /**
   * Act once.
   * @returns {{action, reward, rewardIndex, observation, ended, episode, from}} observation is null when the trial
   *   ended; ended: the episode did; from: the observation before
   */
  step(action) {
    if (this.over) throw new Error("the trial has ended, expected a new one before another step");
    const { outcomes, rules } = this.world;
    const last = rules.episode_length > 0 && this.elapsed + 1 === rules.episode_length;
    const address = outcomeAddress(rules, last, this.task, this.state, action);
    const [start, stop] = [outcomes.start[address], outcomes.start[address + 1]];
    const i = sampleIndex(outcomes.cumulative, start, stop, this.luck(OUTCOME_UNIFORM + 2 * this.time));
    const ended = outcomes.ended[i] === 1;
    const done = ended && this.episode + 1 === rules.episodes;
    const index = outcomes.reward[i];
    const observation = done ? null : outcomes.observation[i];
    const reward = outcomes.reward_value[index];
    const happened = { action, reward, rewardIndex: index, observation, ended, episode: this.episode };
    this.history.push({ ...happened, from: this.observation, stateBefore: this.state });
    this.reward += reward;
    this.time += 1;
    this.elapsed = ended ? 0 : this.elapsed + 1;
    this.state = outcomes.state[i];
    if (!done) this.observation = observation;
    if (ended && !done) this.episode += 1;
    this.cut = !done && this.time === rules.step_limit;
    this.over = done || this.cut;
    return this.history[this.history.length - 1];
  }
}
