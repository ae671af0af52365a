"""Mechanism: live sound and pictures, forwarded and recorded, never transcoded. Knows no tender.

What others use (everything else is ours to change):

- `media.sfu.Sfu`: the forwarding unit. ``open``, ``close``; ``admit(room, member, grants)``,
  ``dismiss``; ``publish(room, member, offer, labels, to) -> answer``; ``watch(room, member,
  {track: tile height in px}, restart) -> offer | None``, ``answer``, ``unwatch_all``;
  ``restart`` (ICE, without an offer), ``feed`` (packets of our own process); ``mute``, ``hold``;
  ``tap(track, tap)``, ``ask_keyframe(track)`` for recording; ``counters``.
- `media.rtsp_camera.RtspCamera`: a camera that is fetched into a room.
- `media.rooms`: ``SfuOptions`` and the events it tells (``PeerConnected``, ``PeerLost``,
  ``TrackOpened``, ``TrackClosed``, ``TrackFlowing``, ``TrackPaused``, ``SpeakerChanged``,
  ``LayerChanged``).
- `media.grants`: ``Grants``, ``Label``: the table of who may do what, handed in by the server.
- `media.errors.MediaRefused`: every refusal, with one of its ``CODES``.
- `media.engine`: the interface of the packet engine, and `TappedPacket`, what a tap gets:
  ``track``, ``layer``, the decrypted packet (``raw``) as the publisher sent it, ``arrival_us``;
  sender reports stand between the packets (`media.packets.is_rtcp` tells).
- `media.packets.parse_rtp`, `media.rtcp.parse_rtcp`, `media.codecs.starts_keyframe`: for whoever
  reads packets.

Where to look: docs/media.md.
"""
