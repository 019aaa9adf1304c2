/*
 * Pictures of the tasks: what whoever acts sees, and, once it is revealed, what was hidden.
 *
 * A view is {world, trial, revealed, exact}: exact is the belief that colours the gridworld, or null.
 */

/** Fill an element with the picture of a trial. */
function drawScene(id, view) {
  show(id, (SCENES[view.world.env] ?? plainScene)(view, widthOf(id)));
}

/** Arms with what they have paid so far. */
function banditScene({ world, trial, revealed }) {
  const last = trial.history[trial.history.length - 1];
  const arms = world.actions.map((name, a) => {
    const pulls = trial.history.filter(({ action }) => action === a);
    const won = pulls.filter(({ reward }) => reward > 0).length;
    const coins = pulls.map(({ reward }) => html("i", { class: reward > 0 ? "won" : null }));
    const note = revealed
      ? `pays with probability ${fixed(chanceOf(world, trial.task, a))}`
      : "pays with a hidden probability";
    return html(
      "div",
      { class: last && last.action === a ? "arm last" : "arm" },
      html("b", {}, name),
      html("p", { class: "tally" }, `${won} `, html("small", {}, `won of ${pulls.length}`)),
      html("div", { class: "coins", "aria-hidden": "true" }, ...coins),
      html("p", { class: "note" }, note),
    );
  });
  return html("div", { class: "arms" }, ...arms);
}

/** The probability with which an arm pays in a task. */
function chanceOf({ outcomes, rules }, task, action) {
  const address = outcomeAddress(rules, false, task, 0, action);
  let chance = 0;
  for (let i = outcomes.start[address]; i < outcomes.start[address + 1]; i++) {
    if (outcomes.reward_value[outcomes.reward[i]] > 0) chance += outcomes.probability[i];
  }
  return chance;
}

/** A row of cells, and below it the path so far, downward step by step; one line an episode. */
function corridorScene({ world, trial, revealed }, width) {
  const cells = world.rules.num_states;
  const size = Math.min(width / cells, 56);
  const left = (width - size * cells) / 2;
  const steps = Math.max(20, trial.history.length);
  const drop = Math.min(5, 160 / steps);
  const x = (cell) => left + (cell + 0.5) * size;
  const height = size + 14 + drop * steps + 28;
  const found = trial.history.some(({ ended }) => ended);
  const goal = trial.task === 0 ? 0 : cells - 1;
  const chart = picture(width, height, corridorSentence(world, trial, found || revealed, goal));
  const here = trial.over && !trial.cut ? goal : trial.observation;
  const known = found || revealed;
  for (let cell = 0; cell < cells; cell++) {
    const kind = known && cell === goal ? "cell goal" : "cell";
    const box = { x: left + cell * size + 1, y: 1, width: size - 2, height: size - 2, rx: 6 };
    chart.append(svg("rect", { class: kind, ...box }));
    const hides = !known && (cell === 0 || cell === cells - 1);
    const sign = hides ? "?" : known && cell === goal ? "goal" : "";
    if (sign === "" || cell === here) continue;
    const place = { x: x(cell), y: size / 2 + 4, "text-anchor": "middle", class: "strong" };
    chart.append(svg("text", { ...place, style: `font-size: ${clip(size / 3, 8, 13)}px` }, sign));
  }
  const field = { x: left + 1, y: size + 6, width: size * cells - 2, height: drop * steps + 16, rx: 6 };
  chart.append(svg("rect", { class: "field", ...field }));
  chart.append(...corridorPath(trial, x, size + 14, drop));
  chart.append(svg("circle", { cx: x(here), cy: size / 2, r: size * 0.27, class: "agent-fill" }));
  chart.append(svg("text", { x: left, y: height - 4 }, "the path, step by step downward"));
  return chart;
}

/** The lines of a corridor's episodes. */
function corridorPath(trial, x, top, drop) {
  const lines = [];
  let begin = 0;
  trial.history.forEach((happened, t) => {
    if (!happened.ended && t + 1 < trial.history.length) return;
    const cells = trial.history.slice(begin, t + 1).map(({ from }) => from);
    const aim = happened.action === 0 ? -1 : 1;
    const end = happened.ended ? happened.from + aim : trial.observation;
    const points = [...cells, end].map((cell, i) => `${x(cell)},${top + (begin + i) * drop}`);
    lines.push(svg("polyline", { points: points.join(" "), class: "agent-line" }));
    begin = t + 1;
  });
  return lines;
}

/** The corridor in words. */
function corridorSentence(world, trial, known, goal) {
  const where = `At cell ${trial.observation} of 0 to ${world.rules.num_states - 1}`;
  return `${where}; the goal is ${known ? `at cell ${goal}` : "not known"}.`;
}

