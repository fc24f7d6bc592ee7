// Samples become a WAV file.
//
// In: pieces of one channel's samples in [-1, 1] and their rate. Out: a Blob of 16-bit PCM.

const HEAD_BYTES = 44;

/** @param {Array<Float32Array>} pieces */
export function wavOf(pieces, rateHz) {
  const samples = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + 2 * samples));
  const write = (at, text) => [...text].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, HEAD_BYTES - 8 + 2 * samples, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rateHz, true);
  view.setUint32(28, 2 * rateHz, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples, true);
  let at = HEAD_BYTES;
  for (const piece of pieces) {
    for (const sample of piece) {
      view.setInt16(at, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
      at += 2;
    }
  }
  return new Blob([view], { type: "audio/wav" });
}
