/*
 * Watch: the agent's trial, step by step or running, with its belief, its policy and its state.
 */

/** The clock of a running trial. */
const clock = { timer: null };

/** The agent takes one step; what was changed at it is kept in mind by a twin that nothing is done to. */
function stepAgent() {
  const { player } = lab;
  if (player.trial.over) return;
  if (player.isChanged && lab.twin === null) {
    lab.twin = new Player(lab.world, lab.agent, luckOf(lab.number));
    lab.twin.playUntil((twin) => twin.trial.time >= player.trial.time);
  }
  player.act();
  if (lab.twin !== null && !lab.twin.trial.over) lab.twin.act();
  clearTools();
}

/** One step, shown and said. */
function stepOnce() {
  stepAgent();
  drawInside();
  announce(`${byId("step-status").textContent} ${beliefSentence()}`);
}

/** The belief in words. */
function beliefSentence() {
  const { exact, decoded: read } = lab.player.frame;
  const v = argmax(exact);
  return `Exact belief in ${lab.world.hypotheses[v]}: ${fixed(exact[v])}, decoded ${fixed(read[v])}.`;
}

/** Run on, step by step, until paused or the trial's end. */
function run() {
  if (lab.player.trial.over) beginTrial(lab.number);
  byId("run").setAttribute("aria-pressed", "true");
  byId("run").textContent = "Pause";
  tick();
}

/** A step of a running trial, and the next one in a while. */
function tick() {
  stepAgent();
  drawInside();
  if (lab.player.trial.over) {
    pause();
    announce(`${byId("step-status").textContent} ${beliefSentence()}`);
    return;
  }
  clock.timer = setTimeout(tick, Number(byId("speed").value));
}

/** Stop running. */
function pause() {
  clearTimeout(clock.timer);
  clock.timer = null;
  byId("run").setAttribute("aria-pressed", "false");
  byId("run").textContent = "Run";
}

/** On to the next episode's beginning; where episodes have one step, ten steps on. */
function leap() {
  const from = lab.player.trial.episode;
  const goal = oneStepEpisodes(lab.world) ? from + 10 : from + 1;
  while (!lab.player.trial.over && lab.player.trial.episode < goal) stepAgent();
  drawInside();
  announce(`${byId("step-status").textContent} ${beliefSentence()}`);
}

/** Show the agent's trial. */
function drawInside() {
  const { world, agent, player, twin } = lab;
  const { trial, frame } = player;
  byId("scene").dataset.agent = agent.name;
  drawScene("scene", { world, trial, revealed: true, exact: frame.exact });
  const next = trial.over ? "" : ` Next is ${whereInTrial(world, trial)}.`;
  byId("step-status").textContent = sentenceOf(world, trial, agent.label) + next;
  for (const id of ["step", "leap"]) byId(id).disabled = trial.over;
  byId("leap").textContent = oneStepEpisodes(world) ? "Ten steps" : "To the next episode";
  byId("leap").hidden = world.rules.episodes === 1;
  byId("trial").value = String(lab.number);
  show("belief", ...beliefPicture(world, frame.exact, frame.decoded, frame.truth, agent.label));
  byId("r2").textContent = `(held-out R² ${fixed(agent.decoder.r2, 3)})`;
  byId("told").textContent = toldSentence(agent, frame);
  drawActions();
  drawCourse();
  const points = player.frames.map(({ point }) => point);
  show("plane", planePicture(world, agent, points));
  byId("plane-hint").textContent = planeHint(world);
  if (lab.mode === "intervene") drawTools();
  if (twin === null) byId("lanes-hint").textContent = lanesHint(world);
}

/** Whether the agent is told at this step what the ideal observer is not. */
function toldSentence(agent, frame) {
  if (frame.episode < agent.layout.identity_from) return "";
  return `${agent.label} is told the task at this step; the ideal observer is not.`;
}

/** The probabilities of the actions; where something was changed, marked with what they would be without. */
function drawActions() {
  const { world, player, twin } = lab;
  let ghost = null;
  if (player.isChanged) ghost = unchangedProbabilities();
  else if (twin !== null && !twin.trial.over && !player.trial.over) ghost = twin.frame.probabilities;
  show("actions", ...actionPicture(world, player.frame.probabilities, ghost));
  const marked = ghost === null ? "" : " The line in each bar marks what it would be had nothing been changed.";
  const at = lab.player.trial.over ? "the last step" : "the step that comes";
  byId("actions-hint").textContent = `The probability of each action at ${at}.${marked}`;
}

/** The policy (A,) at the step that comes without the changes of this step. */
function unchangedProbabilities() {
  const { player, twin } = lab;
  if (twin !== null && !twin.trial.over) return twin.frame.probabilities;
  const { input, carried } = player.frame;
  return softmax(lab.agent.network.step(carried, input).logits);
}

/** The trial's course, beside that of the twin to which nothing was done. */
function drawCourse() {
  const { world, agent, player, twin } = lab;
  const series = [{ history: player.trial.history, colour: `var(--${agent.name})`, label: agent.label }];
  const legend = [html("span", {}, html("i", { "data-agent": agent.name }), agent.label)];
  if (twin !== null) {
    series.push({ history: twin.trial.history, colour: "var(--muted)", label: "the same trial, unchanged" });
    legend.push(html("span", {}, html("i", { style: "background: var(--muted)" }), "the same trial, nothing changed"));
    const scores = `${short(player.trial.reward)} with the change, ${short(twin.trial.reward)} without`;
    byId("lanes-hint").textContent = `Same task, same luck. Reward so far: ${scores}.`;
  }
  const head = twin === null ? [] : [html("p", { class: "legend" }, ...legend)];
  show("lanes", ...head, lanesPicture(world, widthOf("lanes"), series, player.changed));
}

/** What the marks in the picture of the trial's course mean. */
function lanesHint(world) {
  const cross = world.outcomes.reward_value.length > 2 ? ", crossed where it lost" : "";
  const reward = `Reward so far: ${short(lab.player.trial.reward)}.`;
  return `One lane an action, one mark a step; full where it paid most${cross}. ${reward}`;
}

/** What the colours of the plane mean. */
function planeHint(world) {
  const few = world.hypotheses.length <= 2;
  const what = few
    ? `belief in “${world.hypotheses[0]}” from dark (0) to bright (1)`
    : "certainty, bright where it is certain";
  return `Each small dot is a state from other trials, coloured by the exact ${what}; the large one is now.`;
}

/** Connect the controls of a watched trial. */
function connectWatch() {
  byId("step").addEventListener("click", () => {
    pause();
    stepOnce();
  });
  byId("run").addEventListener("click", () => (clock.timer === null ? run() : pause()));
  byId("leap").addEventListener("click", () => {
    pause();
    leap();
  });
  byId("restart").addEventListener("click", () => restartAt(lab.number));
  byId("next-trial").addEventListener("click", () => restartAt(lab.number + 1));
  byId("trial").addEventListener("change", () => {
    const number = Math.round(Number(byId("trial").value));
    restartAt(Number.isFinite(number) ? clip(number, 1, 100000) : lab.number);
  });
}

/** Begin a trial and show it. */
function restartAt(number) {
  pause();
  beginTrial(number);
  clearTools();
  drawInside();
  announce(`Trial ${number}. ${byId("step-status").textContent}`);
}
