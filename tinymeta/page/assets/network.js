/*
 * The agent's network with frozen weights: one LSTM cell and two linear heads, and the one place where a wiring acts.
 *
 * Twins: tinymeta/network/lstm.py, heads.py and flat.py; tinymeta/learning/rows.py (`write_input`). All in float64;
 * Python trains in float32, and the logits agree to 1e-5.
 */

/** The state before a trial: h and c (H,) of zeros. */
function zeroState(H) {
  return { h: new Float64Array(H), c: new Float64Array(H) };
}

/**
 * What enters the network at a step, as its wiring has it.
 * @param layout the agent's columns and sizes
 * @param moment {beginsTrial, beginsEpisode, episode, observation, prevReward, prevAction, task}
 * @returns {{columns: number[], prevReward: number, reset: boolean, hidden: boolean}} columns that are 1; hidden: the
 *   last reward and action do not enter
 */
function writeInput(layout, moment) {
  const alone = moment.beginsTrial || !layout.recurrent;
  const hidden = alone || (moment.beginsEpisode && !layout.sees_across);
  const columns = [];
  if (layout.observation_column >= 0) columns.push(layout.observation_column + moment.observation);
  if (!hidden) columns.push(layout.action_column + moment.prevAction);
  if (moment.episode >= layout.identity_from) columns.push(layout.identity_column + moment.task);
  const reset = alone || (moment.beginsEpisode && !layout.carries_state);
  return { columns, prevReward: hidden ? 0 : moment.prevReward, reset, hidden };
}

/** A network with frozen weights. */
class Network {
  /**
   * Views into the flat vector of parameters, as `split` in tinymeta/network/flat.py.
   * @param layout the agent's sizes: D input_size, H hidden_size, A num_actions
   * @param theta flat parameters (P,)
   */
  constructor(layout, theta) {
    const D = layout.input_size;
    const H = layout.hidden_size;
    const A = layout.num_actions;
    let at = 0;
    const view = (size) => theta.subarray(at, (at += size));
    this.layout = layout;
    this.weightX = view(D * 4 * H); // (D, 4H)
    this.weightH = view(H * 4 * H); // (H, 4H)
    this.bias = view(4 * H);
    this.headWeight = view((A + 1) * H); // (A + 1, H), the value's row last
    this.headBias = view(A + 1);
  }

  /**
   * One step from the state {h, c} before it.
   * @returns {{h: Float64Array, c: Float64Array, logits: Float64Array, value: number}}
   */
  step(before, input) {
    const H = this.layout.hidden_size;
    const from = input.reset ? zeroState(H) : before;
    const gates = this.preactivations(from.h, input);
    const sigmoid = (a) => 0.5 + 0.5 * Math.tanh(0.5 * a);
    const h = new Float64Array(H);
    const c = new Float64Array(H);
    for (let k = 0; k < H; k++) {
      const i = sigmoid(gates[k]);
      const f = sigmoid(gates[H + k]);
      const g = Math.tanh(gates[2 * H + k]);
      const o = sigmoid(gates[3 * H + k]);
      c[k] = f * from.c[k] + i * g;
      h[k] = o * Math.tanh(c[k]);
    }
    const heads = this.heads(h);
    return { h, c, logits: heads.slice(0, -1), value: heads[heads.length - 1] };
  }

  /** x·W_x + h·W_h + bias, gate order i, f, g, o: array (4H,). */
  preactivations(h, input) {
    const gates = Float64Array.from(this.bias);
    const J = gates.length;
    const add = (weight, row, factor) => {
      for (let j = 0; j < J; j++) gates[j] += factor * weight[row * J + j];
    };
    add(this.weightX, this.layout.reward_column, input.prevReward);
    for (const column of input.columns) add(this.weightX, column, 1);
    for (let k = 0; k < h.length; k++) if (h[k] !== 0) add(this.weightH, k, h[k]);
    return gates;
  }

  /** Logits and value from h: array (A + 1,). */
  heads(h) {
    return Float64Array.from(this.headBias, (bias, j) => {
      let total = bias;
      for (let k = 0; k < h.length; k++) total += this.headWeight[j * h.length + k] * h[k];
      return total;
    });
  }
}
