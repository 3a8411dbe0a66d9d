// Bias and memory: what the model prefers, what it has copied, what surprises it.

const SHOWN = 26; // of a property's many values, in a plot; the table has them all
const CHANCE = 3; // standard errors, which chance alone hardly ever makes

function preferencesSection(look) {
  const { data, watch } = look;
  const { bias } = data;
  const title = _("Bias and memory");
  if (!bias) return look.section("bias", title, look.missing("bias"));
  const tiles = el(
    "ul",
    { class: "tiles" },
    tile(
      percent(bias.copied),
      _("of its {n} samples stand in the training data, word for word", { n: bias.samples }),
    ),
    tile(
      percent(bias.copied_expected),
      _("would, had it memorised nothing: judged by the {share} that stand in what was held out", {
        share: percent(bias.copied_held_out),
      }),
    ),
    tile(percent(bias.distinct), _("of the samples are different from each other")),
    tile(
      short(bias.loss),
      _("nats per character on {n} documents it has never seen", { n: bias.read }),
    ),
  );

  const compared = el("div", {});
  const surprised = el("div", {});
  const counting = el("figure", {});
  watch([], () => {
    compared.replaceChildren(
      comparison(compared, _("First letters"), bias.first),
      comparison(compared, _("Lengths"), bias.lengths),
      comparison(compared, _("Endings"), bias.endings),
    );
    surprised.replaceChildren(
      surprise(surprised, _("First letter"), bias.surprise.first),
      surprise(surprised, _("Length"), bias.surprise.length),
      surprise(surprised, _("Ending"), bias.surprise.ending),
      surprise(
        surprised,
        _("Rarest pair of letters, in tenths of the documents"),
        bias.surprise.pair,
      ),
    );
    counting.replaceChildren(...beyondCounting(counting, bias));
  });

  return look.section(
    "bias",
    title,
    _(
      "Nothing here is guessed: only what can be counted in the characters. Where a line between model and data is drawn in blue, they differ by more than three standard errors: there the model has a preference of its own.",
    ),
    tiles,
    el("h3", {}, _("Made up, found nowhere in the data")),
    el(
      "ul",
      { class: "samples" },
      bias.made_up.map((text) => el("li", {}, text)),
    ),
    compared,
    el("h3", {}, _("How surprised it is")),
    el(
      "p",
      {},
      _(
        "Nats per character on held-out documents that share a property, the rarest in the training data on the left. What is rare is usually harder.",
      ),
    ),
    surprised,
    el(
      "div",
      { class: "side" },
      el("div", {}, el("h3", {}, _("Hardest")), extremes(bias.hardest.slice(0, 10))),
      el("div", {}, el("h3", {}, _("Easiest")), extremes(bias.easiest.slice(0, 10))),
    ),
    el("h3", {}, _("Beyond counting")),
    el(
      "p",
      {},
      _(
        "An n-gram model only counts which character follows the n − 1 before it. What the model has learned beyond that is the distance between the bars.",
      ),
    ),
    counting,
    computedBy(data, ["generate"]),
    computedBy(data, ["GPT.loss"]),
  );
}

const tile = (number, text) => el("li", {}, el("b", {}, number), text);

const extremes = (documents) =>
  table(
    _("Documents"),
    [_("document"), _("nats per character")],
    documents.map(({ text, nats }) => [text, short(nats)]),
  );

