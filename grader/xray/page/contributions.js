// Where a logit comes from: the embeddings, each head, each mlp add their part.

function partName({ id, kind, layer, head }) {
  if (kind === "head") return _("layer {layer}, head {head}", { layer, head });
  if (kind === "mlp") return _("layer {layer}, mlp", { layer });
  if (id === "wte") return _("token embedding");
  if (id === "wpe") return _("position embedding");
  return id;
}

function contributionsSection(look) {
  const { data, state, set, watch } = look;
  const title = _("Who said so?");
  if (!data.contributions)
    return look.section("contributions", title, look.missing("contributions"));
  const { parts, values, error } = data.contributions;
  const picture = el("figure", {});
  const check = el("p", { class: "answer" });
  const words = el("p", { class: "answer" });
  const options = () => data.vocab.map((token, id) => el("option", { value: id }, shown(token)));
  const token = el("select", { onchange: () => set({ token: Number(token.value) }) }, options());
  const against = el(
    "select",
    { onchange: () => set({ against: Number(against.value) }) },
    el("option", { value: -1 }, _("nothing")),
    options(),
  );
  const numbersOf = () => {
    const rows = values[state.position];
    return rows.map((row) => row[state.token] - (state.against >= 0 ? row[state.against] : 0));
  };

  watch(["position", "token", "against"], () => {
    token.value = state.token;
    against.value = state.against;
    const steps = waterfall(numbersOf(), parts.map(partName));
    const [first, ...others] = [...steps].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    words.replaceChildren(
      _("The largest part comes from {first} ({value}), then {second} ({other}).", {
        first: first.part,
        value: signed(first.value),
        second: others[0]?.part ?? "–",
        other: signed(others[0]?.value ?? 0),
      }),
    );
    picture.replaceChildren(waterfallPlot(picture, steps));
    const total = sum(numbersOf());
    const z = data.logits[state.position];
    const logit = z[state.token] - (state.against >= 0 ? z[state.against] : 0);
    check.replaceChildren(...sumCheck(total, logit, error));
  });

  const numbersTable = el("div", {});
  watch(["position", "token", "against"], () =>
    numbersTable.replaceChildren(
      asTable(_("Contributions"), [_("part"), _("adds")], () =>
        parts.map((part, i) => [partName(part), signed(numbersOf()[i], 6)]),
      ),
    ),
  );

  return look.section(
    "contributions",
    title,
    _(
      "The score of a token is a sum: what the embeddings, every head and every mlp wrote into the stream, each turned into scores by the last matrix. The scale of the norms is held fixed. Choose a token, or the difference between two: why this one and not that one?",
    ),
    el(
      "div",
      { class: "controls" },
      el("label", {}, _("The score of"), token),
      el("label", {}, _("minus that of"), against),
    ),
    words,
    picture,
    check,
    numbersTable,
    computedBy(data, ["block", "self_attention"]),
    computedBy(data, ["linear"]),
  );
}

const signed = (x, digits = 3) => (x > 0 ? "+" : "") + short(x, digits);

/** Each part from where the sum stands before it to where it stands after. */
function waterfall(values, names) {
  let before = 0;
  return values.map((value, i) => {
    const step = { part: names[i], value, from: before, to: before + value };
    before += value;
    return step;
  });
}

function waterfallPlot(space, steps) {
  const total = { part: _("sum"), value: steps.at(-1).to, from: 0, to: steps.at(-1).to };
  const all = [...steps, total];
  return plot(space, _("Contributions of every part, adding up to the logit"), {
    height: 40 + 24 * all.length,
    marginLeft: 150,
    marginRight: 60,
    x: { grid: true, label: _("score"), insetRight: 30, insetLeft: 30 },
    y: { domain: all.map((d) => d.part), label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([0], { stroke: colour("soft") }),
      Plot.barX(all, {
        y: "part",
        x1: "from",
        x2: "to",
        rx: 2,
        fill: (d) =>
          d === total ? colour("soft") : d.value < 0 ? colour("blue") : colour("orange"),
      }),
      Plot.text(all, {
        y: "part",
        x: (d) => Math.max(d.from, d.to),
        text: (d) => signed(d.value),
        textAnchor: "start",
        dx: 5,
        fill: colour("ink"),
      }),
    ],
  });
}

function sumCheck(total, logit, error) {
  const difference = Math.abs(total - logit);
  const fits = difference <= 1e-5 * Math.max(1, Math.abs(logit));
  return [
    fits ? "✓ " : "✗ ",
    _("The parts add up to {total}; the model said {logit}. They differ by {difference}", {
      total: short(total, 7),
      logit: short(logit, 7),
      difference: short(difference, 2),
    }),
    fits
      ? _(", which is rounding.")
      : _(": something in this model is not where the course puts it."),
    " ",
    el(
      "span",
      { class: "soft" },
      _("Over all positions and tokens: at most {error}.", { error: short(error, 2) }),
    ),
  ];
}
