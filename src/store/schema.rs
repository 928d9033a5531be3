//! The tables as both databases have them; the migrations are the source, and a test holds the two
//! against each other. `Document`, `Instant` and `Uuid` are our own SQL types.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    agencies (id) {
        id -> Uuid,
        name -> Text,
        time_zone -> Text,
        mail -> Document,
        competencies -> Document,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    users (id) {
        id -> Uuid,
        agency_id -> Uuid,
        email -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Text,
        disabled_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    refresh_tokens (token_hash) {
        token_hash -> Binary,
        family_id -> Uuid,
        user_id -> Uuid,
        created_at -> Instant,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    api_clients (id) {
        id -> Uuid,
        agency_id -> Uuid,
        name -> Text,
        scopes -> Text,
        secret_hash -> Binary,
        disabled_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    clients (id) {
        id -> Uuid,
        agency_id -> Uuid,
        name -> Text,
        notes -> Nullable<Text>,
        external_refs -> Document,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    contacts (id) {
        id -> Uuid,
        agency_id -> Uuid,
        client_id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        role -> Text,
        off_limits -> Bool,
        email_status -> Text,
        external_refs -> Document,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    candidates (id) {
        id -> Uuid,
        agency_id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        locale -> Nullable<Text>,
        time_zone -> Text,
        external_refs -> Document,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    job_orders (id) {
        id -> Uuid,
        agency_id -> Uuid,
        client_id -> Uuid,
        title -> Text,
        status -> Text,
        notes -> Nullable<Text>,
        external_refs -> Document,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    interviews (id) {
        id -> Uuid,
        agency_id -> Uuid,
        candidate_id -> Uuid,
        job_order_id -> Uuid,
        round -> Integer,
        format -> Text,
        starts_at -> Instant,
        ends_at -> Instant,
        time_zone -> Text,
        status -> Text,
        retry_of_interview_id -> Nullable<Uuid>,
        preparation -> Document,
        external_refs -> Document,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    interview_contacts (interview_id, contact_id) {
        interview_id -> Uuid,
        contact_id -> Uuid,
        position -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    external_refs (agency_id, kind, system, external_id) {
        agency_id -> Uuid,
        kind -> Text,
        system -> Text,
        external_id -> Text,
        record_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    name_parts (agency_id, kind, part, record_id) {
        agency_id -> Uuid,
        kind -> Text,
        part -> Text,
        record_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    debriefs (id) {
        id -> Uuid,
        agency_id -> Uuid,
        interview_id -> Uuid,
        candidate_id -> Uuid,
        client_id -> Uuid,
        job_order_id -> Uuid,
        recruiter_id -> Nullable<Uuid>,
        state -> Text,
        outcome -> Nullable<Text>,
        interviewed_at -> Instant,
        interview_ends_at -> Instant,
        due_at -> Instant,
        candidate_side -> Text,
        client_side -> Text,
        candidate_overall -> Nullable<Text>,
        client_overall -> Nullable<Text>,
        retry_state -> Nullable<Text>,
        note_state -> Nullable<Text>,
        matches -> Document,
        released_at -> Nullable<Instant>,
        closed_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    feedback (id) {
        id -> Uuid,
        agency_id -> Uuid,
        debrief_id -> Uuid,
        side -> Text,
        contact_id -> Nullable<Uuid>,
        state -> Text,
        revision -> Integer,
        said_by -> Nullable<Text>,
        channel -> Nullable<Text>,
        verbatim -> Bool,
        first_impression -> Nullable<Text>,
        narrative -> Nullable<Text>,
        overall -> Nullable<Text>,
        ratings -> Document,
        agency_only -> Nullable<Document>,
        waived_reason -> Nullable<Text>,
        submitted_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    feedback_revisions (feedback_id, revision) {
        feedback_id -> Uuid,
        revision -> Integer,
        agency_id -> Uuid,
        document -> Document,
        recorded_by -> Document,
        recorded_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    points (id) {
        id -> Uuid,
        agency_id -> Uuid,
        debrief_id -> Uuid,
        feedback_id -> Uuid,
        position -> Integer,
        kind -> Text,
        competency -> Nullable<Text>,
        what -> Text,
        why -> Nullable<Text>,
        next_time -> Nullable<Text>,
        question_asked -> Nullable<Text>,
        wished_answer -> Nullable<Text>,
        severity -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    activities (id) {
        id -> Uuid,
        agency_id -> Uuid,
        debrief_id -> Uuid,
        contact_id -> Nullable<Uuid>,
        kind -> Text,
        outcome -> Text,
        summary -> Nullable<Text>,
        conflict_of_interest -> Bool,
        occurred_at -> Instant,
        recorded_by -> Document,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    retry_requests (id) {
        id -> Uuid,
        agency_id -> Uuid,
        debrief_id -> Uuid,
        interview_id -> Uuid,
        client_id -> Uuid,
        state -> Text,
        is_open -> Bool,
        grounds -> Text,
        what_would_differ -> Text,
        candidate_words -> Text,
        contact_id -> Nullable<Uuid>,
        channel -> Nullable<Text>,
        note -> Nullable<Text>,
        reason -> Nullable<Text>,
        proposal -> Nullable<Text>,
        scheduled_interview_id -> Nullable<Uuid>,
        put_to_client_at -> Nullable<Instant>,
        decided_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    notes (id) {
        id -> Uuid,
        agency_id -> Uuid,
        debrief_id -> Uuid,
        contact_ids -> Document,
        state -> Text,
        subject -> Text,
        body -> Text,
        language -> Nullable<Text>,
        content_hash -> Text,
        reason -> Nullable<Text>,
        approved_hash -> Nullable<Text>,
        approved_by -> Nullable<Document>,
        approved_at -> Nullable<Instant>,
        send_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    note_contacts (note_id, contact_id) {
        note_id -> Uuid,
        contact_id -> Uuid,
        debrief_id -> Uuid,
        live -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    deliveries (id) {
        id -> Uuid,
        agency_id -> Uuid,
        debrief_id -> Uuid,
        note_id -> Uuid,
        contact_id -> Uuid,
        position -> Integer,
        state -> Text,
        transmitting -> Bool,
        withdrawn -> Bool,
        attempts -> Integer,
        due_at -> Instant,
        next_attempt_at -> Nullable<Instant>,
        lease_token -> BigInt,
        lease_until -> Nullable<Instant>,
        envelope_from -> Text,
        envelope_to -> Text,
        message_id -> Text,
        message -> Binary,
        last_code -> Nullable<Integer>,
        last_enhanced_code -> Nullable<Text>,
        last_text -> Nullable<Text>,
        sent_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        destination -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    delivery_attempts (delivery_id, number) {
        delivery_id -> Uuid,
        number -> Integer,
        agency_id -> Uuid,
        host -> Text,
        started_at -> Instant,
        finished_at -> Nullable<Instant>,
        outcome -> Nullable<Text>,
        step -> Nullable<Text>,
        code -> Nullable<Integer>,
        enhanced_code -> Nullable<Text>,
        text -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    events (seq) {
        seq -> BigInt,
        id -> Uuid,
        agency_id -> Uuid,
        #[sql_name = "type"]
        event_type -> Text,
        record_id -> Uuid,
        debrief_id -> Nullable<Uuid>,
        actor -> Document,
        reason -> Nullable<Text>,
        data -> Document,
        occurred_at -> Instant,
        xact -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Instant;

    idempotency_keys (digest) {
        digest -> Binary,
        fingerprint -> Binary,
        answer -> Binary,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    webhook_endpoints (id) {
        id -> Uuid,
        agency_id -> Uuid,
        url -> Text,
        description -> Nullable<Text>,
        event_types -> Document,
        secrets -> Document,
        position_xact -> BigInt,
        position_seq -> BigInt,
        failing_since -> Nullable<Instant>,
        disabled_at -> Nullable<Instant>,
        disabled_because -> Nullable<Text>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    webhook_deliveries (id) {
        id -> Uuid,
        agency_id -> Uuid,
        endpoint_id -> Uuid,
        event_id -> Uuid,
        event_type -> Text,
        body -> Text,
        state -> Text,
        attempts -> Integer,
        next_attempt_at -> Nullable<Instant>,
        lease_token -> BigInt,
        last_attempt_at -> Nullable<Instant>,
        last_status -> Nullable<Integer>,
        last_error -> Nullable<Text>,
        delivered_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Instant, Uuid};

    inbound_messages (digest) {
        digest -> Binary,
        agency_id -> Uuid,
        delivery_id -> Uuid,
        kind -> Text,
        received_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    mail_domains (id) {
        id -> Uuid,
        agency_id -> Uuid,
        domain -> Text,
        bounce_domain -> Text,
        keys -> Document,
        verified_at -> Nullable<Instant>,
        checked_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Instant, Uuid};

    feed_horizons (agency_id) {
        agency_id -> Uuid,
        xact -> BigInt,
        seq -> BigInt,
        occurred_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Document, Instant, Uuid};

    imports (id) {
        id -> Uuid,
        agency_id -> Uuid,
        kind -> Text,
        format -> Text,
        dry_run -> Bool,
        external_system -> Nullable<Text>,
        header -> Document,
        state -> Text,
        reason -> Nullable<Text>,
        actor -> Document,
        rows_total -> BigInt,
        rows_done -> BigInt,
        rows_created -> BigInt,
        rows_updated -> BigInt,
        rows_unchanged -> BigInt,
        rows_failed -> BigInt,
        failures -> Integer,
        created_at -> Instant,
        started_at -> Nullable<Instant>,
        finished_at -> Nullable<Instant>,
        updated_at -> Instant,
        postponed -> Integer,
        not_before -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uuid;

    import_chunks (import_id, first_row) {
        import_id -> Uuid,
        first_row -> BigInt,
        agency_id -> Uuid,
        content -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uuid;

    import_results (import_id, last_row) {
        import_id -> Uuid,
        last_row -> BigInt,
        agency_id -> Uuid,
        failed -> Bool,
        content -> Text,
    }
}

diesel::joinable!(debriefs -> interviews (interview_id));
diesel::joinable!(debriefs -> candidates (candidate_id));
diesel::joinable!(debriefs -> clients (client_id));
diesel::joinable!(debriefs -> job_orders (job_order_id));
diesel::joinable!(debriefs -> users (recruiter_id));
diesel::joinable!(debriefs -> agencies (agency_id));
diesel::joinable!(interview_contacts -> contacts (contact_id));
diesel::joinable!(interview_contacts -> interviews (interview_id));
diesel::joinable!(interviews -> job_orders (job_order_id));
diesel::joinable!(feedback -> debriefs (debrief_id));
diesel::joinable!(deliveries -> notes (note_id));
diesel::joinable!(deliveries -> debriefs (debrief_id));
diesel::joinable!(deliveries -> contacts (contact_id));
diesel::joinable!(users -> agencies (agency_id));
diesel::joinable!(refresh_tokens -> users (user_id));
diesel::joinable!(contacts -> clients (client_id));
diesel::joinable!(webhook_deliveries -> webhook_endpoints (endpoint_id));

diesel::joinable!(mail_domains -> agencies (agency_id));

diesel::allow_tables_to_appear_in_same_query!(
    agencies,
    users,
    refresh_tokens,
    api_clients,
    clients,
    contacts,
    candidates,
    job_orders,
    interviews,
    interview_contacts,
    external_refs,
    name_parts,
    debriefs,
    feedback,
    feedback_revisions,
    points,
    activities,
    retry_requests,
    notes,
    note_contacts,
    deliveries,
    delivery_attempts,
    events,
    feed_horizons,
    webhook_endpoints,
    webhook_deliveries,
    mail_domains,
    imports,
    import_chunks,
    import_results,
);
