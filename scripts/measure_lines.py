"""Measures what reading a telephone protocol costs, without recognition: processor time per second of a call.

In: a recording of two channels. Out: milliseconds, with packets in order and with a bad network.
Not known here: sockets, recognition.

`python -m scripts.measure_lines CALL.wav`
"""

import base64
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from calls.ingest.audiohook import AudioHookReader
from calls.ingest.jitter import Heard, Jitter
from calls.ingest.l16 import L16Reader
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Begin, Block, Reader, Sound
from calls.ingest.twilio import TwilioReader
from scripts.caller_sounds import Impairment, encoded, impaired, packets_of
from scripts.replay import Recording, read_recording

_TRACKS = ("inbound", "outbound")
_BAD = Impairment(loss=0.05, duplicate=0.02, late=0.01, reorder_ms=190)


def twilio_messages(recording: Recording, impairment: Impairment) -> list[str]:
    """The call as Twilio sends it."""
    media = {"encoding": "audio/x-mulaw", "sampleRate": 8000}
    start = {"callSid": "CA1", "tracks": list(_TRACKS), "mediaFormat": media}
    messages = [json.dumps({"event": "start", "start": start})]
    for n, packet in enumerate(impaired(packets_of(recording, encoding="mulaw"), impairment)):
        one = {
            "track": _TRACKS[packet.channel],
            "chunk": str(packet.number + 1),
            "timestamp": str(round(packet.at_s * 1000)),
            "payload": base64.b64encode(packet.data).decode(),
        }
        messages.append(
            json.dumps({"event": "media", "sequenceNumber": str(n), "streamSid": "MZ1", "media": one})
        )
    return messages


def binary_messages(first: str, sound: bytes, size: int) -> list[str | bytes]:
    """A first text and then sound."""
    return [first, *(sound[n : n + size] for n in range(0, len(sound), size))]


def cost_ms(reader: Reader, messages: Sequence[str | bytes], seconds: float) -> float:
    """Processor time, in milliseconds, for each second of the call."""
    jitter: Jitter | None = None
    kept = 0
    began = time.process_time()
    for message in messages:
        for signal in reader.read(message):
            if isinstance(signal, Begin):
                jitter = Jitter(legs=len(signal.tracks), rate_hz=signal.sample_rate_hz, silence=b"\xff")
            elif isinstance(signal, Block):
                kept += len(signal.data)
            elif isinstance(signal, Sound) and jitter is not None:
                leg = _TRACKS.index(signal.track)
                for stretch in jitter.put(leg, signal.at_s, signal.data, signal.number):
                    kept += len(stretch.data) if isinstance(stretch, Heard) else 0
    spent_s = time.process_time() - began
    assert kept, "nothing was read"
    return spent_s * 1000 / seconds


def main() -> None:
    """Measure."""
    recording = read_recording(Path(sys.argv[1]))
    rules = CarrierRules()
    media = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
    opening = {"version": "2", "id": "1", "type": "open", "seq": 1, "parameters": {"media": [media]}}
    samples = recording.samples.reshape(-1)
    for name, reader, messages in (
        ("Twilio", TwilioReader("twilio", rules), twilio_messages(recording, Impairment())),
        ("Twilio, bad network", TwilioReader("twilio", rules), twilio_messages(recording, _BAD)),
        (
            "AudioHook",
            AudioHookReader(rules),
            binary_messages(json.dumps(opening), encoded(samples, "mulaw"), 1600),
        ),
        (
            "FreeSWITCH",
            L16Reader("freeswitch", rules, {"rate": "8k", "mix": "stereo"}),
            binary_messages("{}", encoded(samples, "pcm_s16le"), 640),
        ),
    ):
        print(f"{name}: {cost_ms(reader, messages, recording.seconds):.3f} ms for each second of a call")


if __name__ == "__main__":
    main()
