"""Takes the signals of one stream into its call: packets in order, blocks as they come, gaps and pauses.

In: signals. Out: sound fed to the switchboard, whole sample frames, interleaved.
Not known here: sockets, the protocol that the signals were read from, how the call came about.
"""

from calls.ingest.jitter import Heard, Jitter, JitterCounts, Stretch
from calls.ingest.signals import MAX_GAP_S, Begin, Block, Gap, Hold, Signal, Sound
from calls.session import Session
from calls.switchboard import Switchboard

_SILENCE = {"pcm_s16le": b"\x00\x00", "mulaw": b"\xff", "alaw": b"\xd5"}


class Intake:
    """One stream on its way into an open call."""

    def __init__(self, session: Session, switchboard: Switchboard, begin: Begin):
        self.foreign = 0
        """Packets that were of no track of the call, or not whole samples."""
        self._session = session
        self._switchboard = switchboard
        self._tracks = {track: leg for leg, track in enumerate(begin.tracks)}
        self._width = len(_SILENCE[begin.encoding])
        self._jitter = Jitter(
            legs=len(begin.tracks), rate_hz=begin.sample_rate_hz, silence=_SILENCE[begin.encoding]
        )
        self._rest = b""
        self._is_held = False

    @property
    def counts(self) -> JitterCounts:
        """What the stream of packets was like."""
        return self._jitter.counts

    async def take(self, signal: Signal) -> None:
        """Take sound, a gap or a pause; other signals are none of ours. Raises what `feed` raises."""
        match signal:
            case Sound(track=track, data=data):
                if track not in self._tracks or len(data) % self._width:
                    self.foreign += 1
                else:
                    await self._feed(self._jitter.put(self._tracks[track], signal.at_s, data, signal.number))
            case Block(data=data):
                # A message may end within a sample frame; the rest comes with the next one.
                data = self._rest + data
                whole = len(data) - len(data) % self._session.line.frame_bytes
                self._rest = data[whole:]
                if whole:
                    await self._switchboard.feed(self._session, data[:whole])
            case Gap(seconds=seconds):
                await self._leave_gap(seconds)
            case Hold(is_on=is_on):
                self._is_held = is_on
                self._switchboard.pause(self._session, is_paused=is_on)

    async def flush(self) -> None:
        """Nothing more comes: what was held back is part of the call."""
        await self._feed(self._jitter.flush())

    async def _feed(self, stretches: list[Stretch]) -> None:
        for stretch in stretches:
            if isinstance(stretch, Heard):
                await self._switchboard.feed(self._session, stretch.data)
            else:
                await self._leave_gap(stretch.seconds)

    async def _leave_gap(self, seconds: float) -> None:
        if seconds > 0 and not self._is_held and not self._session.is_ending:
            await self._session.leave_gap(seconds, kept_s=MAX_GAP_S)