/** The cell that pays best in each task: array (M,). */
function goalsOf(world) {
  const { outcomes, rules } = world;
  const best = Math.max(...outcomes.reward_value);
  world.goals ??= world.hypotheses.map((_, m) => {
    const start = outcomes.start[outcomeAddress(rules, false, m, 0, 0)];
    for (let i = start; ; i++) if (outcomes.reward_value[outcomes.reward[i]] === best) return outcomes.state[i];
  });
  return world.goals;
}

/** The gridworld's cells, each filled as `look(cell)` says: {opacity, kind}. */
function gridCells(world, sentence, look) {
  const side = Math.round(Math.sqrt(world.rules.num_states));
  const chart = picture(side * 40, side * 40, sentence);
  for (let cell = 0; cell < side * side; cell++) {
    const box = { x: (cell % side) * 40 + 1, y: Math.floor(cell / side) * 40 + 1, width: 38, height: 38, rx: 5 };
    const { opacity, kind } = look(cell);
    chart.append(svg("rect", { class: "cell", ...box }));
    chart.append(
      svg("rect", { ...box, fill: kind === "ink" ? "var(--ink)" : "var(--agent)", "fill-opacity": opacity }),
    );
  }
  return chart;
}

/** A ring around the goal's cell. */
function goalRing(world, cell) {
  const [x, y] = gridCentre(world, cell);
  return svg("circle", { cx: x, cy: y, r: 15, fill: "none", stroke: "var(--you)", "stroke-width": 3 });
}

/** The middle of a cell: [x, y]. */
function gridCentre(world, cell) {
  const side = Math.round(Math.sqrt(world.rules.num_states));
  return [(cell % side) * 40 + 20, Math.floor(cell / side) * 40 + 20];
}

/** The square of cells, the path of this episode, and the goal once it is known. */
function gridScene({ world, trial, revealed, exact }, width) {
  const goals = goalsOf(world);
  const goal = goals[trial.task];
  const best = Math.max(...world.outcomes.reward_value);
  const found = trial.history.some(({ reward }) => reward === best);
  const known = found || revealed;
  const aim = known ? cellName(world, goal) : "not known";
  const sentence = `At cell ${cellName(world, trial.observation)}; the goal is ${aim}.`;
  const chart = gridCells(world, sentence, (cell) => {
    const v = exact === null ? -1 : goals.indexOf(cell);
    return { opacity: v < 0 ? 0 : 0.75 * clip(exact[v], 0, 1) ** 0.7, kind: "ink" };
  });
  const now = trial.history.filter(({ episode }) => episode === trial.episode).map(({ from }) => from);
  const points = [...now, trial.observation].map((cell) => gridCentre(world, cell).join(",")).join(" ");
  chart.append(svg("polyline", { points, class: "agent-line" }));
  if (known) chart.append(goalRing(world, goal));
  const [x, y] = gridCentre(world, trial.observation);
  chart.append(svg("circle", { cx: x, cy: y, r: 9, class: "agent-fill", stroke: "var(--card)", "stroke-width": 2 }));
  chart.style.maxWidth = `${Math.min(width, 300)}px`;
  return chart;
}

/** "(2, 3)" of a cell. */
function cellName(world, cell) {
  const side = Math.round(Math.sqrt(world.rules.num_states));
  return `(${Math.floor(cell / side)}, ${cell % side})`;
}

/** Two doors, and what was heard since one was last opened. */
function tigerScene({ world, trial, revealed }) {
  const opened = trial.history.findLastIndex(({ action }) => action !== 0);
  const heard = trial.history.slice(opened + 1).map(({ observation }) => observation);
  const last = trial.history[trial.history.length - 1];
  const doors = ["left", "right"].map((side, s) => {
    const times = heard.filter((observation) => observation === s).length;
    const note = revealed ? (trial.state === s ? "the tiger is here" : "free") : "what is behind it is hidden";
    return html(
      "div",
      { class: last && last.action === s + 1 ? "arm last" : "arm" },
      html("b", {}, `${side} door`),
      html("p", { class: "tally" }, `${times} `, html("small", {}, `${times === 1 ? "time" : "times"} heard here`)),
      html("p", { class: "note" }, note),
    );
  });
  const [tiger, listening, free] = Array.from(world.outcomes.reward_value, short);
  const rewards = `Listening pays ${listening}, the free door ${free}, the tiger's ${tiger}.`;
  return html("div", {}, html("div", { class: "arms" }, ...doors), html("p", { class: "hint" }, rewards));
}

/** A task set without a picture of its own. */
function plainScene({ world, trial, revealed }) {
  const hidden = revealed ? `; hidden: ${world.hypotheses[trial.truth]}` : "";
  return html("p", { class: "tally" }, `observation ${trial.observation}, episode ${trial.episode + 1}${hidden}`);
}

const SCENES = { bandit: banditScene, corridor: corridorScene, gridworld: gridScene, tiger: tigerScene };
