//! The records that a CRM knows too, except interviews.

use serde_json::json;

use super::companies::ClientPlan;
use super::dice::{Dice, Stream};
use super::people::Person;
use super::plan::Journey;
use super::texts;
use super::world::World;
use crate::domain::actor::Actor;
use crate::domain::ids::{Id, Kind};
use crate::domain::people::JobOrderStatus;
use crate::domain::record::{ExternalRef, RecordKind};
use crate::domain::timestamp::Timestamp;
use crate::store::bulk::Rows;
use crate::store::candidates::Candidate;
use crate::store::clients::Client;
use crate::store::contacts::Contact;
use crate::store::events::NewEvent;
use crate::store::job_orders::JobOrder;
use crate::store::names::NamePartRow;
use crate::store::record::RefRow;
use crate::store::types::Json;

/// The rows of a client, its people and its vacancies.
pub fn client(world: &World, index: usize, rows: &mut Rows) {
    let client = &world.plan.clients[index];
    // Another row of throws than the plan's, which begins with the small numbers.
    let mut dice = Dice::new(world.plan.seed, Stream::Client, u64::MAX - index as u64);
    let actor = Actor::User(world.recruiter(index).id);
    let created: Timestamp = client.created.into();
    let external_refs = external(world, &mut dice, 60, index as u64);
    known(world, rows, RecordKind::Client, client.id, Some(&client.name), &external_refs.0);
    made(world, rows, &mut dice, actor, ("client.created", client.id, created));
    rows.clients.push(Client {
        id: client.id,
        agency_id: world.agency,
        name: client.name.clone(),
        notes: dice.chance(60).then(|| (*dice.pick(&texts::CLIENT_NOTES)).to_owned()),
        external_refs,
        version: 1,
        created_at: created,
        updated_at: created,
        deleted_at: None,
    });
    contacts(world, client, &mut dice, actor, rows);
    job_orders(world, client, &mut dice, actor, rows);
}

fn contacts(world: &World, client: &ClientPlan, dice: &mut Dice, actor: Actor, rows: &mut Rows) {
    let created: Timestamp = client.created.into();
    for contact in &client.contacts {
        let Person { name, phone, .. } = &contact.person;
        known(world, rows, RecordKind::Contact, contact.id, Some(name), &[]);
        made(world, rows, dice, actor, ("contact.created", contact.id, created));
        rows.contacts.push(Contact {
            id: contact.id,
            agency_id: world.agency,
            client_id: client.id,
            name: name.clone(),
            email: Some(contact.email.clone()),
            phone: phone.clone(),
            role: contact.role,
            off_limits: contact.off_limits,
            email_status: contact.email_status,
            external_refs: Json(Vec::new()),
            version: 1,
            created_at: created,
            updated_at: created,
            deleted_at: None,
        });
    }
}

fn job_orders(world: &World, client: &ClientPlan, dice: &mut Dice, actor: Actor, rows: &mut Rows) {
    let newest = client.jobs.len() - 1;
    for (place, job) in client.jobs.iter().enumerate() {
        let created: Timestamp = job.created.into();
        let is_new = place + 2 > newest;
        let status = if is_new {
            JobOrderStatus::Open
        } else {
            dice.weigh(&[
                (14, JobOrderStatus::Filled),
                (4, JobOrderStatus::Cancelled),
                (2, JobOrderStatus::Open),
            ])
        };
        known(world, rows, RecordKind::JobOrder, job.id, Some(job.title), &[]);
        made(world, rows, dice, actor, ("job_order.created", job.id, created));
        rows.job_orders.push(JobOrder {
            id: job.id,
            agency_id: world.agency,
            client_id: client.id,
            title: job.title.to_owned(),
            status,
            notes: dice.chance(40).then(|| (*dice.pick(&texts::JOB_NOTES)).to_owned()),
            external_refs: Json(Vec::new()),
            version: 1,
            created_at: created,
            updated_at: created,
            deleted_at: None,
        });
    }
}

/// The row of a candidate.
pub fn candidate(world: &World, journey: &Journey, rows: &mut Rows) {
    let mut dice = Dice::new(world.plan.seed, Stream::Candidate, u64::MAX - journey.index);
    let person = &journey.person;
    let created: Timestamp = journey.created.into();
    let owner = journey.legs.first().map_or(0, |leg| leg.client);
    let actor = Actor::User(world.recruiter(owner).id);
    let external_refs = external(world, &mut dice, 30, journey.index);
    known(world, rows, RecordKind::Candidate, journey.id, Some(&person.name), &external_refs.0);
    made(world, rows, &mut dice, actor, ("candidate.created", journey.id, created));
    let number = dice.between(1, 999);
    rows.candidates.push(Candidate {
        id: journey.id,
        agency_id: world.agency,
        name: person.name.clone(),
        email: dice.chance(95).then(|| format!("{}{number}@mail.example", person.handle)),
        phone: person.phone.clone(),
        locale: Some(person.locale.to_owned()),
        time_zone: person.zone.to_owned(),
        external_refs,
        version: 1,
        created_at: created,
        updated_at: created,
        deleted_at: None,
    });
}

fn external(world: &World, dice: &mut Dice, percent: u64, number: u64) -> Json<Vec<ExternalRef>> {
    if dice.chance(percent) { world.external("crm", number) } else { Json(Vec::new()) }
}

/// Makes a record known by its name, and by what another system calls it.
fn known<K>(
    world: &World,
    rows: &mut Rows,
    kind: RecordKind,
    id: Id<K>,
    name: Option<&str>,
    refs: &[ExternalRef],
) {
    let parts = name.into_iter().flat_map(|name| NamePartRow::of(world.agency, kind, id, name));
    rows.name_parts.extend(parts);
    rows.external_refs.extend(refs.iter().map(|external| RefRow::new(world.agency, kind, id, external)));
}

/// Writes down that a record was made.
fn made<K: Kind>(
    world: &World,
    rows: &mut Rows,
    dice: &mut Dice,
    actor: Actor,
    (event_type, id, created): (&str, Id<K>, Timestamp),
) {
    rows.events.push(NewEvent {
        id: dice.id(*created),
        agency_id: world.agency,
        event_type: event_type.to_owned(),
        record_id: id.cast(),
        debrief_id: None,
        actor: Json(actor),
        reason: None,
        data: Json(json!({ "id": id, "version": 1 })),
        occurred_at: created,
    });
}
