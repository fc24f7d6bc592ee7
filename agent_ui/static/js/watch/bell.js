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

/** The first press wakes the bell; where that press was on its own button, it has done its work with that. */
const WAKING_MS = 500;

export function createBell() {
  const listeners = new Set();
  let context = null;
  let isOn = false;
  let wokeMs = -Infinity;
  let open = new Set();
  let timer = 0;

  addEventListener("pointerdown", wake, { once: true, capture: true });
  addEventListener("keydown", wake, { once: true, capture: true });

  /** After the first press the bell is as it was left the last time; at first it is on. */
  function wake() {
    if (context !== null) return;
    context = new AudioContext();
    wokeMs = performance.now();
    turn(localStorage.getItem(KEPT_UNDER) !== "off");
  }

  function toggle() {
    if (performance.now() - wokeMs < WAKING_MS && isOn) return;
    turn(!isOn);
    localStorage.setItem(KEPT_UNDER, isOn ? "on" : "off");
  }

  function turn(isNowOn) {
    isOn = isNowOn;
    listeners.forEach((listener) => listener());
    arm();
  }

  /** @param {Array<string>} alarms those that nobody has taken; one that was not there rings at once */
  function update(alarms) {
    const isNew = alarms.some((alarm) => !open.has(alarm));
    const isSame = !isNew && alarms.length === open.size;
    open = new Set(alarms);
    if (isSame) return;
    if (isNew) ring();
    arm();
  }

  function arm() {
    clearInterval(timer);
    if (isOn && open.size > 0) timer = setInterval(ring, AGAIN_MS);
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
