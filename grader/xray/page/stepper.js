// A debugger for a GPT: every call forward, then every gradient backward, one step at a time.

/** The steps of the run, in order. */
function stepsOf(data) {
  return [
    ...data.calls.map((call, i) => ({ kind: "forward", call, i, depth: call.depth })),
    ...data.backward.map((value, i) => ({ kind: "backward", value, i, depth: 0 })),
  ];
}

/** The next step at the same depth or above; the step that called this one. */
const over = (steps, at) => steps.findIndex((s, i) => i > at && s.depth <= steps[at].depth);
const out = (steps, at) => (steps[at].kind === "forward" ? (steps[at].call.parent ?? 0) : at - 1);

/** The numbers of a value, those of a parameter included; null if they were not kept. */
function numbersOf(data, value) {
  if (value.parameter) return numbers(data.parameters[value.parameter].data);
  return value.data ? numbers(value.data) : null;
}

const shapeText = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;

function stepperSection(look) {
  const { data, state, set, watch } = look;
  const title = _("Step through it");
  const steps = stepsOf(data);
  if (steps.length === 0) return look.section("step", title, look.missing("calls"));
  const go = (step) => set({ step: Math.max(0, Math.min(steps.length - 1, step)) });
  const goOver = () => go(over(steps, state.step) < 0 ? steps.length - 1 : over(steps, state.step));
  const goBackward = () => go(data.calls.length);
  const makers = makersOf(data);

  const slider = el("input", {
    type: "range",
    min: 0,
    max: steps.length - 1,
    "aria-label": _("step"),
    oninput: () => go(Number(slider.value)),
  });
  const count = el("output", {});
  const button = (sign, name, key, action) =>
    el("button", { title: `${name} (${key})`, onclick: action }, sign);
  const bar = el(
    "div",
    { class: "bar" },
    button(_("◀ back"), _("to the step before"), "←", () => go(state.step - 1)),
    button(_("step ▶"), _("to the next step, into what is called"), "→", () => go(state.step + 1)),
    button(_("over ▼"), _("skip what it calls"), "↓", goOver),
    button(_("out ▲"), _("to its caller"), "↑", () => go(out(steps, state.step))),
    button(_("forward"), _("to the first call"), "Home", () => go(0)),
    data.backward.length
      ? button(_("backward"), _("to the first gradient"), "B", goBackward)
      : null,
    slider,
    count,
  );

  const trace = el("ol", { class: "trace", "aria-label": _("All steps") });
  const entries = steps.map((step, i) =>
    el(
      "button",
      {
        tabindex: "-1",
        onclick: () => go(i),
        style: { "padding-left": `${0.6 + 0.8 * step.depth}rem` },
      },
      step.kind === "forward" ? step.call.name : `∂ ${makers.get(step.value) ?? _("a value")}`,
    ),
  );
  entries.forEach((entry, i) => {
    const step = steps[i];
    if (i === 0) trace.append(el("li", { class: "title" }, _("forward")));
    if (step.kind === "backward" && step.i === 0)
      trace.append(el("li", { class: "title" }, _("backward")));
    if (step.kind === "forward" && step.call.name === "block")
      entry.append(` ${step.call.layer ?? ""}`);
    trace.append(el("li", {}, entry));
  });

  const pane = el("div", { class: "step" });
  const keys = {
    ArrowLeft: () => go(state.step - 1),
    ArrowRight: () => go(state.step + 1),
    ArrowDown: goOver,
    ArrowUp: () => go(out(steps, state.step)),
    Home: () => go(0),
    End: () => go(steps.length - 1),
    b: goBackward,
  };
  const box = el(
    "div",
    {
      class: "debugger",
      tabindex: "0",
      role: "group",
      "aria-label": _("Debugger: arrow keys step"),
      onkeydown: (event) => {
        const isField = event.target.matches("select, summary");
        if (!keys[event.key] || isField || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        keys[event.key]();
      },
    },
    bar,
    el("div", { class: "panes" }, trace, pane),
  );

  watch(["step"], () => {
    const step = steps[state.step];
    slider.value = state.step;
    count.replaceChildren(
      _("{n} of {all}", { n: state.step + 1, all: steps.length }),
      el("span", { class: "unseen" }, ` ${entries[state.step].textContent}`),
    );
    entries.forEach((entry, i) => {
      if (i === state.step) entry.setAttribute("aria-current", "step");
      else entry.removeAttribute("aria-current");
    });
    const entry = entries[state.step];
    trace.scrollTop = Math.max(0, entry.offsetTop - trace.clientHeight / 2);
    pane.replaceChildren(
      ...(step.kind === "forward"
        ? forwardStep(data, step.call)
        : backwardStep(data, step, makers)
      ).filter(Boolean),
    );
    pane.scrollTop = 0;
    showMarked(pane);
  });

  return look.section(
    "step",
    title,
    _(
      "The whole computation, like a debugger: forward through every call of your functions, then backward through every gradient. Arrow keys: → steps in, ← back, ↓ over, ↑ out. In a picture they read number by number.",
    ),
    box,
    look.remarks(),
  );
}

/** What made each value: a parameter, a step within a definition, or the innermost call. */
function makersOf(data) {
  const makers = new Map();
  data.values.forEach(({ parameter, made_at: place }, value) => {
    if (parameter || place?.inside)
      makers.set(value, parameter ?? _("a step of {name}", { name: place.inside }));
  });
  data.calls.forEach((call) => call.outputs.forEach((value) => makers.set(value, call.name)));
  return makers;
}

/** The definition to show for a call and the line in it; of an operator that of its caller. */
function whereOf(data, call) {
  const own = data.definitions[call.name];
  if (own?.source && !call.name.startsWith("Tensor.")) return [own, lineOf(data, call)?.line];
  const caller = data.definitions[call.at?.inside];
  if (caller?.source) return [caller, call.at.line];
  return [own, null];
}

function forwardStep(data, call) {
  const path = [];
  for (let c = call; c; c = c.parent === null ? null : data.calls[c.parent]) path.unshift(c.name);
  const [definition, line] = whereOf(data, call);
  return [
    el(
      "h3",
      {},
      call.name,
      call.layer === null
        ? ""
        : el("span", { class: "shape" }, ` · ${_("layer {layer}", { layer: call.layer })}`),
    ),
    path.length > 1 && el("div", { class: "small-print" }, path.join(" › ")),
    call.at &&
      el(
        "div",
        { class: "small-print" },
        _("called at"),
        ` ${fileName(call.at.file)}:${call.at.line} `,
        el("code", {}, call.at.code),
      ),
    call.error && el("p", { class: "missing" }, _("This call raised an exception.")),
    listing(definition, line ? [line] : []),
    definition?.borrowed &&
      el(
        "p",
        { class: "small-print" },
        _("{name} is borrowed from the reference, whose lines are not shown.", { name: call.name }),
      ),
    ...call.outputs.map((v) => valueView(data, data.values[v], _("result"))),
    ...call.inputs.map((input) =>
      input.text !== undefined
        ? el("h4", {}, _("from {name}", { name: input.name }), " ", el("code", {}, input.text))
        : valueView(data, data.values[input.value], _("from {name}", { name: input.name })),
    ),
  ];
}

function backwardStep(data, step, makers) {
  const value = data.values[step.value];
  const place = value.made_at;
  const definition = place && data.definitions[place.inside];
  const name = makers.get(step.value) ?? _("a value");
  return [
    el(
      "h3",
      {},
      _("gradient of {name}", { name }),
      el("span", { class: "shape" }, ` ${shapeText(value.shape)}`),
    ),
    el(
      "div",
      { class: "small-print" },
      _("How much the loss would change with each number of it."),
    ),
    place &&
      el(
        "div",
        { class: "small-print" },
        _("made at"),
        ` ${fileName(place.file)}:${place.line} `,
        el("code", {}, place.code),
      ),
    definition?.source && listing(definition, [place.line]),
    value.grad
      ? pictured(numbers(value.grad), value.shape, _("its gradient"))
      : el("p", { class: "soft" }, _("This gradient was too large to be kept in the page.")),
    valueView(data, value, _("the value itself")),
  ];
}

function valueView(data, value, name) {
  const flat = numbersOf(data, value);
  const title = value.parameter ? `${name}: ${value.parameter}` : name;
  if (flat) return pictured(flat, value.shape, title, value.dtype);
  return el(
    "div",
    {},
    el(
      "h4",
      {},
      title,
      " ",
      el("span", { class: "shape" }, `${shapeText(value.shape)} ${value.dtype}`),
    ),
    el(
      "p",
      { class: "small-print" },
      _("Too large to be kept in the page. Its numbers lie between {least} and {most}.", {
        least: short(value.least),
        most: short(value.most),
      }),
    ),
  );
}

function pictured(flat, shape, title, dtype = "") {
  return el(
    "div",
    {},
    el("h4", {}, title, " ", el("span", { class: "shape" }, `${shapeText(shape)} ${dtype}`)),
    arrayPicture(flat, shape, `${title} ${shapeText(shape)}`),
  );
}
