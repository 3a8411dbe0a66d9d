// The model itself, one position at a time, as in microgpt.py: `cache` keeps what it has seen.

const dot = (a, b) => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};
const add = (a, b) => a.map((x, i) => x + b[i]);
const linear = (x, weight, bias) => weight.map((row, i) => dot(row, x) + (bias ? bias[i] : 0));

function softmax(z) {
  const most = Math.max(...z);
  const e = Array.from(z, (x) => Math.exp(x - most));
  const total = sum(e);
  return e.map((x) => x / total);
}

function norm(x, name, params, config) {
  const mean = config.norm === "layernorm" ? sum(x) / x.length : 0;
  const centred = x.map((v) => v - mean);
  const r = 1 / Math.sqrt(dot(centred, centred) / x.length + 1e-5);
  if (config.norm === "rmsnorm") return centred.map((v) => v * r);
  const [gain, bias] = [params[`${name}_gain`], params[`${name}_bias`]];
  return centred.map((v, i) => v * r * gain[i] + bias[i]);
}

const activations = {
  relu: (x) => Math.max(0, x),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** Each head mixes the values of all positions so far, by how well their keys match its query. */
function attention(x, params, layer, config, cache) {
  const make = (w) => linear(x, params[`${layer}attn_w${w}`], params[`${layer}attn_b${w}`]);
  const query = make("q");
  cache.keys.push(make("k"));
  cache.values.push(make("v"));
  const D = config.n_embd / config.n_head;
  const weights = range(config.n_head).map((h) => {
    const part = (vector) => vector.slice(h * D, (h + 1) * D);
    return softmax(cache.keys.map((key) => dot(part(query), part(key)) / Math.sqrt(D)));
  });
  const mixed = range(config.n_embd).map((c) =>
    dot(
      weights[Math.floor(c / D)],
      cache.values.map((value) => value[c]),
    ),
  );
  return [linear(mixed, params[`${layer}attn_wo`], params[`${layer}attn_bo`]), weights];
}

function mlp(x, params, layer, config) {
  const out = linear(x, params[`${layer}mlp_fc1`], params[`${layer}mlp_b1`]);
  const hidden = out.map(activations[config.activation]);
  return linear(hidden, params[`${layer}mlp_fc2`], params[`${layer}mlp_b2`]);
}

const emptyCache = (config) => range(config.n_layer).map(() => ({ keys: [], values: [] }));

/** Show the model one more id: the logits of what comes next, and where each head looked. */
function gpt(id, params, config, cache) {
  const position = cache[0].keys.length;
  const looked = [];
  let x = add(Array.from(params.wte[id]), params.wpe[position]);
  if (config.embedding_norm) x = norm(x, "norm", params, config);
  for (let i = 0; i < config.n_layer; i++) {
    const layer = `layer${i}.`;
    const [y, weights] = attention(
      norm(x, `${layer}norm1`, params, config),
      params,
      layer,
      config,
      cache[i],
    );
    x = add(x, y);
    x = add(x, mlp(norm(x, `${layer}norm2`, params, config), params, layer, config));
    looked.push(weights);
  }
  if (config.final_norm) x = norm(x, "norm", params, config);
  return { logits: linear(x, config.tied_head ? params.wte : params.lm_head), looked };
}
