/*
 * Arrays as Python packed them (tinymeta/page/encoding.py), and the small arithmetic that everything else shares.
 */

const TYPED = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array, float64: Float64Array };

/**
 * The typed array of an entry {dtype, shape, data}, in C order; its shape is set on it as `shape`.
 * @param {{dtype: string, shape: number[], data: string}} entry
 */
function unpacked(entry) {
  const bytes = Uint8Array.from(atob(entry.data), (letter) => letter.charCodeAt(0));
  const array = new TYPED[entry.dtype](bytes.buffer);
  array.shape = entry.shape;
  return array;
}

/** A copy of a value from JSON in which every packed array, at any depth, is unpacked. */
function unpackedDeep(value) {
  if (Array.isArray(value)) return value.map(unpackedDeep);
  if (value === null || typeof value !== "object") return value;
  if ("dtype" in value && "data" in value) return unpacked(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpackedDeep(inner)]));
}

/** x·weight, x (F,) and weight (F, V) in C order: array (V,). */
function product(x, weight) {
  const V = weight.length / x.length;
  const y = new Float64Array(V);
  for (let f = 0; f < x.length; f++) {
    for (let v = 0; v < V; v++) y[v] += x[f] * weight[f * V + v];
  }
  return y;
}

/** exp(logits) divided by its sum: array (A,). */
function softmax(logits) {
  const top = Math.max(...logits);
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The first index of the largest entry. */
function argmax(array) {
  let best = 0;
  for (let i = 1; i < array.length; i++) if (array[i] > array[best]) best = i;
  return best;
}

/** x within [low, high]. */
function clip(x, low, high) {
  return Math.min(high, Math.max(low, x));
}
