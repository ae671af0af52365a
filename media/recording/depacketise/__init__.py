"""From RTP packets back to frames (解包): reorder, take apart, drop until a keyframe after a gap.

Pure: no clock, no I/O. Invariant: a frame that comes out is whole, and the decoder has everything
it refers to; for what is missing there is a count, never a guess.
"""
