// The bell: two soft tones when an alarm comes, again every while as long as one is open.
//
// In: whether it may ring, how many alarms are open. Out: sound. Not known here: alarms.
//
// A browser lets a page sound only after somebody has clicked on it: until then the bell is off.

const KEPT_UNDER = "zhiting.bell";
const AGAIN_MS = 20_000;
const TONES_HZ = [660, 880];
const TONE_S = 0.25;
const VOLUME = 0.15;

export function createBell() {
  let context = null;
  let isOn = false;
  let open = 0;
  let timer = 0;

  addEventListener("pointerdown", wake, { once: true, capture: true });
  addEventListener("keydown", wake, { once: true, capture: true });

  /** After the first click the bell is as it was left the last time; at first it is on. */
  function wake() {
    context ??= new AudioContext();
    if (localStorage.getItem(KEPT_UNDER) !== "off") isOn = true;
    listeners.forEach((listener) => listener());
    arm();
  }

  const listeners = new Set();

  function toggle() {
    if (context === null) return wake();
    isOn = !isOn;
    localStorage.setItem(KEPT_UNDER, isOn ? "on" : "off");
    listeners.forEach((listener) => listener());
    arm();
  }

  /** @param {number} count alarms that nobody has taken; more than before rings at once */
  function update(count) {
    const isNew = count > open;
    open = count;
    if (isNew) ring();
    arm();
  }

  function arm() {
    clearInterval(timer);
    if (isOn && open > 0) timer = setInterval(ring, AGAIN_MS);
  }

  function ring() {
    if (!isOn || context === null) return;
    TONES_HZ.forEach((hz, place) => {
      const tone = new OscillatorNode(context, { frequency: hz });
      const gain = new GainNode(context, { gain: 0 });
      const from = context.currentTime + place * TONE_S;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(VOLUME, from + 0.02);
      gain.gain.linearRampToValueAtTime(0, from + TONE_S);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + TONE_S);
    });
  }

  return { toggle, update, isOn: () => isOn, onChange: (listener) => listeners.add(listener) };
}
