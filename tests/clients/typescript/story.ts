// The whole story of one debrief, told with the generated client: story.js BASE_URL SETUP_TOKEN.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [baseUrl, token] = process.argv.slice(2);
assert(baseUrl && token, "story.js BASE_URL SETUP_TOKEN");
const api = createClient<paths>({ baseUrl });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** What was answered, which must not be a problem. */
function seen<T>({ data, error, response }: Answer<T>): NonNullable<T> {
    assert(data, `${response.url} ${response.status}: ${JSON.stringify(error)}`);
    return data;
}

/** The version of a record, for If-Match. */
const at = (record: { version: number }) => ({ "If-Match": `"${record.version}"` });
const hence = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

// The agency, and who signs in.
const dana = { email: "dana@harbour-staffing.example", password: "correct horse battery staple" };
const agency = { token, agency_name: "Harbour Staffing", name: "Dana Okafor", ...dana };
seen(await api.POST("/v1/setup", { body: agency }));
const { access_token } = seen(await api.POST("/v1/auth/login", { body: dana }));
api.use({
    onRequest({ request }) {
        request.headers.set("Authorization", `Bearer ${access_token}`);
        return request;
    },
});
assert.equal(seen(await api.GET("/v1/me")).role, "admin");

// A problem is one as the client knows it.
const refused = await api.POST("/v1/clients", { body: { name: "" } });
assert.equal(refused.error?.code, "validation_failed");
assert.equal(refused.error.errors?.[0]?.pointer, "/name");

// The people and the meeting.
const client = seen(await api.POST("/v1/clients", { body: { name: "Meridian Analytics" } }));
const contact = async (name: string, role: components["schemas"]["ContactRole"]) =>
    seen(await api.POST("/v1/contacts", {
        body: { client_id: client.id, name, role, email: `${name.toLowerCase()}@meridian.example` },
    }));
const ruth = await contact("Ruth", "hiring_manager");
const sam = await contact("Sam", "interviewer");
const order = seen(await api.POST("/v1/job-orders", { body: { client_id: client.id, title: "Data engineer" } }));
const mina = seen(await api.POST("/v1/candidates", { body: { name: "Mina Sato", time_zone: "Europe/Berlin" } }));
const interview = seen(await api.POST("/v1/interviews", {
    body: {
        candidate_id: mina.id, job_order_id: order.id, contact_ids: [ruth.id, sam.id], format: "video",
        starts_at: hence(-3), ends_at: hence(-2),
    },
}));
const debrief = { id: interview.debrief_id };

// Two accounts of the same hour.
seen(await api.POST("/v1/debriefs/{id}/feedback", {
    params: { path: debrief },
    body: {
        side: "candidate", channel: "phone", submit: true, narrative: "It went well until the slow query.",
        ratings: [{ competency: "technical_depth", rating: "no" }],
        points: [{ kind: "slip", competency: "technical_depth", what: "Went blank", severity: "serious" }],
    },
}));
seen(await api.POST("/v1/debriefs/{id}/feedback", {
    params: { path: debrief },
    body: {
        side: "client", contact_id: ruth.id, channel: "phone", submit: true, narrative: "The query went nowhere.",
        ratings: [{ competency: "technical_depth", rating: "no" }],
        points: [
            { kind: "slip", competency: "technical_depth", what: "No way into the question" },
            { kind: "slip", competency: "motivation", what: "Unclear why she wants to change" },
        ],
    },
}));
const comparison = seen(await api.GET("/v1/debriefs/{id}/comparison", { params: { path: debrief } }));
assert.deepEqual(comparison.points.map((group) => group.noticed_by).sort(), ["both", "client_only"]);
assert.deepEqual(comparison.blind_spots.map((point) => point.competency), ["motivation"]);

// The second chance.
let retry = seen(await api.POST("/v1/debriefs/{id}/retry-requests", {
    params: { path: debrief },
    body: { grounds: "nerves", what_would_differ: "At the keyboard.", candidate_words: "May I show it?" },
}));
retry = seen(await api.POST("/v1/retry-requests/{id}/put-to-client", {
    params: { path: retry, header: at(retry) }, body: { contact_id: ruth.id, channel: "phone" },
}));
retry = seen(await api.POST("/v1/retry-requests/{id}/accept", {
    params: { path: retry, header: at(retry) }, body: { contact_id: ruth.id },
}));
retry = seen(await api.POST("/v1/retry-requests/{id}/schedule", {
    params: { path: retry, header: at(retry) }, body: { interview: { starts_at: hence(48), ends_at: hence(49) } },
}));
assert.equal(retry.state, "scheduled");

// The note, approved as it was read.
let note = seen(await api.POST("/v1/debriefs/{id}/notes", {
    params: { path: debrief },
    body: { contact_ids: [ruth.id, sam.id], subject: "Thank you", body: "Dear both,\n\nthank you.\n\nMina" },
}));
note = seen(await api.POST("/v1/notes/{id}/submit", { params: { path: note, header: at(note) } }));
note = seen(await api.POST("/v1/notes/{id}/approve", {
    params: { path: note, header: at(note) }, body: { content_hash: note.content_hash },
}));
assert.equal(note.state, "queued");
assert.equal(note.deliveries.length, 2);

// The end.
let whole = seen(await api.GET("/v1/debriefs/{id}", { params: { path: debrief } }));
assert.equal(whole.state, "ready");
whole = seen(await api.POST("/v1/debriefs/{id}/release", { params: { path: debrief, header: at(whole) } }));
whole = seen(await api.POST("/v1/debriefs/{id}/close", {
    params: { path: debrief, header: at(whole) }, body: { outcome: "hold" },
}));
assert.equal(whole.state, "closed");
const history = seen(await api.GET("/v1/debriefs/{id}/history", { params: { path: debrief } }));
assert.equal(history.data[0]?.actor.name, "Dana Okafor");
console.log(`TypeScript: ${debrief.id} is closed with ${history.data.length} lines of history`);
