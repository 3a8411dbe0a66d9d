// Your turn: the model runs in this page; type, turn the knobs, see what changes.

const KNOBS = { t: 1, k: Infinity, p: 1 };

function playSection(look) {
  const { data, state, set, watch } = look;
  const { config, vocab } = data;
  const title = _("Your turn");
  const absent = weightsOf(config).filter((name) => !data.parameters?.[name]);
  if (absent.length) {
    return look.section(
      "play",
      title,
      el(
        "p",
        { class: "missing" },
        _("The page cannot run this model: it has no weights named {names}.", {
          names: absent.join(", "),
        }),
      ),
    );
  }
  const params = Object.fromEntries(
    Object.entries(data.parameters).map(([name, { data: entry }]) => [name, unpack(entry)]),
  );
  const bos = vocab.length - 1;
  const begins = data.kind === "documents";
  const text = el("input", {
    type: "text",
    class: "prompt",
    id: "prompt",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    maxlength: config.block_size - 1,
    value: data.text.slice(0, 3),
    oninput: () => set({ prompt: text.value }),
  });
  const said = el("p", { class: "answer", "aria-live": "polite" });
  const picture = el("figure", {});
  const heads = el("div", {});
  const names = el("ul", { class: "samples" });

  /** The ids of a prompt; what the model has never seen is left out and named. */
  function read(prompt) {
    const characters = [...prompt];
    const unknown = characters.filter((char) => !vocab.slice(0, -1).includes(char));
    const ids = characters.map((char) => vocab.indexOf(char)).filter((id) => id >= 0 && id < bos);
    return {
      unknown,
      ids: (begins || ids.length === 0 ? [bos, ...ids] : ids).slice(-config.block_size),
    };
  }

  function run(ids) {
    const cache = emptyCache(config);
    return ids.map((id) => gpt(id, params, config, cache));
  }

  const knob = (name, label, least, most, step, show) => {
    const input = el("input", {
      type: "range",
      id: `knob-${name}`,
      min: least,
      max: most,
      step,
      oninput: () =>
        set({
          [name]: name === "k" && Number(input.value) === most ? Infinity : Number(input.value),
        }),
    });
    const reading = el("output", { for: `knob-${name}` });
    watch([name], () => {
      input.value = Math.min(most, state[name]);
      reading.textContent = show(state[name]);
    });
    return [el("label", { for: `knob-${name}` }, label), input, reading];
  };
  const knobs = el(
    "div",
    { class: "knobs" },
    knob("t", _("temperature"), 0.1, 2, 0.05, (t) => t.toFixed(2)),
    knob("k", _("top-k"), 1, vocab.length, 1, (k) => (k === Infinity ? _("all") : String(k))),
    knob("p", _("top-p"), 0.05, 1, 0.01, (p) => (p === 1 ? _("all") : p.toFixed(2))),
  );

  let live;
  watch(["prompt"], () => {
    const { unknown, ids } = read(state.prompt);
    const steps = run(ids);
    live = { ids, logits: steps.at(-1).logits };
    const p = softmax(live.logits);
    const best = ranked(p)
      .slice(0, 3)
      .map((id) => `${shown(vocab[id])} ${percent(p[id])}`)
      .join(", ");
    said.textContent =
      (unknown.length
        ? _("It has never seen {chars}, and skips it. ", { chars: unknown.join(" ") })
        : "") + _("Next it expects {best}.", { best });
    const last = ids.length - 1;
    heads.replaceChildren(
      heatTable({
        caption: _("Where each head looks from the last position"),
        rows: steps[last].looked.flatMap((layer, l) =>
          layer.map((_w, h) => (config.n_layer > 1 ? `${l}.${h}` : _("head {head}", { head: h }))),
        ),
        columns: ids.map((id) => shown(vocab[id])),
        corner: config.n_layer > 1 ? _("layer.head") : "",
        cell: (i, s) => {
          const share = steps[last].looked.flat()[i][s];
          return {
            text: percent(share).slice(0, -2),
            background: heat(share),
            title: percent(share),
          };
        },
      }),
    );
  });

  watch(["prompt", "t", "k", "p", "seed"], () => {
    const { ids, logits } = live;
    const [before, after] = [softmax(logits), softmax(chosen(logits, state))];
    picture.replaceChildren(distribution(picture, vocab, before, after));
    names.replaceChildren(
      ...range(12).map((i) => {
        const written = write(
          ids,
          params,
          config,
          state,
          dice(1000 * state.seed + i),
          begins ? bos : -1,
        );
        return el(
          "li",
          {},
          [...(begins ? ids.slice(1) : ids), ...written]
            .map((id) => (id === bos ? "" : vocab[id]))
            .join(""),
        );
      }),
    );
  });

  const yours = { label: _("in your code") };
  const check = agreement(data, run(data.ids));
  return look.section(
    "play",
    title,
    _(
      "This page holds the weights and runs the model itself. Type the beginning of a name. Then turn the knobs: the grey bars are what the model says, the blue ones what is left to draw from. The dice are the same each time, so only the knobs change the samples.",
    ),
    el(
      "div",
      { class: "side" },
      el(
        "div",
        {},
        el("p", {}, el("label", { for: "prompt" }, _("It begins with")), el("br"), text),
        said,
        knobs,
        el(
          "div",
          { class: "controls" },
          el("button", { onclick: () => set({ seed: state.seed + 1 }) }, _("new dice")),
          el("button", { onclick: () => set({ ...KNOBS }) }, _("knobs back")),
        ),
      ),
      el("div", {}, el("h3", {}, _("Twelve samples")), names),
    ),
    el("h3", {}, _("What comes next, and what may be drawn")),
    picture,
    el("h3", {}, _("Where each head looks, now")),
    heads,
    el("p", { class: "agrees", id: "agrees" }, check),
    el(
      "details",
      {},
      el("summary", {}, _("The lines of JavaScript that run it")),
      el(
        "pre",
        { class: "listing", tabindex: "0" },
        el("code", {}, [gpt, attention, mlp, norm, softmax, linear, dot].map(String).join("\n\n")),
      ),
    ),
    computedBy(data, ["temperature"], yours),
    computedBy(data, ["top_k"], yours),
    computedBy(data, ["top_p"], yours),
    computedBy(data, ["sample"], yours),
  );
}