/** Model beside data: dots on one line each; the line between them is thick where chance cannot explain it. */
function comparison(space, name, all) {
  const rows = all.slice(0, SHOWN);
  const errors = (d) => Math.abs(d.model - d.data) / (d.noise || 1);
  const isPreference = (d) => errors(d) > CHANCE;
  const most = rows.filter(isPreference).sort((a, b) => errors(b) - errors(a))[0];
  const words = most
    ? _("The clearest: {key}, {model} of the samples and {data} of the data.", {
        key: shown(most.key),
        model: percent(most.model),
        data: percent(most.data),
      })
    : _("No difference larger than chance.");
  const picture = plot(space, _("{name}: model and data", { name }), {
    height: 200,
    marginBottom: 34,
    marginTop: 30,
    x: {
      type: "point",
      domain: rows.map((d) => d.key),
      label: null,
      tickSize: 0,
      tickFormat: shown,
    },
    y: {
      label: _("share, percent"),
      grid: true,
      transform: (share) => 100 * share,
      ticks: 4,
      zero: true,
    },
    marks: [
      Plot.ruleX(rows, {
        x: "key",
        y1: "data",
        y2: "model",
        stroke: (d) => (isPreference(d) ? colour("blue") : colour("line")),
        strokeWidth: (d) => (isPreference(d) ? 3 : 2),
      }),
      Plot.dot(rows, {
        x: "key",
        y: "data",
        r: 4.5,
        stroke: colour("orange"),
        fill: colour("paper"),
        strokeWidth: 2,
      }),
      Plot.dot(rows, { x: "key", y: "model", r: 4, fill: colour("blue") }),
    ],
  });
  return el(
    "figure",
    {},
    el("h3", {}, name),
    el(
      "figcaption",
      {},
      words,
      " ",
      el("span", { style: { color: "var(--blue)" } }, _("● model")),
      " ",
      el("span", { style: { color: "var(--orange)" } }, _("○ data")),
    ),
    picture,
    asTable(name, [name, _("model"), _("data"), _("chance (±)")], () =>
      all.map((d) => [shown(d.key), percent(d.model), percent(d.data), percent(d.noise)]),
    ),
  );
}

/** Nats per character by property, the rarest in the training data first. */
function surprise(space, name, rows) {
  const sorted = [...rows].sort((a, b) => a.share - b.share);
  const kept =
    sorted.length <= SHOWN ? sorted : [...sorted.slice(0, SHOWN / 2), ...sorted.slice(-SHOWN / 2)];
  const picture = plot(space, _("Surprise by {name}", { name }), {
    height: 210,
    marginTop: 26,
    marginBottom: 36,
    x: {
      type: "point",
      domain: kept.map((d) => d.key),
      tickSize: 0,
      tickFormat: shown,
      label: null,
    },
    y: { label: _("nats per character"), grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.ruleX(kept, {
        x: "key",
        y1: (d) => d.nats - d.noise,
        y2: (d) => d.nats + d.noise,
        stroke: colour("soft"),
        strokeWidth: 2,
      }),
      Plot.dot(kept, { x: "key", y: "nats", r: 4, fill: colour("blue") }),
    ],
  });
  return el(
    "figure",
    {},
    el("h3", {}, name),
    kept === sorted
      ? null
      : el(
          "figcaption",
          {},
          _("The {n} rarest and the {n} most frequent of {all}.", {
            n: SHOWN / 2,
            all: sorted.length,
          }),
        ),
    picture,
    asTable(
      name,
      [name, _("held-out documents"), _("share in training"), _("nats per character"), "±"],
      () =>
        sorted.map((d) => [
          shown(d.key),
          String(d.documents),
          percent(d.share),
          short(d.nats),
          short(d.noise, 2),
        ]),
    ),
  );
}

function beyondCounting(space, bias) {
  const rows = [
    ...bias.counting.map(({ name, loss }) => ({ name, loss })),
    { name: _("this model"), loss: bias.loss, own: true },
  ];
  return [
    plot(space, _("Loss of models that only count, and of this model"), {
      height: 46 + 34 * rows.length,
      marginLeft: 100,
      marginRight: 60,
      marginBottom: 40,
      width: 640,
      x: { label: _("nats per character; shorter is better"), zero: true },
      y: { domain: rows.map((d) => d.name), label: null, tickSize: 0 },
      marks: [
        Plot.barX(rows, {
          y: "name",
          x: "loss",
          rx: 2,
          fill: (d) => (d.own ? colour("orange") : colour("blue")),
        }),
        Plot.text(rows, {
          y: "name",
          x: "loss",
          text: (d) => short(d.loss),
          textAnchor: "start",
          dx: 6,
        }),
      ],
    }),
    asTable(_("Loss"), [_("model"), _("nats per character")], () =>
      rows.map((d) => [d.name, short(d.loss, 4)]),
    ),
  ];
}
