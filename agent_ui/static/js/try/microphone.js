// The microphone: asked for, opened, changed, pulled out.
//
// In: which device, and whether the browser may touch up its sound. Out: samples at the device's rate, and
// `MicrophoneError` with a code. Not known here: lines, calls, words on the page.

const CODE_OF_ERROR = {
  NotAllowedError: "mic.refused",
  SecurityError: "mic.refused",
  NotFoundError: "mic.none",
  OverconstrainedError: "mic.none",
  NotReadableError: "mic.busy",
  AbortError: "mic.busy",
};

export class MicrophoneError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** @returns {Promise<Array<{id: string, label: string}>>} names are empty until the microphone was allowed once */
export async function listMicrophones() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter(({ kind, deviceId }) => kind === "audioinput" && deviceId !== "")
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** @param {{deviceId: string|null, isTouchedUp: boolean, onSamples: (samples: Float32Array) => void,
 *   onGone: () => void}} how
 * @returns {Promise<{rateHz: number, label: string, change: Function, close: Function}>} */
export async function openMicrophone({ deviceId, isTouchedUp, onSamples, onGone }) {
  if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new MicrophoneError("mic.insecure");
  if (globalThis.AudioWorkletNode === undefined) throw new MicrophoneError("mic.old");
  let stream = await ask(deviceId, isTouchedUp);
  const context = new AudioContext(); // at the device's own rate: Firefox joins no two rates, and we resample well
  let source = null;
  const node = await createNode(context).catch((error) => {
    stop(stream);
    context.close();
    throw error;
  });
  node.port.onmessage = ({ data }) => onSamples(data);
  take(stream);
  await context.resume();

  function take(next) {
    source?.disconnect();
    if (next !== stream) stop(stream);
    stream = next;
    source = context.createMediaStreamSource(next);
    source.connect(node);
    next.getAudioTracks()[0].onended = onGone;
  }

  return {
    rateHz: context.sampleRate,
    get label() {
      return stream.getAudioTracks()[0]?.label ?? "";
    },
    /** Listen to another device from now on; raises `MicrophoneError` and stays where it is. */
    async change(nextId, isNextTouchedUp) {
      take(await ask(nextId, isNextTouchedUp));
    },
    close() {
      node.port.onmessage = null;
      stop(stream);
      context.close();
    },
  };
}

function stop(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}

async function createNode(context) {
  await context.audioWorklet.addModule(new URL("capture.worklet.js", import.meta.url));
  return new AudioWorkletNode(context, "zhiting-capture", { numberOfOutputs: 0 });
}

async function ask(deviceId, isTouchedUp) {
  const audio = {
    echoCancellation: isTouchedUp,
    noiseSuppression: isTouchedUp,
    autoGainControl: isTouchedUp,
    ...(deviceId ? { deviceId: { ideal: deviceId } } : {}),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(CODE_OF_ERROR[error.name] ?? "mic.other");
  }
}
