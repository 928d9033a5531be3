"""The account that feedback.lua writes, as the facts that the database is given."""

import json

ACTOR = {"kind": "user", "id": "usr_01m81yfrhres0r37et4vw2rrj1"}
EVENT = {"id": "fbk_01m81yfsx3em9asqm30k8cx0y8", "side": "client", "version": 2,
         "debrief_id": "dbf_01m81yfsx3em99mmtyf9taxb2g"}
POINTS = [
    {"id": "pnt_01m81yfteme25sz08b4yeqw0ka", "kind": "slip", "competency": "technical_depth",
     "what": "No way into the slow query question", "why": "Nerves", "next_time": "Think aloud", "severity": "serious"},
    {"id": "pnt_01m81yfteme25r2s5syb084p8t", "kind": "slip", "competency": "motivation",
     "what": "Unclear why the change", "severity": "noticeable"},
    {"id": "pnt_01m81yfteme25vvycqkvmzskm5", "kind": "strength", "competency": "preparation",
     "what": "Good questions about the product"},
]
SAID = {
    "channel": "phone",
    "first_impression": "It went worse than I had hoped.",
    "narrative": "The first half went well. Then came a question about a slow query, and nothing sensible came to mind "
                 "for what felt like minutes. The rest was friendly, but short.",
    "overall": "no_decision",
}
RATINGS = [{"competency": "technical_depth", "rating": "no"}, {"competency": "communication", "rating": "yes"}]


def variables():
    """What sql/feedback.sql is given, by name."""
    document = {**SAID, "side": "client", "verbatim": False, "ratings": RATINGS, "points": POINTS}
    documents = {
        "ratings": RATINGS, "document": document, "actor": ACTOR,
        "created": {**EVENT, "state": "draft", "revision": 0},
        "submitted": {**EVENT, "state": "submitted", "revision": 1},
    }
    points = {
        f"{field}_{number}": value
        for number, point in enumerate(POINTS, 1) for field, value in point.items() if field != "id"
    }
    return {**SAID, **points, **{name: json.dumps(document) for name, document in documents.items()}}
