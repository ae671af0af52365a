"""The stream for those whom UDP does not reach (片段流): fragmented MP4 over WebSocket and HLS.

Invariant: pictures are never decoded here; the frames of a publisher stand in the fragments byte by
byte. The only thing encoded anew is one AAC sound per room, and only when somebody needs it.
"""
