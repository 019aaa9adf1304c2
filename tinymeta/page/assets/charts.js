/*
 * Live pictures of numbers: beliefs, probabilities, the trial's course, the plane of states.
 */

// Stops of Matplotlib's cividis, the colours of figures/state-space.
const CIVIDIS = [
  [0, 34, 78],
  [53, 69, 108],
  [102, 105, 112],
  [148, 142, 119],
  [200, 184, 102],
  [254, 232, 56],
];
const FEW = 4; // hypotheses up to which each has bars of its own

/** The colour of a number in [0, 1]. */
function cividis(x) {
  const at = clip(x, 0, 1) * (CIVIDIS.length - 1);
  const i = Math.min(Math.floor(at), CIVIDIS.length - 2);
  const mix = (a, b) => Math.round(a + (at - i) * (b - a));
  return `rgb(${CIVIDIS[i].map((low, k) => mix(low, CIVIDIS[i + 1][k])).join(" ")})`;
}

/** A horizontal bar of a probability, with its number; `ghost` marks another probability in it. */
function meter(p, kind, ghost = null) {
  const track = html("div", { class: "track" }, html("div", { class: "fill", style: `width:${100 * clip(p, 0, 1)}%` }));
  if (ghost !== null) track.append(html("div", { class: "ghost", style: `left:${100 * clip(ghost, 0, 1)}%` }));
  return html("div", { class: `meter ${kind}` }, track, html("span", {}, fixed(p)));
}

/** The legend of exact and decoded belief; only the exact one where there is no agent. */
function beliefLegend(label) {
  const exact = html("span", {}, html("i", { class: "ink" }), "exact");
  const read = label === null ? null : html("span", {}, html("i"), `decoded from ${label}`);
  return html("p", { class: "legend" }, ...[exact, read].filter((part) => part !== null));
}

/**
 * Exact beside decoded belief, as bars, as maps of the gridworld, or as columns.
 * @param world its hypotheses name the rows
 * @param exact (V,)
 * @param read (V,), decoded; null where there is no agent
 * @param truth the hypothesis to be marked as true; null for none
 * @param label the agent's
 */
function beliefPicture(world, exact, read, truth, label) {
  if (world.env === "gridworld") return beliefMaps(world, exact, read, truth, label);
  if (exact.length > FEW) return [beliefLegend(label), beliefColumns(world, exact, read, truth)];
  const rows = world.hypotheses.map((name, v) => {
    const head = html("div", { class: "pair-head" }, html("span", {}, name));
    if (v === truth) head.append(html("span", { class: "true" }, "true"));
    return html("div", {}, head, meter(exact[v], "exact"), read === null ? "" : meter(read[v], "decoded"));
  });
  return [beliefLegend(label), html("div", { class: "bars" }, ...rows)];
}

/** Many hypotheses: the exact belief as columns, the decoded one as dots. */
function beliefColumns(world, exact, read, truth) {
  const [width, height, V] = [420, 150, exact.length];
  const top = Math.max(0.2, ...exact);
  const x = (v) => ((v + 0.5) * width) / V;
  const y = (p) => height - 22 - (clip(p, 0, top) / top) * (height - 34);
  const sentence = `Belief over ${V} hypotheses; the likeliest is ${world.hypotheses[argmax(exact)]}.`;
  const chart = picture(width, height, sentence, svg("path", { class: "rule", d: `M0 ${y(0)}H${width}` }));
  for (let v = 0; v < V; v++) {
    chart.append(
      svg("path", { d: `M${x(v)} ${y(0)}V${y(exact[v])}`, class: "ink-line", "stroke-width": (0.6 * width) / V }),
    );
    if (read !== null) chart.append(svg("circle", { cx: x(v), cy: y(read[v]), r: 3, class: "agent-fill" }));
  }
  const marked = truth === null ? argmax(exact) : truth;
  const anchor = marked < V / 3 ? "start" : marked > (2 * V) / 3 ? "end" : "middle";
  const note = `${world.hypotheses[marked]}${truth === null ? "" : ", true"}`;
  chart.append(svg("text", { x: x(marked), y: height - 6, "text-anchor": anchor, class: "strong" }, note));
  return chart;
}

/** The gridworld's beliefs as two maps of the cells. */
function beliefMaps(world, exact, read, truth, label) {
  const map = (belief, caption, kind) => {
    const chart = gridCells(world, `${caption}: ${likeliest(world, belief)}.`, (cell) => {
      const v = goalsOf(world).indexOf(cell);
      return { opacity: v < 0 ? 0 : clip(belief[v], 0, 1) ** 0.7, kind };
    });
    if (truth !== null) chart.append(goalRing(world, goalsOf(world)[truth]));
    return html("figure", { class: "scene" }, chart, html("figcaption", {}, `${caption}: ${likeliest(world, belief)}`));
  };
  const maps = [map(exact, "exact", "ink")];
  if (read !== null) maps.push(map(read, `decoded from ${label}`, "agent"));
  return [html("div", { class: "maps" }, ...maps)];
}

/** "goal (2, 3), 0.97" of the likeliest hypothesis. */
function likeliest(world, belief) {
  const v = argmax(belief);
  return `${world.hypotheses[v]}, ${fixed(belief[v])}`;
}

/** The probability of each action; `ghost` (A,) marks what it would be without a change. */
function actionPicture(world, probabilities, ghost) {
  const rows = world.actions.map((name, a) => {
    const bar = meter(probabilities[a], "policy", ghost === null ? null : ghost[a]);
    bar.prepend(html("span", { class: "name" }, name));
    return bar;
  });
  return [html("div", { class: "policies" }, ...rows)];
}

