"""From a room's live packets to its fragments (直播片段): one picture and one sound.

Takes the same batches as the recorder. Which tracks are shown is decided above and told by
``show``. Invariant: nothing a publisher sends makes this wait, grow or raise; what cannot be cut is
left out, and a keyframe is asked for when one is needed.
"""

from collections.abc import Callable, Sequence
from typing import Final

from media.fragments.boxes import AUDIO_TIMESCALE, VIDEO_TIMESCALE, h264_format, opus_format
from media.fragments.cutter import Cut, PictureCutter, SoundCutter
from media.fragments.errors import FragmentRefused
from media.fragments.hub import Fragment, Hub
from media.fragments.placing import LivePlacing
from media.recording.depacketise.assembler import Assembler
from media.recording.depacketise.frames import Frame
from media.recording.depacketise.opus import opus_duration
from media.recording.segments import TrackFormat

REORDER_NS: Final = 150_000_000  # a missing packet is not waited for as long as in a recording
# Viewers begin at keyframes and segments end at them, so one is wanted this often.
GOP_NS_MAX: Final = 1_800_000_000
ASK_NS: Final = 500_000_000
SILENT_NS: Final = 400_000_000  # sound that is late by more than this is not waited for
PICTURE_LOST_NS: Final = 3_000_000_000  # without pictures for so long, sound goes on alone
ROOM_NS: Final = 1_000_000_000  # before the first frame, for one that was made before it
KINDS: Final = ("video", "audio")


