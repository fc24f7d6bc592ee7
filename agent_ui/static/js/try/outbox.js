// The sound of a call that the server may not have yet: kept until it surely does, within a bound.
//
// In: frames as they are spoken, and from where the server wants to go on. Out: frames to be sent, in order.
// Not known here: sockets. Bound: `maxSamples`; past it the oldest is let go, silence stands in its place so that
// times stay right, and `lostSamples` tells how much.

import { FRAME_SAMPLES, RATE_HZ } from "./framing.js";

export const KEPT_S = 90;

export function createOutbox({ maxSamples = KEPT_S * RATE_HZ } = {}) {
  let blocks = []; // of [position of its first sample, samples]
  let end = 0;
  let sent = 0;
  let filled = 0;

  const oldest = () => (blocks.length > 0 ? blocks[0].from : end);

  return {
    add(samples) {
      blocks.push({ from: end, samples });
      end += samples.length;
      while (end - oldest() > maxSamples && blocks.length > 1) blocks.shift();
    },
    /** The next samples to send, or null. */
    next() {
      if (sent >= end) return null;
      if (sent < oldest()) {
        const count = Math.min(FRAME_SAMPLES, oldest() - sent);
        sent += count;
        filled += count;
        return new Int16Array(count);
      }
      let place = blocks.length - 1; // what is unsent stands at the end
      while (blocks[place].from > sent) place -= 1;
      const block = blocks[place];
      const samples = block.samples.subarray(sent - block.from);
      sent = block.from + block.samples.length;
      return samples;
    },
    /** Go on from there: the server has everything before it. */
    rewind(position) {
      sent = Math.max(0, Math.min(position, end));
    },
    /** Sound that was let go before it could be sent. */
    get lostSamples() {
      return filled + Math.max(0, oldest() - sent);
    },
    get waitingSamples() {
      return end - sent;
    },
  };
}
