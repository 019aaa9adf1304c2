/*
 * The exact Bayes filter (Alver & Precup 2021, Eq. 1) on the task set's sparse table, in float64.
 *
 *     b'(m, s') ∝ Σ_s P_m(s, a, s') O_m(a, s', o) 1[R_m(s, a, s') = r] b(m, s)
 *
 * Twins: tinymeta/optimum/filter.py and belief.py. A belief maps the joint index (clock·M + task)·S + state to its
 * probability; what is impossible has no entry.
 */

/** Where in the table the outcomes of an action are; `last`: the final step of an episode of fixed length. */
function outcomeAddress(rules, last, task, state, action) {
  return (((last ? 1 : 0) * rules.num_tasks + task) * rules.num_states + state) * rules.num_actions + action;
}

/** The index of a reward in the table, compared as float32; -1 where the task set never pays it. */
function rewardIndex(outcomes, reward) {
  return outcomes.reward_value.findIndex((value) => Math.fround(value) === Math.fround(reward));
}

/** The exact belief along one trial. */
class Belief {
  /** @param world a task set: {outcomes, rules, hidden} */
  constructor(world) {
    this.world = world;
    this.weights = new Map();
    this.steps = 0;
  }

  /** Take in a trial's first observation. Returns the belief. */
  begin(observation) {
    const { outcomes, rules } = this.world;
    this.steps = 0;
    const weights = new Map();
    for (let m = 0; m < rules.num_tasks; m++) {
      for (let i = outcomes.initial_start[m]; i < outcomes.initial_start[m + 1]; i++) {
        if (outcomes.initial_observation[i] !== observation) continue;
        const joint = m * rules.num_states + outcomes.initial_state[i];
        add(weights, joint, outcomes.prior[m] * outcomes.initial_probability[i]);
      }
    }
    this.normalise(weights, `first observation ${observation}`);
    return this;
  }

  /**
   * Take in one step: the action, the observation that followed (null if the trial ended: then the belief stays) and
   * the reward's index. Impossible evidence is an error, never a silent renormalisation. Returns the belief.
   */
  update(action, observation, reward) {
    const following = new Map();
    for (const [joint, weight] of this.weights) this.weigh(joint, weight, action, observation, reward, following);
    this.steps += 1;
    const evidence = `action ${action}, observation ${observation} and reward index ${reward}`;
    this.normalise(following, evidence, observation === null);
    return this;
  }

  /** Add to `following` the outcomes of one joint index that agree with the evidence. */
  weigh(joint, weight, action, observation, reward, following) {
    const { outcomes, rules } = this.world;
    const { num_tasks: M, num_states: S } = rules;
    const fixed = rules.episode_length > 0;
    const length = Math.max(rules.episode_length, 1);
    const clock = Math.floor(joint / (M * S));
    const task = Math.floor(joint / S) % M;
    const episode = Math.floor(clock / length);
    const last = fixed && clock % length === length - 1;
    const address = outcomeAddress(rules, last, task, joint % S, action);
    for (let i = outcomes.start[address]; i < outcomes.start[address + 1]; i++) {
      if (outcomes.reward[i] !== reward) continue;
      const over = outcomes.ended[i] === 1 && episode + 1 === rules.episodes;
      if (over !== (observation === null) || (!over && outcomes.observation[i] !== observation)) continue;
      const next = outcomes.ended[i] ? (episode + 1) * length : clock + (fixed ? 1 : 0);
      add(following, (next * M + task) * S + outcomes.state[i], weight * outcomes.probability[i]);
    }
  }

  /** Make weights / their sum the belief, unless only their possibility is asked for. */
  normalise(weights, evidence, only = false) {
    let total = 0;
    for (const weight of weights.values()) total += weight;
    if (total === 0) throw new Error(`impossible evidence at step ${this.steps}: ${evidence}`);
    if (only) return;
    for (const [joint, weight] of weights) weights.set(joint, weight / total);
    this.weights = weights;
  }

  /** What the belief is about, summed over the rest: the task where there are several, else the state: array (V,). */
  hypotheses() {
    const { num_tasks: M, num_states: S } = this.world.rules;
    const result = new Float64Array(this.world.hidden === "task" ? M : S);
    for (const [joint, weight] of this.weights) {
      result[this.world.hidden === "task" ? Math.floor(joint / S) % M : joint % S] += weight;
    }
    return result;
  }
}

/** Add a positive weight to an entry of a map. */
function add(weights, key, weight) {
  if (weight > 0) weights.set(key, (weights.get(key) ?? 0) + weight);
}
