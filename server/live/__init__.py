"""Live video of the halls (音视频直播): who may see and be heard; a process of its own forwards.

`grants` is the table of roles, `desk` what pages ask, `child` and `link` the way to the media
process, `worker` that process. The act of decrypting never waits for any of it.
"""
