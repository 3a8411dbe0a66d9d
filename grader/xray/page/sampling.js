// Temperature and friends, on logits, as exercise 10 defines them.

const temperature = (z, t) => z.map((x) => x / t);

function topK(z, k) {
  const kth = Array.from(z).sort((a, b) => b - a)[Math.min(k, z.length) - 1];
  return z.map((x) => (x < kth ? -Infinity : x));
}

/** Keep the fewest that together reach p: those before which less than p adds up. */
function topP(z, p) {
  const probabilities = softmax(z);
  let before = 0;
  const kept = new Set();
  for (const id of ranked(probabilities)) {
    if (before < p) kept.add(id);
    before += probabilities[id];
  }
  return z.map((x, id) => (kept.has(id) ? x : -Infinity));
}

/** The first id whose running sum of probabilities is above u. */
function sample(z, u) {
  let total = 0;
  const probabilities = softmax(z);
  const found = probabilities.findIndex((p) => (total += p) > u);
  return found < 0 ? argmax(probabilities) : found;
}

const chosen = (z, knobs) => topP(topK(temperature(Array.from(z), knobs.t), knobs.k), knobs.p);

/** Numbers in [0, 1) that only the seed decides (mulberry32), so that one knob is what changes. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** What the model writes after `ids`, until `stop` or until the block is full. */
function write(ids, params, config, knobs, random, stop) {
  const cache = emptyCache(config);
  let logits;
  for (const id of ids) logits = gpt(id, params, config, cache).logits;
  const written = [];
  while (true) {
    const id = sample(chosen(logits, knobs), random());
    if (id === stop) return written;
    written.push(id);
    if (cache[0].keys.length === config.block_size) return written;
    logits = gpt(id, params, config, cache).logits;
  }
}
