"""A building lot (房建市政施工): form and technical envelope, opened in one session.

The members a manifest takes over as they are; ``defaults`` may be set otherwise in a draft, each
within the limits of the manifest's schema. Two of three trustees open what a bidder unlocked.
"""

from crypto.canonical import Json

BUILDING: dict[str, Json] = {
    "envelopes": [
        {
            "envelope": 1,
            "kind": "form",
            "name": "开标一览表",
            "log2_chunk": 16,
            "pt_len_max": 65_536,
            "mode": 0,
            "fields": [
                {
                    "name": "price",
                    "type": "money",
                    "label": {"en": "Bid price", "zh": "投标报价"},
                    "decides": True,
                    "optional": False,
                },
                {
                    "name": "days",
                    "type": "days",
                    "label": {"en": "Duration (days)", "zh": "工期（日历天）"},
                    "decides": False,
                    "optional": False,
                    "max": 3650,
                },
                {
                    "name": "manager",
                    "type": "text",
                    "label": {"en": "Project manager", "zh": "项目经理"},
                    "decides": False,
                    "optional": False,
                    "max": 40,
                },
            ],
        },
        {
            "envelope": 2,
            "kind": "body",
            "name": "技术标",
            "log2_chunk": 20,
            "pt_len_max": 1 << 31,
            "mode": 0,
        },
    ],
    "session": {
        "session": 1,
        "early_end": True,
        "show_count": True,
        "outage": "extend",
        "unattended": False,
    },
    "defaults": {
        "window_ms": 1_800_000,
        "reply_ms": 600_000,
        "t": 2,
        "min_bidders": 3,
        "submissions_max": 20,
        "lots": [{"lot": 1, "name": "第一标段"}],
    },
}
