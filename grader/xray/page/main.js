// The page: one state, sections that draw themselves when what they speak about changes.

const ARRAYS = ["logits", "probabilities", "attention", "lens", "moved"];

function decoded(raw) {
  const data = { ...raw, ...Object.fromEntries(ARRAYS.map((name) => [name, unpack(raw[name])])) };
  if (raw.contributions)
    data.contributions = { ...raw.contributions, values: unpack(raw.contributions.values) };
  if (raw.record) {
    data.record = {
      ...raw.record,
      embeddings: unpack(raw.record.embeddings),
      attention: unpack(raw.record.attention),
      probabilities: unpack(raw.record.probabilities),
    };
  }
  return data;
}

/**
 * What a section needs: the data, the state, and `watch(keys, draw)`, which draws at the beginning,
 * when one of these keys of the state changes, and when colours or width do ("theme").
 */
function looking(data) {
  const position = argmax(data.probabilities.map((p, t) => p[data.targets[t]]));
  const { layer, head } = data.attention ? lookingBack(data.attention) : { layer: 0, head: 0 };
  const state = {
    position,
    token: data.targets[position],
    against: -1,
    layer,
    head,
    step: 0,
    mode: "data",
    group: "",
    parameter: Object.keys(data.parameters ?? {})[0],
    snapshot: data.record ? data.record.steps.length - 1 : 0,
    prompt: data.text.slice(0, 3),
    seed: 1,
    ...KNOBS,
  };
  const watchers = [];
  const draw = (keys) =>
    watchers.filter((w) => keys.some((key) => w.keys.includes(key))).forEach((w) => w.draw());
  return {
    data,
    state,
    draw,
    watch: (keys, redraw) => watchers.push({ keys: ["theme", ...keys], draw: redraw }),
    set(changes) {
      const moved = "position" in changes && changes.position !== state.position;
      if (moved && !("token" in changes))
        changes = { ...changes, token: data.targets[changes.position] };
      const keys = Object.keys(changes).filter((key) => state[key] !== changes[key]);
      Object.assign(state, changes);
      draw(keys);
    },
    section(id, title, lead, ...children) {
      const text = typeof lead === "string" ? el("p", { class: "lead" }, lead) : lead;
      return el(
        "section",
        { id, "aria-labelledby": `${id}-title` },
        el("h2", { id: `${id}-title` }, title),
        text,
        ...children,
      );
    },
    /** Why a part of the data is not there, in words. */
    missing(part) {
      const reasons = data.not_observable
        .filter((entry) => entry.part === part)
        .map((entry) => `${entry.what}: ${entry.why}`);
      if (reasons.length === 0)
        return el(
          "p",
          { class: "missing" },
          ABSENT[part] ?? _("This could not be seen in your model."),
        );
      return el(
        "p",
        { class: "missing" },
        el("b", {}, _("Not observable.")),
        " ",
        reasons.join(" "),
      );
    },
    /** What else could not be seen. */
    remarks() {
      const others = data.not_observable.filter((entry) => !entry.part);
      if (others.length === 0) return null;
      return el(
        "div",
        { class: "missing" },
        el("b", {}, _("Not observable.")),
        el(
          "ul",
          {},
          others.map(({ what, why }) => el("li", {}, what, ": ", why)),
        ),
      );
    },
  };
}

const ABSENT = {
  parameters: _("The weights are not in the data of this page."),
  calls: _("No call of the course's functions was seen."),
  record: _(
    "No snapshots were kept of this training run. Train with --record, and a time slider stands here.",
  ),
  curves: _("No training curves were found beside this model."),
  bias: _("This part needs a trained model and its data."),
};

