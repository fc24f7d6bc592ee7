// Runs beside the page, in the browser's audio thread: hands on what the microphone gives, in larger pieces.
//
// In: blocks of 128 samples, any number of channels. Out: messages of 2,048 samples of one channel.
// Not known here: rates, levels, calls.

const PIECE_SAMPLES = 2048;

class Capture extends AudioWorkletProcessor {
  piece = new Float32Array(PIECE_SAMPLES);
  filled = 0;

  process([channels]) {
    const first = channels[0];
    if (first === undefined) return true; // between two devices
    for (let index = 0; index < first.length; index += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[index];
      this.piece[this.filled] = sum / channels.length;
      this.filled += 1;
      if (this.filled === PIECE_SAMPLES) {
        this.port.postMessage(this.piece);
        this.piece = new Float32Array(PIECE_SAMPLES);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("zhiting-capture", Capture);
