/*
 * Play: a person in a trial, the agent in the same one under cover, and both compared.
 */

const ARROWS = {
  2: ["ArrowLeft", "ArrowRight"],
  tiger: ["ArrowUp", "ArrowLeft", "ArrowRight"],
  gridworld: ["s", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"],
};
const KEY_SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

/** The person's game. */
const game = { number: 1, trial: null, belief: null, compared: false };

/** The key of each action of a task set: array (A,); digits where there are no better ones. */
function keysOf(world) {
  const A = world.actions.length;
  return ARROWS[world.env] ?? ARROWS[A] ?? Array.from({ length: A }, (_, a) => String(a));
}

/** Begin the person's trial on a number. */
function beginGame(number) {
  game.number = number;
  game.trial = new Trial(lab.world, luckOf(number));
  game.belief = new Belief(lab.world).begin(game.trial.observation);
  game.compared = false;
}

/** The person acts. */
function playAction(action) {
  if (game.trial.over || game.compared) return;
  const happened = game.trial.step(action);
  game.belief.update(happened.action, happened.observation, happened.rewardIndex);
  if (game.trial.over) compareGames();
  else drawPlay();
  announce(sentenceOf(lab.world, game.trial, "You"));
}

/** Uncover the agent's moves. */
function compareGames() {
  game.compared = true;
  drawPlay();
  byId("play-result").scrollIntoView({ block: "nearest" });
  if (!game.trial.over) announce(byId("result-sentence").textContent);
}

/** The agent in the person's trial, as far as the person has come, or to the end. */
function rivalPlayer() {
  const rival = new Player(lab.world, lab.agent, luckOf(game.number));
  const stop = game.trial.over ? () => false : (player) => player.trial.time >= game.trial.time;
  return rival.playUntil(stop);
}

/** Show the person's trial. */
function drawPlay() {
  const { world } = lab;
  const { trial } = game;
  const done = trial.over || game.compared;
  const hint = byId("play-hint").checked;
  byId("play-scene").dataset.agent = "you";
  drawScene("play-scene", { world, trial, revealed: done, exact: hint ? game.belief.hypotheses() : null });
  drawMoves(done);
  const where = whereInTrial(world, trial);
  const next = done ? "" : ` ${where[0].toUpperCase()}${where.slice(1)}: your move.`;
  byId("play-status").textContent = trial.time === 0 ? next.trim() : sentenceOf(world, trial, "You") + next;
  drawScore(done);
  const exact = game.belief.hypotheses();
  const truth = done ? trial.truth : null;
  show("play-belief", ...(hint ? beliefPicture(world, exact, null, truth, null) : []));
  byId("play-again").classList.toggle("primary", done);
  byId("play-compare").disabled = done || trial.time === 0;
  byId("play-result").hidden = !done;
  if (done) drawResult();
}

/** The buttons of the actions; they are made anew only for another task set, so that the focus stays. */
function drawMoves(done) {
  const { world } = lab;
  const box = byId("play-actions");
  if (box.dataset.world !== world.title) {
    box.dataset.world = world.title;
    const keys = keysOf(world);
    box.replaceChildren(
      ...world.actions.map((name, a) => {
        const key = html("kbd", { "aria-hidden": "true" }, KEY_SIGNS[keys[a]] ?? keys[a]);
        const button = html("button", { type: "button", "aria-keyshortcuts": keys[a], "data-action": a }, name, key);
        button.addEventListener("click", () => playAction(a));
        return button;
      }),
    );
  }
  for (const button of box.children) button.disabled = done;
}

/** The person's score, and how far the agent is. */
function drawScore(done) {
  const { trial } = game;
  const dot = (who) => html("span", { class: "dot", "data-agent": who });
  const rows = [[html("dt", {}, dot("you"), "You"), html("dd", { class: "large" }, short(trial.reward))]];
  if (!sameLength(lab.world)) rows.push([html("dt", {}, "Steps"), html("dd", {}, String(trial.time))]);
  const rival = done ? short(rivalPlayer().trial.reward) : "covered";
  rows.push([
    html("dt", {}, dot(lab.agent.name), lab.agent.label),
    html("dd", { class: done ? "large" : null }, rival),
  ]);
  const optimum = optimumText(lab.world);
  if (optimum !== null) {
    const steps =
      sameLength(lab.world) || lab.world.optimum.steps === null ? "" : ` in ${short(lab.world.optimum.steps)} steps`;
    rows.push([html("dt", {}, "Best possible, on average"), html("dd", {}, `${optimum}${steps}`)]);
  }
  show("play-score", ...rows.flat());
}

/** Both trials beside the optimum. */
function drawResult() {
  const { world, agent } = lab;
  const { trial } = game;
  const rival = rivalPlayer().trial;
  const more = Math.sign(Math.round(1e6 * (trial.reward - rival.reward)));
  const verdict = ["less than", "as much as", "more than"][more + 1];
  const earned = `You earned ${short(trial.reward)}, ${verdict} ${agent.label} with ${short(rival.reward)}`;
  const steps = sameLength(world) ? "" : `; you took ${trial.time} steps, ${agent.label} ${rival.time}`;
  const hidden = world.hidden === "task" ? ` Hidden was: ${world.hypotheses[trial.task]}.` : "";
  byId("result-sentence").textContent = `${earned}${steps}.${hidden}`;
  show("result-table", resultTable(trial, rival));
  const series = [
    { history: trial.history, colour: "var(--you)", label: "You" },
    { history: rival.history, colour: `var(--${agent.name})`, label: agent.label },
  ];
  const legend = series.map(({ label }, i) => {
    return html("span", {}, html("i", { "data-agent": i === 0 ? "you" : agent.name }), label);
  });
  show("result-lanes", html("p", { class: "legend" }, ...legend), lanesPicture(world, widthOf("result-lanes"), series));
}

/** Reward and steps of both trials, of the agent on average, and of the optimum. */
function resultTable(trial, rival) {
  const { world, agent } = lab;
  const withSteps = !sameLength(world);
  const row = (who, label, reward, steps) => {
    const head = who === null ? label : [html("span", { class: "dot", "data-agent": who }), label];
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, ...[head].flat()),
      html("td", {}, reward),
      withSteps ? html("td", {}, steps) : null,
    );
  };
  const optimum = optimumText(world);
  const rows = [
    row("you", "You, this trial", short(trial.reward), String(trial.time)),
    row(agent.name, `${agent.label}, this trial`, short(rival.reward), String(rival.time)),
    row(agent.name, `${agent.label}, mean of 100 test trials`, short(agent.test.reward), short(agent.test.steps)),
  ];
  if (optimum !== null) {
    const steps = world.optimum.steps === null ? "" : short(world.optimum.steps);
    rows.push(row(null, "Bayes-optimal, expected over all tasks", optimum, steps));
  }
  const head = html(
    "tr",
    {},
    html("th", { scope: "col" }, html("span", { class: "unseen" }, "Who")),
    html("th", { scope: "col" }, "reward"),
    withSteps ? html("th", { scope: "col" }, "steps") : null,
  );
  return html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows));
}

/** A key in play: act, unless it belongs to a control. */
function playKey(event) {
  if (lab.mode !== "play" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, [role=tablist], .tour")) return;
  const action = keysOf(lab.world).indexOf(event.key);
  if (action < 0) return;
  event.preventDefault();
  playAction(action);
}

/** Connect the controls of the play panel. */
function connectPlay() {
  byId("play-compare").addEventListener("click", compareGames);
  byId("play-again").addEventListener("click", () => {
    beginGame(game.number + 1);
    drawPlay();
    announce("A new trial with another hidden task.");
  });
  byId("play-watch").addEventListener("click", () => {
    openMode("watch");
    restartAt(game.number);
    byId("lab").scrollIntoView({ block: "start" });
    byId("step").focus({ preventScroll: true });
  });
  byId("play-hint").addEventListener("change", drawPlay);
  document.addEventListener("keydown", playKey);
}
