"""The whole story of one debrief, told with the generated client: story.py BASE_URL SETUP_TOKEN."""

import sys
from datetime import UTC, datetime, timedelta

from debrief_client import AuthenticatedClient, Client
from debrief_client.api.candidates import candidates_create
from debrief_client.api.clients import clients_create, clients_list, clients_show
from debrief_client.api.contacts import contacts_create
from debrief_client.api.debriefs import debriefs_close, debriefs_comparison, debriefs_release, debriefs_show
from debrief_client.api.debriefs import debriefs_list_history
from debrief_client.api.feedback import feedback_create
from debrief_client.api.interviews import interviews_create
from debrief_client.api.job_orders import job_orders_create
from debrief_client.api.notes import notes_approve, notes_create, notes_show, notes_submit
from debrief_client.api.retry_requests import retry_requests_accept, retry_requests_create
from debrief_client.api.retry_requests import retry_requests_put_to_client, retry_requests_set_date
from debrief_client.api.sign_in import sign_in_log_in, sign_in_me, sign_in_set_up
from debrief_client.models import (
    Answered, Approval, Asked, CandidateInput, Channel, ClientInput, CloseInput, CompetencyRating, ContactInput,
    ContactRole, DebriefState, FeedbackInput, Format, Grounds, InterviewInput, JobOrderInput, Login, NoteInput,
    NoteState, NoticedBy, Outcome, Overall, PointInput, PointKind, Problem, Rating, RetryInput, RetryInterview,
    RetryState, Role, Scheduled, Setup, Severity, Side,
)

base, setup_token = sys.argv[1:]


def seen(response, status=200):
    """What was answered, which must not be a problem."""
    assert response.status_code == status, response
    assert response.parsed is not None and not isinstance(response.parsed, Problem), response
    return response.parsed


def made(response):
    return seen(response, 201)


def at(record):
    """The version of a record, for If-Match."""
    return f'"{record.version}"'


# The agency, and who signs in.
nobody = Client(base_url=base)
dana = {"email": "dana@harbour-staffing.example", "password": "correct horse battery staple"}
agency = Setup(token=setup_token, agency_name="Harbour Staffing", name="Dana Okafor", **dana)
made(sign_in_set_up.sync_detailed(client=nobody, body=agency))
tokens = seen(sign_in_log_in.sync_detailed(client=nobody, body=Login(**dana)))
api = AuthenticatedClient(base_url=base, token=tokens.access_token)
assert seen(sign_in_me.sync_detailed(client=api)).role == Role.ADMIN

# A problem is one as the client knows it.
refused = clients_create.sync_detailed(client=api, body=ClientInput(name=""))
assert isinstance(refused.parsed, Problem) and refused.parsed.errors[0].pointer == "/name", refused

# The people and the meeting.
client = made(clients_create.sync_detailed(client=api, body=ClientInput(name="Meridian Analytics")))
ruth, sam = (
    made(contacts_create.sync_detailed(client=api, body=ContactInput(
        client_id=client.id, name=name, email=f"{name.split()[0].lower()}@meridian.example", role=role)))
    for name, role in (("Ruth Ferrer", ContactRole.HIRING_MANAGER), ("Sam Lindqvist", ContactRole.INTERVIEWER))
)
order = made(job_orders_create.sync_detailed(
    client=api, body=JobOrderInput(client_id=client.id, title="Data engineer")))
mina = made(candidates_create.sync_detailed(
    client=api, body=CandidateInput(name="Mina Sato", email="mina@mail.example", time_zone="Europe/Berlin")))
now = datetime.now(UTC).replace(microsecond=0)
meeting = InterviewInput(
    candidate_id=mina.id, job_order_id=order.id, contact_ids=[ruth.id, sam.id], format_=Format.VIDEO,
    starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=2))
interview = made(interviews_create.sync_detailed(client=api, body=meeting, idempotency_key="the-meeting"))
again = made(interviews_create.sync_detailed(client=api, body=meeting, idempotency_key="the-meeting"))
assert again == interview
debrief = interview.debrief_id

