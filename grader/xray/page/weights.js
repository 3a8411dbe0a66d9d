// Parameters and their gradients as pictures.

function weightsSection(look) {
  const { data, state, set, watch } = look;
  const names = Object.keys(data.parameters ?? {});
  const title = _("What it has learned: the weights");
  if (names.length === 0) return look.section("weights", title, look.missing("parameters"));
  const groups = [...new Set(names.map(groupOf))];
  const grid = el("div", { class: "weights", role: "group", "aria-label": _("Parameters") });
  const large = el("div", {});
  const modes = [
    ["data", _("weights")],
    ["grad", _("gradients")],
  ].map(([mode, name]) => el("button", { onclick: () => set({ mode }), "data-mode": mode }, name));
  const choice = el(
    "select",
    {
      "aria-label": _("which"),
      onchange: () =>
        set({ group: choice.value, parameter: names.find((n) => groupOf(n) === choice.value) }),
    },
    groups.map((group) => el("option", { value: group }, group || _("embeddings and head"))),
  );
  const entryOf = (name) => data.parameters[name][state.mode];

  watch(["mode", "group", "parameter"], () => {
    modes.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.mode === state.mode)));
    choice.value = state.group;
    const focused = grid.contains(document.activeElement);
    grid.replaceChildren(
      ...names
        .filter((name) => groupOf(name) === state.group)
        .map((name) =>
          el(
            "button",
            {
              "data-id": name,
              "aria-pressed": String(name === state.parameter),
              onclick: () => set({ parameter: name }),
            },
            thumbnail(entryOf(name)),
            name.slice(state.group.length),
            " ",
            el("span", { class: "soft" }, shapeText(data.parameters[name].data.shape)),
          ),
        ),
    );
    if (focused) refocus(grid, CSS.escape(state.parameter));
    large.replaceChildren(...detail(state.parameter, entryOf(state.parameter)));
  });

  function detail(name, entry) {
    if (!entry)
      return [
        el(
          "p",
          { class: "missing" },
          _("No gradient of {name} is here: none reached it, or there was no room.", { name }),
        ),
      ];
    const flat = numbers(entry);
    const [rows, columns] = entry.shape.length === 1 ? [1, entry.shape[0]] : entry.shape;
    const mean = sum(flat) / flat.length;
    const deviation = Math.sqrt(sum(Array.from(flat, (x) => (x - mean) ** 2)) / flat.length);
    const row = (i) => (["wte", "lm_head"].includes(name) ? shown(data.vocab[i]) : i);
    const space = Math.min(900, grid.clientWidth || 640);
    return [
      el("h3", {}, name, " ", el("span", { class: "shape" }, shapeText(entry.shape))),
      el(
        "p",
        { class: "small-print" },
        _("{count} numbers, from {least} to {most}; mean {mean}, standard deviation {deviation}.", {
          count: flat.length,
          least: short(d3.min(flat)),
          most: short(d3.max(flat)),
          mean: short(mean),
          deviation: short(deviation),
        }),
      ),
      pixels({
        flat,
        shape: [rows, columns],
        label: name,
        size: Math.max(3, Math.min(16, Math.floor(space / columns))),
        index: (i, j) => (entry.shape.length === 1 ? `${name}[${j}]` : `${name}[${row(i)}, ${j}]`),
      }),
    ];
  }

  return look.section(
    "weights",
    title,
    _(
      "Every parameter as a picture, blue below zero and orange above: rows are outputs, columns inputs. The gradient shows where this very text would change it. Choose one, then read it with the arrow keys or the mouse.",
    ),
    el(
      "div",
      { class: "controls" },
      el("span", { role: "group", "aria-label": _("Show") }, modes),
      groups.length > 1 ? choice : null,
    ),
    grid,
    large,
    computedBy(data, ["init_params"]),
    computedBy(data, ["Tensor.backward"]),
  );
}

const groupOf = (name) => /^layer\d+\./.exec(name)?.[0] ?? "";

function thumbnail(entry) {
  if (!entry) return el("canvas", { width: 1, height: 1, "aria-hidden": "true" });
  const [rows, columns] = entry.shape.length === 1 ? [1, entry.shape[0]] : entry.shape;
  const canvas = el("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  paint(canvas, numbers(entry));
  return canvas;
}