/** The text as a row of buttons, always in sight; the chosen one is where all pictures stand. */
function strip(look) {
  const { data, state, set, watch } = look;
  const last = data.tokens.length - 1;
  const here = el("p", { class: "here", "aria-live": "polite" });
  const buttons = data.tokens.map((token, t) =>
    el(
      "button",
      {
        class: "token",
        role: "radio",
        onclick: () => set({ position: t }),
        "aria-label": _("position {t}: {token}", { t, token: shown(token) }),
      },
      shown(token),
      el("small", {}, String(t)),
    ),
  );
  const go = (t) => {
    set({ position: Math.max(0, Math.min(last, t)) });
    if (group.contains(document.activeElement)) buttons[state.position].focus();
  };
  const group = el(
    "div",
    { class: "tokens", role: "radiogroup", "aria-label": _("Position in the text") },
    buttons,
  );
  document.addEventListener("keydown", (event) => {
    const isTaken =
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.target.matches("input, select, textarea, .scroll, .listing");
    const t = { ArrowLeft: state.position - 1, ArrowRight: state.position + 1, Home: 0, End: last }[
      event.key
    ];
    const isPaging = ["Home", "End"].includes(event.key) && !group.contains(event.target);
    if (isTaken || isPaging || t === undefined) return;
    event.preventDefault();
    go(t);
  });
  watch(["position"], () => {
    buttons.forEach((button, t) => {
      button.setAttribute("aria-checked", String(t === state.position));
      button.tabIndex = t === state.position ? 0 : -1;
      button.classList.toggle("later", t > state.position);
    });
    const chosen = buttons[state.position];
    group.scrollLeft = chosen.offsetLeft - group.clientWidth / 2;
    const p = data.probabilities[state.position];
    const next = data.next[state.position];
    const before = data.tokens.slice(0, state.position + 1).map(shown);
    const read = before.length > FEW ? `… ${before.slice(-FEW).join(" ")}` : before.join(" ");
    const best = argmax(p);
    here.replaceChildren(
      ...told(_("It has read {read} and guesses {guess} ({p}). "), {
        read: bold(read),
        guess: bold(shown(data.vocab[best])),
        p: percent(p[best]),
      }),
      ...(next < 0 ? [] : truth(p, next, data.vocab)),
    );
  });
  return el("div", { class: "strip" }, group, here);
}

/** What really came, and how far down the list of guesses it stood. */
function truth(p, next, vocab) {
  const place = ranked(p).indexOf(next) + 1;
  if (place === 1) return [_("That is what really came.")];
  return told(_("Really next was {token}: {p}, guess number {place} of {all}."), {
    token: bold(shown(vocab[next])),
    p: percent(p[next]),
    place,
    all: p.length,
  });
}

function header(look, sections) {
  const { data } = look;
  const { model, config } = data;
  const facts = [
    model.preset,
    _("{n} parameters", { n: model.parameters.toLocaleString("en") }),
    _("{layers} × {heads} heads, {channels} channels", {
      layers: config.n_layer,
      heads: config.n_head,
      channels: config.n_embd,
    }),
    model.steps === 0 ? _("untrained: its weights are random") : null,
    model.steps
      ? _("trained for {steps} steps on {data}", {
          steps: model.steps.toLocaleString("en"),
          data: model.data ?? "?",
        })
      : null,
    model.loss === null || model.loss === undefined
      ? null
      : _("{loss} nats per character on this text", { loss: short(model.loss) }),
  ]
    .filter(Boolean)
    .join(" · ");
  const theme = el(
    "button",
    {
      class: "theme",
      onclick: () => {
        switchTheme();
        look.draw(["theme"]);
      },
    },
    _("light / dark"),
  );
  return el(
    "header",
    { class: "top" },
    theme,
    el(
      "h1",
      {},
      data.text
        ? _("Inside your GPT while it reads “{text}”", { text: clipped(data.text) })
        : _("Inside your GPT before the first token"),
    ),
    el("p", { class: "facts" }, facts),
    data.cut
      ? el(
          "p",
          { class: "missing" },
          _(
            "The last {n} characters did not fit into the {size} positions of this model, and were left out.",
            { n: data.cut, size: config.block_size },
          ),
        )
      : null,
    model.borrowed?.length
      ? el(
          "details",
          { class: "missing", open: model.borrowed.length <= 6 },
          el(
            "summary",
            {},
            _("Borrowed from the reference, as they are not yet yours: {n}", {
              n: model.borrowed.length,
            }),
          ),
          model.borrowed.join(", "),
        )
      : null,
    el(
      "nav",
      { "aria-label": _("Contents") },
      el(
        "ol",
        {},
        sections.map((section) =>
          el(
            "li",
            {},
            el(
              "a",
              { href: `#${section.id}`, onclick: (event) => goTo(event, section) },
              section.querySelector("h2").textContent,
            ),
          ),
        ),
      ),
    ),
  );
}

const clipped = (text) => (text.length <= 40 ? text : `${text.slice(0, 40)}…`);

/** Within a notebook a link would leave the frame: go there by hand. */
function goTo(event, section) {
  event.preventDefault();
  section.scrollIntoView();
  section.tabIndex = -1;
  section.focus({ preventScroll: true });
}

function open() {
  const look = looking(decoded(JSON.parse(document.getElementById("data").textContent)));
  const sections = [
    guessSection,
    attentionSection,
    lensSection,
    movedSection,
    contributionsSection,
    stepperSection,
    weightsSection,
    learningSection,
    preferencesSection,
    playSection,
  ].map((make) => make(look));
  document.getElementById("page").append(header(look, sections), strip(look), ...sections);
  look.draw(["theme"]);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => look.draw(["theme"]));
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => look.draw(["theme"]), 150);
  });
  window.glass = look; // for the curious, at the console
}

open();