# Two accounts of the same hour.
made(feedback_create.sync_detailed(debrief, client=api, body=FeedbackInput(
    side=Side.CANDIDATE, channel=Channel.PHONE, submit=True, overall=Overall.NO,
    narrative="It went well until the slow query.",
    ratings=[CompetencyRating(competency="technical_depth", rating=Rating.NO)],
    points=[PointInput(
        kind=PointKind.SLIP, competency="technical_depth", what="Went blank on the slow query",
        next_time="Start from the query plan", severity=Severity.SERIOUS)])))
made(feedback_create.sync_detailed(debrief, client=api, body=FeedbackInput(
    side=Side.CLIENT, contact_id=ruth.id, channel=Channel.PHONE, submit=True, overall=Overall.NO_DECISION,
    narrative="Likeable and well prepared; the query went nowhere.",
    ratings=[CompetencyRating(competency="technical_depth", rating=Rating.NO)],
    points=[
        PointInput(kind=PointKind.SLIP, competency="technical_depth", what="No way into the question"),
        PointInput(kind=PointKind.SLIP, competency="motivation", what="Unclear why she wants to change")])))
comparison = seen(debriefs_comparison.sync_detailed(debrief, client=api))
assert {group.noticed_by for group in comparison.points} == {NoticedBy.BOTH, NoticedBy.CLIENT_ONLY}
assert [point.competency for point in comparison.blind_spots] == ["motivation"]

# The second chance.
retry = made(retry_requests_create.sync_detailed(debrief, client=api, body=RetryInput(
    grounds=Grounds.NERVES, what_would_differ="At the keyboard.", candidate_words="May I show it?")))
retry = seen(retry_requests_put_to_client.sync_detailed(
    retry.id, client=api, if_match=at(retry), body=Asked(contact_id=ruth.id, channel=Channel.PHONE)))
retry = seen(retry_requests_accept.sync_detailed(
    retry.id, client=api, if_match=at(retry), body=Answered(contact_id=ruth.id, reason="Nerves are not skills")))
retry = seen(retry_requests_set_date.sync_detailed(retry.id, client=api, if_match=at(retry), body=Scheduled(
    interview=RetryInterview(starts_at=now + timedelta(hours=48), ends_at=now + timedelta(hours=49)))))
assert retry.state == RetryState.SCHEDULED

# The note, approved as it was read.
note = made(notes_create.sync_detailed(debrief, client=api, body=NoteInput(
    contact_ids=[ruth.id, sam.id], subject="Thank you", body="Dear both,\n\nthank you for your time.\n\nMina")))
note = seen(notes_submit.sync_detailed(note.id, client=api, if_match=at(note)))
note = seen(notes_approve.sync_detailed(
    note.id, client=api, if_match=at(note), body=Approval(content_hash=note.content_hash)))
assert note.state == NoteState.QUEUED and len(note.deliveries) == 2
assert seen(notes_show.sync_detailed(note.id, client=api)).content_hash == note.content_hash

# The end.
whole = seen(debriefs_show.sync_detailed(debrief, client=api))
assert whole.state == DebriefState.READY and len(whole.feedback) == 3
whole = seen(debriefs_release.sync_detailed(debrief, client=api, if_match=at(whole)))
whole = seen(debriefs_close.sync_detailed(
    debrief, client=api, if_match=at(whole), body=CloseInput(outcome=Outcome.HOLD)))
assert whole.state == DebriefState.CLOSED
history = seen(debriefs_list_history.sync_detailed(debrief, client=api, limit=200))
assert history.data[0].actor.name == "Dana Okafor" and history.next_cursor is None

# A record that the client has already, and a list page by page.
known = clients_show.sync_detailed(client.id, client=api, if_none_match=at(client))
assert known.status_code == 304 and known.headers["etag"] == at(client)
made(clients_create.sync_detailed(client=api, body=ClientInput(name="Nordwind")))
first = seen(clients_list.sync_detailed(client=api, limit=1))
second = seen(clients_list.sync_detailed(client=api, limit=1, cursor=first.next_cursor))
assert {first.data[0].name, second.data[0].name} == {"Nordwind", "Meridian Analytics"}
print(f"Python: {debrief} is closed with {len(history.data)} lines of history")
