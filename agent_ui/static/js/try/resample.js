// Sound of any sample rate becomes sound of another one, block by block, without aliasing.
//
// In: samples at the microphone's rate. Out: samples at the wanted rate, exactly as many as their time asks for.
// Not known here: where sound comes from and where it goes.

const ZEROS_EACH_SIDE = 30;
/** Of the lower of both Nyquist frequencies: what lies above is taken out before it could fold back. */
const CUTOFF = 0.92;
const KAISER_BETA = 8;

/** @returns {{push: (samples: Float32Array) => Float32Array, flush: () => Float32Array}} a polyphase filter that
 * keeps its state between blocks; `flush` gives the rest and ends it */
export function createResampler(fromHz, toHz) {
  if (fromHz === toHz) return { push: (samples) => samples, flush: () => new Float32Array(0) };
  const common = gcd(fromHz, toHz);
  const [up, down] = [toHz / common, fromHz / common];
  const cutoff = 0.5 * CUTOFF * Math.min(1, toHz / fromHz);
  const half = Math.ceil(ZEROS_EACH_SIDE / (2 * cutoff));
  const phases = Array.from({ length: up }, (_, phase) => taps(phase / up, half, cutoff));
  let kept = new Float32Array(half); // silence before the first sample
  let keptFrom = -half;
  let taken = 0;
  let given = 0;

  function push(samples) {
    taken += samples.length;
    return extend(samples);
  }

  function extend(samples, most = Infinity) {
    const all = new Float32Array(kept.length + samples.length);
    all.set(kept);
    all.set(samples, kept.length);
    const end = keptFrom + all.length;
    const out = [];
    while (given < most) {
      const base = Math.floor((given * down) / up);
      if (base + half >= end) break;
      const filter = phases[(given * down) % up];
      const first = base - half + 1 - keptFrom;
      let sum = 0;
      for (let index = 0; index < filter.length; index += 1) sum += filter[index] * all[first + index];
      out.push(sum);
      given += 1;
    }
    const needed = Math.floor((given * down) / up) - half + 1;
    const passed = Math.max(0, Math.min(all.length, needed - keptFrom));
    kept = all.slice(passed);
    keptFrom += passed;
    return Float32Array.from(out);
  }

  return {
    push,
    flush: () => extend(new Float32Array(half + 1), Math.round((taken * toHz) / fromHz)),
  };
}

/** Filter for an output sample that lies `fraction` behind an input sample. */
function taps(fraction, half, cutoff) {
  const filter = new Float64Array(2 * half);
  for (let index = 0; index < filter.length; index += 1) {
    const distance = fraction + half - 1 - index;
    filter[index] = 2 * cutoff * sinc(2 * cutoff * distance) * kaiser(distance / half);
  }
  const sum = filter.reduce((total, value) => total + value, 0);
  return filter.map((value) => value / sum);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** The modified Bessel function of order 0. */
function bessel(x) {
  let [sum, term] = [1, 1];
  for (let n = 1; term > sum * 1e-12; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}
