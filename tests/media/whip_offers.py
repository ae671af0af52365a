"""What encoders offer at a WHIP endpoint, written down as each kind writes it."""

FINGERPRINT = ":".join(["C0"] * 32)
_ICE = f"""a=ice-ufrag:jytU
a=ice-pwd:9PmbRCXCPNkyqLRBmzGnLs
a=fingerprint:sha-256 {FINGERPRINT}
"""

# OBS Studio (libdatachannel): everything of the transport above the sections, no extensions.
OBS = f"""v=0
o=rtc 3767197920 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
a=setup:actpass
{_ICE}m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=ssrc:1300561160 cname:OyOCGnqBo8Rq
a=ssrc:1300561160 msid:obs obs-audio
a=msid:obs obs-audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=160000;stereo=1;sprop-stereo=1;useinbandfec=1
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=ssrc:1300561161 cname:OyOCGnqBo8Rq
a=ssrc:1300561161 msid:obs obs-video
a=msid:obs obs-video
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
"""

# GStreamer's whipclientsink: the transport in every section, mids with names, many codecs.
GSTREAMER = f"""v=0
o=- 6212459157438091281 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0 audio1
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98
c=IN IP4 0.0.0.0
a=setup:actpass
{_ICE}a=rtcp-mux
a=rtcp-rsize
a=sendonly
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=rtpmap:97 H264/90000
a=rtcp-fb:97 nack pli
a=rtcp-fb:97 ccm fir
a=rtcp-fb:97 transport-cc
a=fmtp:97 packetization-mode=1;profile-level-id=42c015;level-asymmetry-allowed=1
a=rtpmap:98 rtx/90000
a=fmtp:98 apt=97
a=extmap:1 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=ssrc:2762171404 msid:user1 webrtctransceiver0
a=ssrc:2762171404 cname:user1
a=mid:video0
m=audio 0 UDP/TLS/RTP/SAVPF 99
c=IN IP4 0.0.0.0
a=setup:actpass
a=bundle-only
{_ICE}a=rtcp-mux
a=sendonly
a=rtpmap:99 OPUS/48000/2
a=ssrc:3093262414 cname:user1
a=mid:audio1
"""

# A box with an HDMI input: H.264 high profile alone, no sound, no list of feedback.
HARDWARE_HIGH = f"""v=0
o=encoder 1 1 IN IP4 192.168.1.20
s=live
t=0 0
a=group:BUNDLE video
a=setup:actpass
{_ICE}m=video 9 UDP/TLS/RTP/SAVPF 102
c=IN IP4 0.0.0.0
a=rtcp-mux
a=mid:video
a=sendonly
a=rtpmap:102 H264/90000
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640028
a=ssrc:305419896 cname:encoder
"""

# A cheaper one: it says nothing of profile or packetization, and its sound is not ours.
HARDWARE_BARE = f"""v=0
o=- 0 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=setup:active
{_ICE}m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:96 H264/90000
m=audio 9 UDP/TLS/RTP/SAVPF 8
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=rtcp-mux
a=rtpmap:8 PCMA/8000
"""

H265_ONLY = HARDWARE_HIGH.replace("H264", "H265")

OFFERS = {
    "obs": OBS,
    "gstreamer": GSTREAMER,
    "hardware, high profile": HARDWARE_HIGH,
    "hardware, bare": HARDWARE_BARE,
}
