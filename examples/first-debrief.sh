#!/usr/bin/env bash
# The whole story of one debrief, told to a running server: an interview that went badly, the
# accounts of both sides, the second chance, and the thank-you note that is relayed by email.
#
#   examples/first-debrief.sh BASE_URL SETUP_TOKEN
#
# The server prints the one-time set-up token while it has no agency. Needs curl and jq.
set -euo pipefail

if [ $# != 2 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 64
fi
base=${1%/}
setup_token=$2
password="correct horse battery staple"
# How long the relay may take to bring both messages to the mail server.
patience_seconds=${PATIENCE_SECONDS:-120}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# --- talking to the server -----------------------------------------------------------------------

token=   # the access token, once signed in
body=    # what the last answer said
etag=    # the version it carried, for If-Match

# call METHOD PATH EXPECTED_STATUS [JSON] [HEADER...]
call() {
    local method=$1 path=$2 expected=$3 json=${4-} status
    local arguments=(--silent --show-error --request "$method" --header "Accept: application/json"
        --dump-header "$scratch/head" --output "$scratch/body" --write-out '%{http_code}')
    shift $(($# < 4 ? $# : 4))
    [ -z "$token" ] || arguments+=(--header "Authorization: Bearer $token")
    [ -z "$json" ] || arguments+=(--header "Content-Type: application/json" --data-binary "$json")
    for header in "$@"; do arguments+=(--header "$header"); done
    : >"$scratch/body"
    status=$(curl "${arguments[@]}" "$base$path")
    body=$(cat "$scratch/body")
    etag=$(tr -d '\r' <"$scratch/head" | sed -n 's/^[Ee][Tt][Aa][Gg]: *//p')
    if [ "$status" != "$expected" ]; then
        echo "$method $path answered $status, not $expected:" >&2
        jq . "$scratch/body" >&2 2>/dev/null || cat "$scratch/body" >&2
        exit 1
    fi
}

get() { call GET "$1" 200; }
create() { call POST "$1" 201 "$2"; }

# change METHOD RECORD_PATH ACTION [JSON]: fetches the record's version, then acts on that version.
change() {
    local method=$1 record=$2 action=$3 json=${4-}
    get "$record"
    call "$method" "$record$action" 200 "$json" "If-Match: $etag"
}

# field FILTER: one value of the last answer; a value that is missing stops the story.
field() { jq --exit-status --raw-output "$1" <<<"$body"; }

# expect WHAT FILTER VALUE: the last answer must say so.
expect() {
    local found
    found=$(jq --raw-output "$2" <<<"$body")
    if [ "$found" != "$3" ]; then
        echo "$1 is $found, not $3" >&2
        exit 1
    fi
}

# json ARGUMENT... FILTER: builds a request body.
json() { jq --null-input --compact-output "$@"; }

hours_from_now() { json --argjson hours "$1" 'now + $hours * 3600 | floor | todate' | tr -d '"'; }

# --- telling the reader --------------------------------------------------------------------------

step=0
say() {
    step=$((step + 1))
    printf '%2d. %s\n' "$step" "$*"
}

# row COLUMN...: a line of a table, under the step that it belongs to.
row() {
    local line
    printf -v line '    %-24s %-15s %-12s %s' "$@"
    echo "${line%"${line##*[![:space:]]}"}"
}

# rows FILTER: one row for each tab-separated line that the filter makes of the last answer.
rows() {
    local columns
    jq --raw-output "$1 | map(. // \"-\" | tostring) | @tsv" <<<"$body" | while IFS=$'\t' read -r -a columns; do
        row "${columns[@]}"
    done
}

# --- the agency, and the people ------------------------------------------------------------------

call POST /v1/setup 201 "$(json --arg token "$setup_token" --arg password "$password" '{
    token: $token, agency_name: "Harbour Staffing", name: "Dana Okafor",
    email: "dana@harbour-staffing.example", password: $password}')"
say "Harbour Staffing is set up; Dana Okafor is its first user."

call POST /v1/auth/login 200 "$(json --arg password "$password" '{
    email: "dana@harbour-staffing.example", password: $password}')"
token=$(field .access_token)
say "Dana signs in; her access token is good for $(field '.expires_in / 60') minutes."

create /v1/clients '{"name": "Meridian Analytics", "external_refs": [{"system": "crm", "id": "ACC-1042"}]}'
client=$(field .id)
create /v1/contacts "$(json --arg client "$client" '{client_id: $client, name: "Ruth Ferrer",
    email: "ruth.ferrer@meridian-analytics.example", role: "hiring_manager"}')"
ruth=$(field .id)
create /v1/contacts "$(json --arg client "$client" '{client_id: $client, name: "Sam Lindqvist",
    email: "sam.lindqvist@meridian-analytics.example", role: "interviewer"}')"
