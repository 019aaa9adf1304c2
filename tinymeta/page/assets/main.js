/*
 * The page begins: unpack the numbers, check them, connect the controls, show the first trial.
 */

const MODES = ["play", "watch", "intervene"];

/** Play, watch or intervene. */
function setMode(mode) {
  if (mode !== lab.mode) pause();
  lab.mode = mode;
  for (const name of MODES) {
    const tab = byId(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === mode));
    tab.tabIndex = name === mode ? 0 : -1;
  }
  byId("panel-play").hidden = mode !== "play";
  byId("panel-inside").hidden = mode === "play";
  byId("panel-inside").setAttribute("aria-labelledby", mode === "play" ? "tab-watch" : `tab-${mode}`);
  byId("tools").hidden = mode !== "intervene";
}

/** Show everything as it is. */
function draw() {
  const { world, agent } = lab;
  document.documentElement.dataset.agent = agent.name;
  byId("world").value = String(lab.worlds.indexOf(world));
  drawAgents();
  byId("story").textContent = world.story;
  byId("wiring").textContent = agentSentence(agent);
  if (lab.mode === "play") drawPlay();
  else drawInside();
}

/** What an agent is, in one sentence. */
function agentSentence({ name, label, wiring, role, trained }) {
  const who = name === "untrained" ? "The untrained network" : label;
  const training = trained === 0 ? "; its weights are random" : `; trained on ${trained.toLocaleString("en")} trials`;
  return `${who}${wiring in WIRINGS ? ` ${WIRINGS[wiring]}` : `: ${role}`}${training}.`;
}

/** One radio button an agent. */
function drawAgents() {
  const { world, agent } = lab;
  const box = byId("agents");
  if (box.dataset.world !== world.title) {
    box.dataset.world = world.title;
    box.replaceChildren(
      ...world.agents.map(({ name, label }) => {
        const input = html("input", { type: "radio", name: "agent", value: name });
        input.addEventListener("change", () => chooseAgent(name));
        return html("label", {}, input, html("span", { class: "dot", "data-agent": name }), label);
      }),
    );
  }
  for (const input of box.querySelectorAll("input")) input.checked = input.value === agent.name;
}

/** The same trial with another agent. In play the person's trial goes on. */
function chooseAgent(name) {
  pause();
  chooseStage(lab.world, name);
  clearTools();
  draw();
  announce(agentSentence(lab.agent));
}

/** Another task set, with the same kind of agent. */
function chooseWorld(i) {
  pause();
  chooseStage(lab.worlds[i], lab.agent.name);
  beginGame(game.number);
  fillTools();
  draw();
  announce(lab.world.story);
}

/** Switch to a mode by its tab. */
function openMode(mode) {
  setMode(mode);
  if (mode === "play" && game.trial.world !== lab.world) beginGame(game.number);
  if (mode === "watch" && lab.player.isChanged) lab.player.change(NO_CHANGE);
  clearTools();
  draw();
}

/** Arrow keys move between the tabs. */
function tabKey(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const next = MODES[(MODES.indexOf(lab.mode) + step + MODES.length) % MODES.length];
  openMode(next);
  byId(`tab-${next}`).focus();
}

/** Whether the dark theme is on. */
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The theme button names the other theme. */
function drawTheme() {
  byId("theme").textContent = isDark() ? "Light theme" : "Dark theme";
}

/** Connect what stands above the panels. */
function connectFrame() {
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    drawTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTheme);
  options(
    "world",
    lab.worlds.map((world, i) => [i, world.title]),
  );
  byId("world").addEventListener("change", () => chooseWorld(Number(byId("world").value)));
  for (const mode of MODES) {
    byId(`tab-${mode}`).addEventListener("click", () => openMode(mode));
    byId(`tab-${mode}`).addEventListener("keydown", tabKey);
  }
  byId("begin-play").addEventListener("click", () => {
    openMode("play");
    byId("lab").scrollIntoView({ block: "start" });
    byId("play-actions").firstElementChild.focus({ preventScroll: true });
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) draw();
    width = innerWidth;
  });
}

/** The largest differences from Python over all networks' recorded trials: {logits, belief}. */
function worstArithmetic() {
  const worst = { logits: 0, belief: 0 };
  for (const world of lab.worlds) {
    for (const agent of world.agents) {
      const found = arithmetic(world, agent);
      worst.logits = Math.max(worst.logits, found.logits);
      worst.belief = Math.max(worst.belief, found.belief);
    }
  }
  return worst;
}

/** Say how well this browser's arithmetic agrees with Python's, or that it does not. */
function drawCheck() {
  const say = (sound, sentence) => {
    byId("check").dataset.sound = String(sound);
    byId("check").textContent = sentence;
  };
  try {
    const { logits, belief } = worstArithmetic();
    const agree = `logits to ${logits.toExponential(0)}, beliefs to ${belief.toExponential(0)}`;
    if (logits <= 1e-5 && belief <= 1e-9) {
      say(
        true,
        `Checked just now in this browser, on recorded trials of all networks: its numbers are Python's, ${agree}.`,
      );
    } else say(false, `This browser's numbers are not Python's (${agree}); do not trust what you see here.`);
  } catch (error) {
    say(false, `The recorded trials cannot be repeated (${error.message}); do not trust what you see here.`);
  }
}

/** Unpack the page's numbers; networks are made of their parameters. */
function begin() {
  const data = JSON.parse(byId("data").textContent);
  byId("version").textContent = `(tinymeta ${data.version})`;
  lab.worlds = unpackedDeep(data.worlds);
  for (const world of lab.worlds) {
    for (const agent of world.agents) agent.network = new Network(agent.layout, agent.theta);
  }
  lab.draw = draw;
  chooseStage(lab.worlds[0], "rl2");
  beginGame(1);
  connectFrame();
  connectPlay();
  connectWatch();
  connectTools();
  connectTour();
  fillTools();
  setMode("play");
  drawTheme();
  draw();
  setTimeout(drawCheck, 0);
}

begin();
