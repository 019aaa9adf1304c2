/*
 * The agent in a trial, with its inside open: what it carries, what is decoded from it, and what can be changed.
 *
 * A change acts on a step, as in tinymeta/probes/transplants.py: on the state that the network carries into the step,
 * or on the reward that enters there; then the step is computed again with its own input.
 */

const NO_CHANGE = Object.freeze({ transplant: null, reset: false, push: null, lie: null });
const DONORS = 40; // trials among which a donor is looked for
const CERTAIN = 0.999; // belief from which on no better donor is looked for
const FIRST_DONOR = 100_001; // far from the numbers of trials that are played

/** [h, c] as one vector (2H,). */
function joined(state) {
  return Float64Array.from([...state.h, ...state.c]);
}

/** The belief (V,) that the agent's linear decoder reads from a state. */
function decoded(agent, state) {
  const { shift, weight, bias } = agent.decoder;
  return product(
    joined(state).map((x, f) => x - shift[f]),
    weight,
  ).map((y, v) => y + bias[v]);
}

/** A state, moved along the belief's direction until it decodes as `amount` more of hypothesis v and less of what it
 * decoded as. */
function pushed(agent, state, v, amount) {
  const H = state.h.length;
  const change = decoded(agent, state).map((p, w) => amount * ((w === v ? 1 : 0) - p));
  const move = product(change, agent.push);
  return { h: state.h.map((x, k) => x + move[k]), c: state.c.map((x, k) => x + move[H + k]) };
}

/** Where a state lies in the plane of its agent's principal components: [x, y]. */
function projected(agent, state) {
  const { mean, axes } = agent.plane;
  return Array.from(
    product(
      joined(state).map((x, f) => x - mean[f]),
      axes,
    ),
  );
}

/** An agent that plays one trial, with the exact filter beside it. */
class Player {
  constructor(world, agent, luck) {
    this.world = world;
    this.agent = agent;
    this.trial = new Trial(world, luck);
    this.belief = new Belief(world).begin(this.trial.observation);
    this.frames = []; // one a step, the last one is the step that comes
    this.changed = []; // steps at which something was changed
    this.look(zeroState(agent.layout.hidden_size));
  }

  /** The step that comes. */
  get frame() {
    return this.frames[this.frames.length - 1];
  }

  /** Compute the step that comes, from the state that is carried into it. */
  look(carried) {
    const { trial } = this;
    const before = trial.history[trial.history.length - 1];
    const input = writeInput(this.agent.layout, {
      beginsTrial: before === undefined,
      beginsEpisode: before === undefined || before.ended,
      episode: trial.episode,
      observation: trial.observation,
      prevReward: before ? before.reward : 0,
      prevAction: before ? before.action : 0,
      task: trial.task,
    });
    const exact = this.belief.hypotheses();
    const at = { time: trial.time, episode: trial.episode, elapsed: trial.elapsed, observation: trial.observation };
    this.frames.push({ ...at, input, carried, exact, truth: trial.truth, changes: NO_CHANGE });
    this.change(NO_CHANGE);
  }

  /** Compute the step that comes with some changes, in place of earlier ones. */
  change(changes) {
    const { frame, agent } = this;
    frame.changes = changes;
    let carried = changes.transplant ? changes.transplant.state : frame.carried;
    if (changes.reset) carried = zeroState(agent.layout.hidden_size);
    if (changes.push) carried = pushed(agent, carried, changes.push.hypothesis, changes.push.amount);
    const lie = changes.lie !== null && !frame.input.hidden;
    const reward = lie ? this.world.outcomes.reward_value[changes.lie] : frame.input.prevReward;
    const result = agent.network.step(carried, { ...frame.input, prevReward: reward });
    frame.state = { h: result.h, c: result.c };
    frame.logits = result.logits;
    frame.probabilities = softmax(result.logits);
    frame.decoded = decoded(agent, frame.state);
    frame.point = projected(agent, frame.state);
  }

  /** Whether the step that comes is changed. */
  get isChanged() {
    const { transplant, reset, push, lie } = this.frame.changes;
    return transplant !== null || reset || push !== null || lie !== null;
  }

  /** Act once on luck. Returns what happened, see `Trial.step`. */
  act() {
    const { trial, frame } = this;
    if (this.isChanged) this.changed.push(frame.time);
    frame.action = sampleAction(frame.probabilities, trial.luck(ACTION_UNIFORM + 2 * frame.time));
    const happened = trial.step(frame.action);
    frame.happened = happened;
    this.belief.update(happened.action, happened.observation, happened.rewardIndex);
    if (!trial.over) this.look(frame.state);
    return happened;
  }

  /** Act until `stop(player)` or the trial's end. Returns the player. */
  playUntil(stop) {
    while (!this.trial.over && !stop(this)) this.act();
    return this;
  }
}

/**
 * The state of another trial, at the same episode and step of it, whose exact belief in hypothesis v is the highest.
 * @returns {{state, number, belief, task}|null} null where no trial comes there
 */
function findDonor(world, agent, v, frame) {
  let best = null;
  for (let number = FIRST_DONOR; number < FIRST_DONOR + DONORS; number++) {
    const luck = world.hidden === "task" ? luckOfTask(luckOf(number), world, v) : luckOf(number);
    const there = (player) => player.frame.episode === frame.episode && player.frame.elapsed === frame.elapsed;
    const donor = new Player(world, agent, luck).playUntil(there);
    if (donor.trial.over || donor.frames.length < 2) continue;
    const belief = donor.frames[donor.frames.length - 2].exact[v]; // what its carried state has seen
    if (best === null || belief > best.belief) {
      best = { state: donor.frame.carried, number, belief, task: donor.trial.task };
    }
    if (best.belief >= CERTAIN) break;
  }
  return best;
}

/** The largest differences between this page and Python on the recorded trial of an agent: {logits, belief}. */
function arithmetic(world, agent) {
  const { recorded } = agent;
  const belief = new Belief(world);
  const worst = { logits: 0, belief: 0 };
  const [V, A] = [recorded.belief.shape[1], recorded.logits.shape[1]];
  let state = zeroState(agent.layout.hidden_size);
  for (let t = 0; t < recorded.action.length; t++) {
    const before = t > 0 ? { prevReward: recorded.reward[t - 1], prevAction: recorded.action[t - 1] } : {};
    const beginsEpisode = t === 0 || recorded.episode[t] > recorded.episode[t - 1];
    const now = { observation: recorded.observation[t], episode: recorded.episode[t], task: recorded.task };
    state = agent.network.step(
      state,
      writeInput(agent.layout, { beginsTrial: t === 0, beginsEpisode, ...now, ...before }),
    );
    if (t === 0) belief.begin(now.observation);
    else belief.update(before.prevAction, now.observation, rewardIndex(world.outcomes, before.prevReward));
    const far = (mine, theirs, width, worstSoFar) =>
      mine.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[t * width + i])), worstSoFar);
    worst.logits = far(state.logits, recorded.logits, A, worst.logits);
    worst.belief = far(belief.hypotheses(), recorded.belief, V, worst.belief);
  }
  return worst;
}