sam=$(field .id)
create /v1/job-orders "$(json --arg client "$client" '{client_id: $client, title: "Data engineer", status: "open"}')"
job_order=$(field .id)
say "The client is Meridian Analytics, with Ruth Ferrer and Sam Lindqvist; it wants a data engineer."

create /v1/candidates '{"name": "Mina Sato", "email": "mina.sato@mail.example", "locale": "en", "time_zone": "Europe/Berlin"}'
candidate=$(field .id)
create /v1/interviews "$(json --arg candidate "$candidate" --arg job_order "$job_order" --arg ruth "$ruth" --arg sam "$sam" \
    --arg starts_at "$(hours_from_now -3)" --arg ends_at "$(hours_from_now -2)" '{
    candidate_id: $candidate, job_order_id: $job_order, contact_ids: [$ruth, $sam], round: 1, format: "video",
    starts_at: $starts_at, ends_at: $ends_at, time_zone: "Europe/Berlin",
    preparation: [{item: "Read the client'"'"'s engineering blog", done: true}, {item: "Mock interview", done: false}]}')"
interview=$(field .id)
debrief=$(field .debrief_id)
say "Mina Sato met both of them today; that made $debrief."

# --- two accounts of the same hour ---------------------------------------------------------------

create "/v1/debriefs/$debrief/feedback" "$(json '{
    side: "candidate", channel: "phone", verbatim: false, submit: true,
    first_impression: "A disaster. I want to hide.",
    narrative: "The first half hour went well. Then Ruth asked how I would find the cause of a slow query, and my mind went blank. I said something about indexes and we moved on. I also called Sam by the wrong name.",
    overall: "no",
    ratings: [{competency: "technical_depth", rating: "no"}, {competency: "communication", rating: "mixed"},
              {competency: "preparation", rating: "yes"}],
    points: [
        {kind: "slip", competency: "technical_depth", what: "Went blank on finding the cause of a slow query",
         why: "Nerves: I know this from my daily work", next_time: "Think aloud, start from the query plan",
         question_asked: "How do you find out why a query is slow?",
         wished_answer: "Read the plan, compare estimated with real rows, then look at statistics and indexes",
         severity: "serious", address: "address"},
        {kind: "slip", competency: "communication", what: "Called Sam by the wrong name once",
         why: "Mixed up two names on the invitation", next_time: "Write the names down",
         severity: "minor", address: "leave"},
        {kind: "strength", competency: "preparation", what: "Knew the product and had questions about it"}],
    agency_only: {interest_level: "high", other_processes: "Second round elsewhere next week"}}')"
get "/v1/debriefs/$debrief"
say "Mina calls Dana with her own account; the debrief is $(field .state)."

create "/v1/debriefs/$debrief/feedback" "$(json --arg ruth "$ruth" '{
    side: "client", contact_id: $ruth, said_by: "Ruth Ferrer", channel: "phone", verbatim: false, submit: true,
    narrative: "Likeable, and she has clearly read what we do. The slow query question went nowhere, which worries us. Nobody could tell why she wants to leave her present team.",
    overall: "no_decision",
    ratings: [{competency: "technical_depth", rating: "no"}, {competency: "communication", rating: "yes"},
              {competency: "preparation", rating: "strong_yes"}, {competency: "motivation", rating: "mixed"}],
    points: [
        {kind: "slip", competency: "technical_depth", what: "No way into the slow query question", severity: "serious"},
        {kind: "slip", competency: "motivation", what: "Unclear why she wants to change", severity: "noticeable"},
        {kind: "strength", competency: "preparation", what: "The best questions we had all week"}]}')"
get "/v1/debriefs/$debrief"
say "Dana calls Ruth, who saw another hour; the debrief is $(field .state)."
expect "the debrief" .state ready