class LiveStream:
    """``want_keyframe(track)`` asks a publisher; ``on_fragment`` sees every fragment too."""

    def __init__(
        self,
        hub: Hub,
        want_keyframe: Callable[[str], None],
        on_fragment: Callable[[Fragment], None] | None = None,
        on_sound: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self.hub = hub
        self._want_keyframe, self._on_fragment = want_keyframe, on_fragment
        self._on_sound = on_sound
        self._shown: dict[str, _Shown] = {}  # by kind
        self._placing = LivePlacing()
        self._zero_ns: int | None = None
        self._picture: PictureCutter | None = None
        self._sound: SoundCutter | None = None
        self._sequence = 1
        self._utc_offset_ms = 0  # UTC minus monotonic
        self._last_picture_ns = self._asked_ns = self._last_key_ns = -(1 << 62)
        self._has_picture = False

    def show(self, kind: str, track: str | None, form: TrackFormat | None = None) -> None:
        """Which track stands for "video" or "audio" from now on; None: none.

        Raises FragmentRefused ``fragment.codec``: MP4 and players take H.264 and Opus.
        """
        assert kind in KINDS
        if track is None or form is None:
            self._shown.pop(kind, None)
        elif form.kind != kind or form.codec not in ("h264", "opus"):
            raise FragmentRefused("fragment.codec")
        else:
            self._shown[kind] = _Shown(track, Assembler(form, REORDER_NS))
            self._placing.begin(kind, form.clock_rate)
        if kind == "video":
            # From one picture to another nobody begins anew; without any, sound goes on alone.
            self._finish_picture()
            self._has_picture &= track is not None
            if track is not None:
                self._want_keyframe(track)
        self._lay_out()

    def packets(self, track: str, arrivals: Sequence[tuple[int, bytes]], utc_ms: int) -> None:
        """A batch as the recorder takes it: (monotonic ns, RTP packet), UTC of the last."""
        for kind, shown in self._shown.items():
            if shown.track != track or not arrivals:
                continue
            self._utc_offset_ms = utc_ms - arrivals[-1][0] // 1_000_000
            for mono_ns, raw in arrivals:
                for frame in shown.assembler.packet(raw, mono_ns):
                    if frame.source != shown.source:
                        shown.source = frame.source
                        self._placing.begin(kind, shown.assembler.format.clock_rate)
                    self._frame(kind, frame)
            return

    def sender_report(self, track: str, ssrc: int, ntp: int, timestamp: int) -> None:
        """What a sender report of a shown track's publisher said."""
        for kind, shown in self._shown.items():
            at = shown.assembler.unwrapped(ssrc, timestamp)
            if shown.track == track and at is not None:
                self._placing.report(kind, at, ntp)

    def tick(self, now_ns: int) -> None:
        """A few times a second: silence for sound that is missing, keyframes that are due."""
        picture = self._shown.get("video")
        if picture is not None:
            gaps, picture.gaps = picture.gaps, picture.assembler.counters.gaps
            is_due = now_ns - self._last_key_ns >= GOP_NS_MAX or gaps != picture.gaps
            if is_due and now_ns - self._asked_ns >= ASK_NS:
                self._asked_ns = now_ns
                self._want_keyframe(picture.track)
            if self._has_picture and now_ns - self._last_picture_ns >= PICTURE_LOST_NS:
                self._finish_picture()
                self._has_picture = False
                self._lay_out()
        if self._sound is not None and self._zero_ns is not None:
            until = _scaled(now_ns - SILENT_NS - self._zero_ns, AUDIO_TIMESCALE)
            before = self._sound.next_time
            self._publish("audio", self._sound.fill(until))
            self._pass_silence(before)

    # ---- frames

    def _frame(self, kind: str, frame: Frame) -> None:
        at_ns = self._placing.place(kind, frame.timestamp, frame.arrival_ns)
        if self._zero_ns is None:
            self._zero_ns = at_ns - ROOM_NS
        if kind == "video":
            self._take_picture(frame, at_ns - self._zero_ns)
        else:
            self._take_sound(frame, at_ns - self._zero_ns)

    def _take_picture(self, frame: Frame, at_ns: int) -> None:
        self._last_picture_ns = frame.arrival_ns
        if frame.is_key:
            assert frame.format is not None
            self._last_key_ns = frame.arrival_ns
            form = h264_format(frame.format)
            if not self._has_picture:
                self._has_picture = True
                self._lay_out()
            if self._picture is None or self._picture.format != form:
                self._finish_picture()
                self._picture = PictureCutter(form, self._sequence)
                self.hub.set_format(self._stream("video"), form)
        if self._picture is not None:
            cuts = self._picture.push(_scaled(at_ns, VIDEO_TIMESCALE), frame.data, frame.is_key)
            self._publish("video", cuts)

    def _take_sound(self, frame: Frame, at_ns: int) -> None:
        if self._sound is None:
            self._sound = SoundCutter(opus_format())
            self._lay_out()
        time, duration = _scaled(at_ns, AUDIO_TIMESCALE), opus_duration(frame.data)
        before = self._sound.next_time
        self._publish("audio", self._sound.push(time, frame.data, duration))
        after = self._sound.next_time
        if self._on_sound is not None and after is not None and after != before:
            self._on_sound(after - duration, frame.data)

    def _pass_silence(self, before: int | None) -> None:
        """Tells the other encoder of sound that time went on."""
        after = self._sound.next_time if self._sound is not None else None
        if self._on_sound is not None and before is not None and after is not None:
            self._on_sound(after, b"")

    # ---- layout

    def _stream(self, kind: str) -> int:
        return self.hub.kinds.index(kind)

    def _lay_out(self) -> None:
        """Tells viewers to begin anew if other kinds are there than before."""
        # Only what has come: a player waits for every stream it was promised.
        has_sound = self._sound is not None and "audio" in self._shown
        has = {"video": self._has_picture, "audio": has_sound}
        kinds = tuple(kind for kind in KINDS if has[kind])
        if kinds == self.hub.kinds:
            return
        if self._sound is not None and "audio" in self.hub.kinds:
            self._publish("audio", self._sound.flush())
        self.hub.set_layout(kinds)
        if not has_sound:
            self._sound = None
        for kind, cutter in (("video", self._picture), ("audio", self._sound)):
            if cutter is not None and kind in kinds:
                self.hub.set_format(self._stream(kind), cutter.format)
        if "video" in kinds and "video" in self._shown:
            # Who watches begins anew, and with pictures that needs a keyframe.
            self._want_keyframe(self._shown["video"].track)

    def _finish_picture(self) -> None:
        if self._picture is not None:
            self._publish("video", self._picture.finish())
            self._sequence += 1 << 16  # sequence numbers only rise
        self._picture = None

    def _publish(self, kind: str, cuts: list[Cut]) -> None:
        if not cuts or kind not in self.hub.kinds or self._zero_ns is None:
            return
        scale = VIDEO_TIMESCALE if kind == "video" else AUDIO_TIMESCALE
        for cut in cuts:
            mono_ms = (self._zero_ns + cut.time * 1_000_000_000 // scale) // 1_000_000
            found = self.hub.publish(self._stream(kind), cut, mono_ms + self._utc_offset_ms)
            if self._on_fragment is not None:
                self._on_fragment(found)


class _Shown:
    """A track that is shown."""

    def __init__(self, track: str, assembler: Assembler) -> None:
        self.track, self.assembler = track, assembler
        self.source = self.gaps = 0


def _scaled(ns: int, scale: int) -> int:
    return ns * scale // 1_000_000_000
