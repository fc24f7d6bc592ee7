// Samples become the bytes of a line, in pieces of one length; and how loud they are.
//
// In: samples between -1 and 1. Out: 16-bit samples, frames, decibels. Not known here: microphones, sockets.

export const RATE_HZ = 16_000;
export const FRAME_SAMPLES = 1_600;

/** @returns {Int16Array} what is too loud is clipped, not wrapped round */
export function toPcm16(samples) {
  const out = new Int16Array(samples.length);
  for (let index = 0; index < samples.length; index += 1) {
    out[index] = Math.max(-32768, Math.min(32767, Math.round(samples[index] * 32768)));
  }
  return out;
}

/** Cuts a stream of 16-bit samples into frames of `size`; `flush` gives the shorter last one, or nothing. */
export function createFramer(size = FRAME_SAMPLES) {
  let kept = new Int16Array(0);
  return {
    push(samples) {
      const all = new Int16Array(kept.length + samples.length);
      all.set(kept);
      all.set(samples, kept.length);
      const frames = [];
      let start = 0;
      for (; start + size <= all.length; start += size) frames.push(all.slice(start, start + size));
      kept = all.slice(start);
      return frames;
    },
    flush() {
      const rest = kept;
      kept = new Int16Array(0);
      return rest.length > 0 ? [rest] : [];
    },
  };
}

/** Loudness in dB below full scale; -100 for silence. */
export function levelDb(samples) {
  if (samples.length === 0) return -100;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.max(-100, 10 * Math.log10(sum / samples.length + 1e-12));
}

/** @returns {"silent"|"quiet"|"good"|"loud"} what a level means to who speaks */
export function judgeLevel(db) {
  if (db < -65) return "silent";
  if (db < -42) return "quiet";
  return db < -6 ? "good" : "loud";
}
