"""Fuzzes the readers of carriers' protocols, one at a time, guided by coverage.

In: the name of a reader, then options of libFuzzer. Out: nothing, or a file with the input that broke it.
Not known here: sockets, calls.

    pip install -e .[fuzz]
    python -m scripts.fuzz_lines twilio -max_total_time=600 -timeout=5 -rss_limit_mb=1024

An exception other than `BadMessage`, an answer that takes longer than the timeout, or more memory than the
limit is a finding.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import atheris

with atheris.instrument_imports(include=["calls.ingest"]):
    from calls.ingest.audiohook import AudioHookReader
    from calls.ingest.chan_websocket import AsteriskReader
    from calls.ingest.jitter import Heard, Jitter
    from calls.ingest.l16 import CARRIERS as L16_CARRIERS
    from calls.ingest.l16 import L16Reader
    from calls.ingest.leg_socket import plan_of
    from calls.ingest.messages import BadMessage, read_message
    from calls.ingest.rules import CarrierRules, opening_of
    from calls.ingest.signals import Begin, Block, Reader, Sound
    from calls.ingest.signatures import is_signed_by_audiohook
    from calls.ingest.twilio import CARRIERS, TwilioReader

_SILENCE = {"pcm_s16le": b"\x00\x00", "mulaw": b"\xff", "alaw": b"\xd5"}
_WORDS = {
    "twilio": "event start media stop streamSid stream_id callSid call_control_id tracks inbound both_tracks "
    "mediaFormat media_format encoding audio/x-mulaw PCMA L16 sampleRate 8000 customParameters extra_headers "
    "track chunk timestamp payload token AAAA //8= from to operator_id a=1;token=2 audio/L16;rate=16000",
    "audiohook": "version 2 id type seq parameters open ping paused resumed discarded update close reconnect "
    "media audio PCMU L16 format channels external internal rate PT1.5S PT1e9S start conversationId "
    "participant ani customConfig continuedSessions supportedLanguages",
    "l16": "callSid uuid sampleRate rate 16k mixType stereo mixed content-type audio/l16;rate=16000 "
    "callHeaders key value metadata token operator_id command connect call party citizen alone",
    "asterisk": "MEDIA_START event format ulaw slin16 opus connection_id channel_variables DTMF_END citizen "
    "operator mixed 1",
    "own": "type start stop dtmf pause encoding pcm_s16le sample_rate channels citizen operator call_id meta "
    "started_at 2026-03-05T10:32:05+08:00 reconnect buffered",
}

_MEDIA = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
_OPEN = {
    "conversationId": "1",
    "participant": {"ani": "1", "dnis": "2"},
    "media": [_MEDIA],
    "customConfig": {},
}
_AUDIOHOOK = [
    {"version": "2", "id": "1", "type": kind, "seq": 1, "parameters": parameters}
    for kind, parameters in (
        ("open", _OPEN),
        ("open", _OPEN | {"continuedSessions": [{"id": "0"}], "supportedLanguages": True}),
        ("ping", {"rtt": "PT0.1S"}),
        ("paused", {}),
        ("resumed", {"start": "PT1S", "discarded": "PT1S"}),
        ("discarded", {"start": "PT1S", "discarded": "PT1S"}),
        ("update", {"language": "zh-CN"}),
        ("close", {"reason": "end"}),
    )
]
_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000}
_TWILIO: list[dict[str, Any]] = [
    {"event": "start", "start": {"callSid": "1", "tracks": ["inbound", "outbound"], "mediaFormat": _FORMAT}},
    {"event": "media", "media": {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "////////"}},
    {
        "event": "media",
        "media": {"track": "outbound", "chunk": "2", "timestamp": "40", "payload": "AAAA"},
    },
    {"event": "stop"},
]


def _value(data: atheris.FuzzedDataProvider, words: list[str], depth: int = 0) -> Any:
    """JSON out of a stream of bytes, of words that the protocol knows and of anything else."""
    kind = data.ConsumeIntInRange(0, 9 if depth < 4 else 6)
    count = data.ConsumeIntInRange(0, 6)
    found: Any
    match kind:
        case 0 | 1 | 2:
            found = _word(data, words)
        case 3:
            found = data.ConsumeInt(8)
        case 4:
            found = data.ConsumeFloat()
        case 5:
            found = [None, True, False, "", 0][data.ConsumeIntInRange(0, 4)]
        case 6:
            found = data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 20))
        case 7:
            found = [_value(data, words, depth + 1) for _ in range(count)]
        case _:
            found = {_word(data, words): _value(data, words, depth + 1) for _ in range(count)}
    return found


def _word(data: atheris.FuzzedDataProvider, words: list[str]) -> str:
    at: int = data.ConsumeIntInRange(0, len(words) - 1)
    return words[at]


def _changed(data: atheris.FuzzedDataProvider, words: list[str], whole: dict[str, Any]) -> dict[str, Any]:
    """A message as it should be, but for a few of its values."""
    changed = dict(whole)
    for _ in range(data.ConsumeIntInRange(0, 3)):
        changed[_word(data, words)] = _value(data, words, 2)
    for name, value in whole.items():
        if isinstance(value, dict) and data.ConsumeIntInRange(0, 1):
            changed[name] = _changed(data, words, value)
    return changed


def _message(data: atheris.FuzzedDataProvider, words: list[str]) -> str | bytes:
    match data.ConsumeIntInRange(0, 3):
        case 0:
            return bytes(data.ConsumeBytes(data.ConsumeIntInRange(0, 700)))
        case 1:
            return str(data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 200)))
        case 2 if "event" in words or "parameters" in words:
            whole = _TWILIO if "event" in words else _AUDIOHOOK
            return json.dumps(_changed(data, words, whole[data.ConsumeIntInRange(0, len(whole) - 1)]))
    return json.dumps(_value(data, words))


def _read(reader: Reader, carrier: str, data: atheris.FuzzedDataProvider, words: list[str]) -> None:
    """Read messages as a line does, and act on what they say as far as that is without sockets."""
    jitter: Jitter | None = None
    tracks: tuple[str, ...] = ()
    width = 1
    for _ in range(data.ConsumeIntInRange(1, 24)):
        try:
            for signal in reader.read(_message(data, words)):
                if isinstance(signal, Begin) and jitter is None:
                    opening_of(carrier, signal, CarrierRules())
                    with suppress(BadMessage):
                        plan_of(signal)
                    silence = _SILENCE[signal.encoding]
                    tracks, width = signal.tracks, len(silence)
                    jitter = Jitter(legs=len(tracks), rate_hz=signal.sample_rate_hz, silence=silence)
                    list(reader.opened(0.0))
                elif isinstance(signal, Sound) and jitter is not None and signal.track in tracks:
                    if len(signal.data) % width == 0:
                        jitter.put(tracks.index(signal.track), signal.at_s, signal.data, signal.number)
                elif isinstance(signal, Block):
                    assert isinstance(signal.data, bytes)
        except BadMessage:
            continue
    if jitter is not None:
        jitter.flush()


def _twilio(data: atheris.FuzzedDataProvider) -> None:
    carrier = CARRIERS[data.ConsumeIntInRange(0, len(CARRIERS) - 1)]
    order = ("little", "big")[data.ConsumeIntInRange(0, 1)]
    rules = CarrierRules(byte_order=order)  # type: ignore[arg-type]
    _read(TwilioReader(carrier, rules), carrier, data, _WORDS["twilio"].split())


def _audiohook(data: atheris.FuzzedDataProvider) -> None:
    _read(AudioHookReader(CarrierRules()), "audiohook", data, _WORDS["audiohook"].split())


def _l16(data: atheris.FuzzedDataProvider) -> None:
    carrier = L16_CARRIERS[data.ConsumeIntInRange(0, len(L16_CARRIERS) - 1)]
    query = {"rate": "8k"} if data.ConsumeIntInRange(0, 1) else {}
    _read(L16Reader(carrier, CarrierRules(), query), carrier, data, _WORDS["l16"].split())


def _own(data: atheris.FuzzedDataProvider) -> None:
    words = _WORDS["own"].split()
    for _ in range(4):
        message = _message(data, words)
        try:
            read_message(message if isinstance(message, str) else message.decode("utf-8", "replace"))
        except BadMessage:
            continue


def _asterisk(data: atheris.FuzzedDataProvider) -> None:
    words = _WORDS["asterisk"].split()
    message = _message(data, words)
    text = message if isinstance(message, str) else f"MEDIA_START {message.decode('latin-1')}"
    query = {name: _word(data, words) for name in ("call", "party", "alone")}
    reader = AsteriskReader(query)
    for one in (text, b"\x00\x01", text):
        with suppress(BadMessage):
            for signal in reader.read(one):
                if isinstance(signal, Begin):
                    plan_of(signal)


def _jitter(data: atheris.FuzzedDataProvider) -> None:
    legs = data.ConsumeIntInRange(1, 2)
    jitter = Jitter(legs=legs, rate_hz=8000, silence=b"\xff")
    came = out = 0
    for _ in range(data.ConsumeIntInRange(1, 120)):
        at_s = data.ConsumeIntInRange(-(10**7), 10**7) / 1000
        if data.ConsumeIntInRange(0, 7):
            at_s = data.ConsumeIntInRange(0, 3000) / 1000
        sound = bytes(data.ConsumeIntInRange(0, 800))
        came += len(sound)
        stretches = jitter.put(
            data.ConsumeIntInRange(0, legs - 1), at_s, sound, data.ConsumeIntInRange(-1, 60)
        )
        out += sum(len(one.data) for one in stretches if isinstance(one, Heard))
    out += sum(len(one.data) for one in jitter.flush() if isinstance(one, Heard))
    assert out <= legs * (came + jitter.counts.filled_s * 8000) + 1


def _signatures(data: atheris.FuzzedDataProvider) -> None:
    names = ("signature", "signature-input", "x-api-key", "host", "audiohook-session-id")
    headers = {name: data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 300)) for name in names}
    assert not is_signed_by_audiohook(headers, "/", b"secret", now_s=0.0)


TARGETS: dict[str, Callable[[atheris.FuzzedDataProvider], None]] = {
    "twilio": _twilio,
    "audiohook": _audiohook,
    "l16": _l16,
    "own": _own,
    "asterisk": _asterisk,
    "jitter": _jitter,
    "signatures": _signatures,
}


def main() -> None:
    """Fuzz the reader that is named first."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"which reader? one of {', '.join(TARGETS)}")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: target(atheris.FuzzedDataProvider(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