get "/v1/debriefs/$debrief/comparison"
say "Both views side by side, by competency:"
row "competency" "candidate" "client" "gap"
rows '.competencies[] | [.competency, .candidate, .client, .gap]'
say "And point by point: who noticed which slip?"
row "topic" "noticed by" "suggestion" ""
rows '.points[] | [.topic, .noticed_by, .suggestion.address, ""]'

# --- the second chance ---------------------------------------------------------------------------

create "/v1/debriefs/$debrief/retry-requests" '{
    "grounds": "nerves",
    "what_would_differ": "Half an hour on one slow query of theirs, at the keyboard instead of from memory",
    "candidate_words": "I do this every day and could not show it. May I show it?"}'
retry=/v1/retry-requests/$(field .id)
say "Mina asks for another chance: $(field .state)."
change POST "$retry" /put-to-client "$(json --arg ruth "$ruth" '{contact_id: $ruth, channel: "phone"}')"
say "Dana puts it to Ruth: $(field .state)."
change POST "$retry" /accept "$(json --arg ruth "$ruth" '{contact_id: $ruth, reason: "Fair enough: nerves are not skills"}')"
say "Ruth says yes: $(field .state)."
change POST "$retry" /schedule "$(json --arg sam "$sam" --arg starts_at "$(hours_from_now 48)" --arg ends_at "$(hours_from_now 48.5)" '{
    interview: {contact_ids: [$sam], round: 2, format: "video", starts_at: $starts_at, ends_at: $ends_at,
                time_zone: "Europe/Berlin"}}')"
expect "the retry request" .state scheduled
get "/v1/interviews?candidate_id=$candidate"
say "A second meeting stands for $(field "[.data[] | select(.retry_of_interview_id == \"$interview\")][0].starts_at"), linked to the first."

# --- the thank-you note --------------------------------------------------------------------------

create "/v1/debriefs/$debrief/notes" "$(json --arg ruth "$ruth" --arg sam "$sam" '{
    contact_ids: [$ruth, $sam], language: "en", subject: "Thank you for your time today",
    body: "Dear Ruth, dear Sam,\n\nI am so sorry, I am terribly sorry for my stupid answer about the slow query. I completely failed.\n\nMina Sato"}')"
note=/v1/notes/$(field .id)
say "Mina drafts a note to both."

change POST "$note" /submit
change POST "$note" /request-changes '{"reason": "Thank them and add what you left out; once sorry is once too often."}'
say "Dana asks for changes: $(field .state)."
change PATCH "$note" "" "$(json '{body: ("Dear Ruth, dear Sam,\n\nThank you for your time today and for the look into how your team works. "
    + "Your question about the slow query stayed with me: I would read the plan first, compare estimated with real rows, and only then think of an index.\n\n"
    + "I would very much like to join you and look forward to our next meeting.\n\nMina Sato")}')"
change POST "$note" /submit
say "Mina writes it anew: $(field .state)."
get "$note/preview?contact_id=$ruth"
say "What Ruth would get, before anybody approves it:"
printf '    From:     %s\n    Reply-To: %s\n    Subject:  %s\n' "$(field .from)" "$(field .reply_to)" "$(field .subject)"
get "$note"
content_hash=$(field .content_hash)
change POST "$note" /approve "$(json --arg hash "$content_hash" '{content_hash: $hash}')"
say "Dana approves exactly this text; it is $(field .state), one message for each contact."

deadline=$((SECONDS + patience_seconds))
until get "$note" && [ "$(field '[.deliveries[] | select(.state == "sent")] | length')" = 2 ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
        echo "after $patience_seconds s the deliveries stand like this:" >&2
        field .deliveries >&2
        exit 1
    fi
    sleep 0.5
done
say "The relay has sent both:"
row "recipient" "state" "attempts" "reply"
rows ".deliveries[] | [(if .contact_id == \"$ruth\" then \"Ruth Ferrer\" else \"Sam Lindqvist\" end), .state, .attempts, .last_reply.code]"

# --- the end of the day --------------------------------------------------------------------------

change POST "/v1/debriefs/$debrief" /release
say "Dana gives Mina the client's view: $(field .state)."
change POST "/v1/debriefs/$debrief" /close '{"outcome": "hold"}'
say "The debrief is $(field .state) with the outcome $(field .outcome)."
get "/v1/debriefs/$debrief/history"
say "All of it is kept:"
jq --raw-output '.data[] | "    \(.occurred_at[11:19])  \(.type) by \(.actor.name // "the service")"' <<<"$body"
