// The logit lens: what the model would say if it ended earlier.

function lensSection(look) {
  const { data, state, set, watch } = look;
  const title = _("When did it know?");
  if (!data.lens) return look.section("lens", title, look.missing("lens"));
  const guesses = data.lens.map((rows) => rows.map(softmax));
  const stages = data.lens.map((_rows, i) =>
    i === 0 ? _("embedding") : _("after layer {layer}", { layer: i - 1 }),
  );
  const place = el("div", {});
  const words = el("p", { class: "answer" });

  watch(["position", "token"], () => {
    const t = state.position;
    words.replaceChildren(
      ...told(_("The probability of {token} at this position, from stage to stage: {list}."), {
        token: bold(shown(data.vocab[state.token])),
        list: guesses.map((stage) => percent(stage[t][state.token])).join(" → "),
      }),
    );
  });
  watch([], () =>
    place.replaceChildren(
      heatTable({
        caption: _("Best guess after each stage (rows) at each position (columns)"),
        className: "big",
        rows: stages,
        columns: data.tokens.map(shown),
        pick: (_i, position) => set({ position }),
        cell: (i, position) => {
          const p = guesses[i][position];
          const best = argmax(p);
          return {
            text: [shown(data.vocab[best]), el("small", {}, percent(p[best]))],
            background: heat(p[best]),
            mark: data.next[position] === best,
            title: _("{stage}: {token} with {p}", {
              stage: stages[i],
              token: shown(data.vocab[best]),
              p: percent(p[best]),
            }),
          };
        },
      }),
    ),
  );
  watch(["position"], () => point(place.firstChild, { column: state.position }));

  return look.section(
    "lens",
    title,
    _(
      "Each block adds to what stands there. Here the model's last steps, the final norm if it has one and the last matrix, read the stream after every stage, as if the model ended there. Read a column from the top down to see a guess form; an orange frame is the right one.",
    ),
    words,
    place,
    data.lens_error <= 1e-4
      ? el(
          "p",
          { class: "small-print" },
          _("The last row is the model's own answer; computed this way it differs by {error}.", {
            error: short(data.lens_error, 2),
          }),
        )
      : el(
          "p",
          { class: "missing" },
          _(
            "The last row should be the model's own answer, and differs from it by {error}: between the last block and the logits this model does something else than the course's.",
            { error: short(data.lens_error ?? NaN, 2) },
          ),
        ),
    data.config.final_norm ? computedBy(data, ["norm", "layernorm", "rmsnorm"]) : null,
    computedBy(data, ["GPT.__call__", "linear"]),
  );
}