/** How a reward is drawn: "full" for the best, "cross" for a loss where there are several, else "hollow". */
function markOf(world, reward) {
  const values = Array.from(world.outcomes.reward_value);
  if (reward === Math.max(...values)) return "full";
  return values.length > 2 && reward === Math.min(...values) ? "cross" : "hollow";
}

/** One step in the picture of a trial's course. */
function stepMark(x, y, r, mark, colour) {
  if (mark === "cross") {
    const d = `M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}`;
    return svg("path", { d, stroke: colour, "stroke-width": 2, fill: "none" });
  }
  const fill = mark === "full" ? colour : "none";
  return svg("circle", { cx: x, cy: y, r, fill, stroke: colour, "stroke-width": Math.min(1.5, r / 2 + 0.2) });
}

/**
 * A trial step by step: one lane an action, a mark a step, full where it paid most.
 * @param width of the picture
 * @param series [{history, colour, label}], drawn above each other within a lane
 * @param changed steps at which something was changed
 */
function lanesPicture(world, width, series, changed = []) {
  const { rules } = world;
  const longest = Math.max(1, ...series.map(({ history }) => history.length));
  const steps = Math.max(longest, rules.episode_length > 0 || rules.step_limit <= 100 ? plannedSteps(world) : 1);
  const left = 8 + 7 * Math.max(...world.actions.map((name) => name.length));
  const lane = series.length > 1 ? 30 : 24;
  const height = world.actions.length * lane + 24;
  const x = (t) => left + ((t + 0.5) * (width - left)) / steps;
  const y = (a, i) => a * lane + (lane * (i + 0.5)) / series.length;
  const r = clip(((width - left) / steps) * 0.36, 1.3, 5);
  const chart = picture(width, height, lanesSentence(world, series));
  for (const time of changed) {
    chart.append(svg("path", { d: `M${x(time)} 0V${height - 20}`, class: "ink-line", "stroke-dasharray": "3 3" }));
    chart.append(svg("text", { x: x(time), y: height - 6, "text-anchor": "middle", class: "strong" }, "changed"));
  }
  world.actions.forEach((name, a) => {
    chart.append(svg("path", { class: "rule", d: `M${left} ${(a + 0.5) * lane}H${width}` }));
    chart.append(svg("text", { x: 0, y: (a + 0.5) * lane + 4 }, name));
  });
  series.forEach(({ history, colour }, i) => {
    history.forEach((happened, t) => {
      chart.append(stepMark(x(t), y(happened.action, i), r, markOf(world, happened.reward), colour));
      const ends = happened.ended && rules.step_limit > rules.episodes && t + 1 < history.length && i === 0;
      if (ends) chart.append(svg("path", { class: "rule", d: `M${(x(t) + x(t + 1)) / 2} 0V${height - 20}` }));
    });
  });
  if (changed.length === 0) chart.append(svg("text", { x: left, y: height - 6 }, "step 1"));
  if (!changed.includes(steps - 1)) {
    chart.append(svg("text", { x: width, y: height - 6, "text-anchor": "end" }, `${steps}`));
  }
  return chart;
}

/** Steps for which there is room in the picture from the beginning. */
function plannedSteps(world) {
  const { rules } = world;
  if (rules.episode_length > 0) return rules.episodes * rules.episode_length;
  return rules.step_limit === rules.episodes ? rules.episodes : 20;
}

/** The picture of a trial's course in words. */
function lanesSentence(world, series) {
  const counted = series.map(({ history, label }) => {
    const counts = world.actions.map((name, a) => `${name} ${history.filter(({ action }) => action === a).length}`);
    return `${label}: ${history.length} steps, ${counts.join(", ")}`;
  });
  return `${counted.join("; ")}.`;
}

/**
 * The plane of an agent's states: the cloud of recorded states coloured by their belief, and the trial's path in it.
 * @param points [[x, y]] along the trial; the last one is now
 */
function planePicture(world, agent, points) {
  const [width, height, edge] = [420, 270, 14];
  const { cloud, belief } = agent.plane;
  const n = belief.length;
  const xs = [...points.map(([x]) => x), ...Array.from({ length: n }, (_, i) => cloud[2 * i])];
  const ys = [...points.map(([, y]) => y), ...Array.from({ length: n }, (_, i) => cloud[2 * i + 1])];
  const scale = (values, from, to) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (value) => from + ((value - low) / Math.max(high - low, 1e-12)) * (to - from);
  };
  const x = scale(xs, edge, width - edge);
  const y = scale(ys, height - edge - 18, edge);
  const chart = picture(width, height, "The agent's state as a point in the plane of its two principal components.");
  for (let i = 0; i < n; i++) {
    const dot = {
      cx: x(cloud[2 * i]),
      cy: y(cloud[2 * i + 1]),
      r: 2.6,
      fill: cividis(belief[i]),
      "fill-opacity": 0.75,
    };
    chart.append(svg("circle", { ...dot, class: "cloud" }));
  }
  const recent = points.slice(-25);
  const path = recent.map(([px, py], i) => `${i ? "L" : "M"}${x(px)} ${y(py)}`).join("");
  chart.append(svg("path", { d: path, class: "agent-line", "stroke-opacity": 0.7 }));
  const [nowX, nowY] = points[points.length - 1];
  chart.append(
    svg("circle", { cx: x(nowX), cy: y(nowY), r: 7, class: "agent-fill", stroke: "var(--card)", "stroke-width": 2.5 }),
  );
  const [first, second] = agent.plane.share;
  chart.append(
    svg(
      "text",
      { x: width / 2, y: height - 3, "text-anchor": "middle" },
      `component 1 (${fixed(first, 0)} % of variance), upward component 2 (${fixed(second, 0)} %)`,
    ),
  );
  return chart;
}
