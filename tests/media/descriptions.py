"""SDP as a browser writes it, and signed STUN and DTLS datagrams, for tests without a browser."""

from itertools import count

FINGERPRINT = ":".join(["AB"] * 32)
_numbers = count(1)


def offer(*sections: str, ufrag: str = "abcd", setup: str = "actpass", **more: str) -> str:
    """An offer with these sections (`camera`, `microphone` or texts of one's own)."""
    fingerprint = more.get("fingerprint", f"sha-256 {FINGERPRINT}")
    head = [
        "v=0",
        f"o=- {more.get('session', '1')} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{'p' * 24}",
        f"a=fingerprint:{fingerprint}",
        f"a=setup:{setup}",
    ]
    return "\r\n".join(head) + "\r\n" + "".join(sections)


def camera(mid: str = "0", *, direction: str = "sendonly", rids: tuple[str, ...] = ()) -> str:
    lines = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 109",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
        "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rtpmap:103 H264/90000",
        "a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
        "a=rtpmap:109 H264/90000",
        "a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=rtpmap:104 rtx/90000",
        "a=fmtp:104 apt=109",
    ]
    if rids:
        lines += [f"a=rid:{rid} send" for rid in rids]
        lines += [f"a=simulcast:send {';'.join(rids)}"]
    else:
        lines += ["a=ssrc-group:FID 1234 1235", "a=ssrc:1234 cname:x", "a=ssrc:1235 cname:x"]
    return "\r\n".join(lines) + "\r\n"


def microphone(mid: str = "1", *, direction: str = "sendonly") -> str:
    lines = [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:0 PCMU/8000",
    ]
    return "\r\n".join(lines) + "\r\n"


def viewer_answer(sdp: str, *, ufrag: str = "view", **more: str) -> str:
    """What a viewer would answer to our offer."""
    sections: list[str] = []
    for part in sdp.split("m=")[1:]:
        kind = part.split()[0]
        mid = next(line for line in part.splitlines() if line.startswith("a=mid:"))
        pt = part.splitlines()[0].split()[3]
        sections.append(f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}\r\n{mid}\r\na=recvonly\r\n")
    return offer(*sections, ufrag=ufrag, setup="active", **more)