/** The names of the weights that `gpt` reads. */
function weightsOf(config) {
  const norms = config.norm === "layernorm";
  const parts = (name) => [`${name}_gain`, `${name}_bias`];
  const layer = [
    "attn_wq",
    "attn_wk",
    "attn_wv",
    "attn_wo",
    "mlp_fc1",
    "mlp_fc2",
    ...(config.bias ? ["attn_bq", "attn_bk", "attn_bv", "attn_bo", "mlp_b1", "mlp_b2"] : []),
    ...(norms ? [...parts("norm1"), ...parts("norm2")] : []),
  ];
  return [
    "wte",
    "wpe",
    ...(config.tied_head ? [] : ["lm_head"]),
    ...(norms && (config.embedding_norm || config.final_norm) ? parts("norm") : []),
    ...range(config.n_layer).flatMap((i) => layer.map((name) => `layer${i}.${name}`)),
  ];
}

/** Does the model in this page say what the student's Python said? */
function agreement(data, steps) {
  const worst = Math.max(
    ...steps.map(({ logits }, t) =>
      Math.max(...logits.map((z, id) => Math.abs(z - data.logits[t][id]))),
    ),
  );
  const difference = short(worst, 2);
  if (worst <= 1e-4)
    return _(
      "✓ On “{text}” this page and your Python agree: the logits differ by at most {difference}.",
      { text: data.text, difference },
    );
  return _(
    "✗ On “{text}” this page and your Python differ by up to {difference}. The page runs the model as the course describes it; yours computes something else.",
    { text: data.text, difference },
  );
}

function distribution(space, vocab, before, after) {
  const most = Math.max(10, Math.min(30, Math.floor(space.clientWidth / 24)));
  const band = (Math.min(900, space.clientWidth) - 60) / most;
  const rows = ranked(before)
    .slice(0, most)
    .map((id) => ({ token: shown(vocab[id]), before: before[id], after: after[id] }));
  const picture = plot(space, _("Probabilities before and after the knobs"), {
    height: 210,
    marginBottom: 30,
    marginTop: 22,
    x: { type: "band", domain: rows.map((d) => d.token), label: null, tickSize: 0, padding: 0.18 },
    y: { label: _("percent"), transform: (p) => 100 * p, grid: true, ticks: 4 },
    marks: [
      Plot.barY(rows, { x: "token", y: "before", fill: colour("soft"), fillOpacity: 0.35 }),
      Plot.barY(rows, {
        x: "token",
        y: "after",
        fill: colour("blue"),
        insetLeft: 0.12 * band,
        insetRight: 0.12 * band,
      }),
    ],
  });
  return el(
    "div",
    {},
    picture,
    asTable(_("Probabilities"), [_("token"), _("the model's"), _("to draw from")], () =>
      rows.map((d) => [d.token, percent(d.before), percent(d.after)]),
    ),
  );
}
