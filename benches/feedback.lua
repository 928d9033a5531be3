-- wrk: POSTs an account with three points, each for another person of the file PEOPLE, as the bearer
-- of TOKEN. A line of the file is a debrief's id, a space, and a contact's id or "candidate". The
-- lines before OFFSET are used up.

require("report")

local people = {}
for line in io.lines(os.getenv("PEOPLE")) do
    people[#people + 1] = line
end

local headers = {
    Authorization = "Bearer " .. os.getenv("TOKEN"),
    Accept = "application/json",
    ["Content-Type"] = "application/json",
}
local account = [[{%s, "channel": "phone", "verbatim": false, "submit": true,
"first_impression": "It went worse than I had hoped.",
"narrative": "The first half went well. Then came a question about a slow query, and nothing sensible came to mind for what felt like minutes. The rest was friendly, but short.",
"overall": "no_decision",
"ratings": [{"competency": "technical_depth", "rating": "no"}, {"competency": "communication", "rating": "yes"}],
"points": [
{"kind": "slip", "competency": "technical_depth", "what": "No way into the slow query question", "why": "Nerves", "next_time": "Think aloud", "severity": "serious"},
{"kind": "slip", "competency": "motivation", "what": "Unclear why the change", "severity": "noticeable"},
{"kind": "strength", "competency": "preparation", "what": "Good questions about the product"}]}]]

used = tonumber(os.getenv("OFFSET") or "0")

function request()
    used = used + 1
    local debrief, person = (people[used] or ""):match("^(%S+) (%S+)$")
    if not debrief then
        -- Nobody is left: the answers (404) make the run fail, which is better than a wrong number.
        return wrk.format("POST", "/v1/nobody-is-left", headers, "{}")
    end
    local side = '"side": "candidate"'
    if person ~= "candidate" then
        side = '"side": "client", "contact_id": "' .. person .. '"'
    end
    return wrk.format("POST", "/v1/debriefs/" .. debrief .. "/feedback", headers, account:format(side))
end

local thread
function setup(its_thread)
    thread = its_thread
end

function done(summary, latency)
    report(summary, latency)
    io.write("USED ", thread:get("used"), "\n")
end
