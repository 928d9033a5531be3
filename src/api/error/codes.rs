//! The table of codes: what each is called outside, its status, and what a person should know of it.

use actix_web::http::StatusCode;

/// Declares the table: the name outside, the status, the title, when it comes and what mends it.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident $name:literal $status:ident $title:literal
        $occasion:literal $remedy:literal)+) => {
        /// A stable code, with its status and title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $doc])+ $code),+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The code as it is written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            /// The status of an answer with this code.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status),+ }
            }

            /// What it means, in a sentence or two.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc),+)),+ }
            }

            /// When it comes.
            #[must_use]
            pub const fn occasion(self) -> &'static str {
                match self { $(Self::$code => $occasion),+ }
            }

            /// What to do then.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$code => $remedy),+ }
            }

            /// What it means, in a few words that never change.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),+ }
            }
        }
    };
}

codes! {
    /// The input has faults; `errors` lists them all, or the first fifty and that there are more.
    ValidationFailed "validation_failed" BAD_REQUEST "The input has faults"
        "A field or a parameter is missing, unknown, or not as the reference says."
        "Mend everything that `errors` lists, each at its pointer or parameter; sent again as it was, it is refused again."
    /// The body is not JSON.
    MalformedBody "malformed_body" BAD_REQUEST "The body cannot be read"
        "The body is not JSON, ends early, or is not an object where one is wanted."
        "Look at what is sent: the detail says where reading stopped."
    /// The cursor was not made by this service, or for another list.
    InvalidCursor "invalid_cursor" BAD_REQUEST "The cursor does not fit"
        "The cursor was altered, belongs to another list, or the filters beside it have changed."
        "Begin again without a cursor, and pass `next_cursor` on as it is."
    /// There is no token, or it is not good.
    Unauthorized "unauthorized" UNAUTHORIZED "Sign in first"
        "The token is missing, has expired, was signed by somebody else, or the sign-in was refused."
        "Sign in, or exchange the refresh token, and repeat the request with the new token."
    /// The caller may not do this.
    Forbidden "forbidden" FORBIDDEN "Not allowed"
        "The token lacks the scope that the detail names, or the record is a colleague's and only a manager may change it."
        "Ask an administrator for the scope or the role, or the colleague to do it."
    /// There is no such record or route.
    NotFound "not_found" NOT_FOUND "Not found"
        "The id was never given, the record was deleted or belongs to another agency, or the path is wrong."
        "Look at the path. Who syncs finds deleted records in the list, with `include_deleted=true`."
    /// The route does not know the method; `Allow` lists those it knows.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The method is not allowed here"
        "The path exists, but not with this method."
        "Use one of the methods in `Allow`."
    /// None of the representations that the caller accepts can be made.
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE "No acceptable representation"
        "`Accept` or `Accept-Encoding` leaves nothing that can be made."
        "Accept `application/json`, or leave the header out."
    /// The client took too long to send its request.
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The request took too long"
        "The head or the body of the request did not arrive in time."
        "Send it again, in one go."
    /// The state of the record does not allow the transition.
    InvalidTransition "invalid_transition" CONFLICT "The state does not allow this"
        "The record has moved on, or the step comes too early; `state` says where it stands."
        "Read the record again and choose one of the transitions in `allowed`. A draft of an account is begun, and a waived one \
         taken back, by changing it."
    /// There is one already; `existing_id` names it.
    AlreadyExists "already_exists" CONFLICT "There is one already"
        "What may exist once was to be made a second time."
        "Go on with the record that `existing_id` names, if it is yours to see."
    /// Other records depend on it.
    InUse "in_use" CONFLICT "Other records depend on it"
        "A record was to be deleted or changed that others refer to, or the last administrator removed."
        "Remove first what the detail names, or let the record stand."
    /// The text is not the one that was read.
    ContentChanged "content_changed" CONFLICT "The text has changed"
        "A note was approved with the hash of another text than the present one."
        "Read the note again, and approve it with its `content_hash` if it is still right."
    /// A contact is off-limits, or cannot be reached by email.
    ContactBlocked "contact_blocked" CONFLICT "A contact may not be written to"
        "A note names a contact who is off-limits, or whose address has bounced, or is not the one that its email was made for."
        "Leave the contact out, or mend the contact first."
    /// A request with the same `Idempotency-Key` is being answered just now; ask again in a moment.
    IdempotencyInFlight "idempotency_in_flight" CONFLICT "The first request is still being answered"
        "The same key was sent twice at once."
        "Wait as `Retry-After` says and send the request again: then the first answer is there."
    /// The webhook endpoint is disabled: enable it first.
    EndpointDisabled "endpoint_disabled" CONFLICT "The endpoint is disabled"
        "A test or a replay was asked of an endpoint that is switched off, by hand or after days of failure."
        "Enable the endpoint, then ask again."
    /// The import has come to its end already.
    ImportOver "import_over" CONFLICT "The import is over"
        "An import that is finished, or was cancelled, was to be cancelled; or its results were waited for, and it ended before the first one."
        "Read the import: its results say what became of each row."
    /// The feed does not go back so far any more: read the lists as they are now, and then follow the feed
    /// without `after`.
    EventsExpired "events_expired" GONE "The feed does not go back so far"
        "The event that `after` names is older than what the operator keeps, and an event of the types that are asked for may be missing since."
        "Read the lists that you sync in full, then follow the feed from its first event."
    /// The record has changed since it was read.
    StaleVersion "stale_version" PRECONDITION_FAILED "The record has changed"
        "`If-Match` names another version than the present one: somebody else came first. Or a `PUT` with `If-Match` found no record, or one with `If-None-Match: *` found one."
        "Read the record again, look whether the change is still right, and send it with the new `ETag`."
    /// The body is larger than the server takes.
    PayloadTooLarge "payload_too_large" PAYLOAD_TOO_LARGE "The body is too large"
        "The body has more bytes than `server.body_limit_bytes`, or the file of an import more than `imports.body_limit_bytes`."
        "Send less at once."
    /// The body is of a type that the route does not take.
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The type of the body is not supported"
        "`Content-Type` is missing or not one that the route takes, or `Content-Encoding` is none that the service reads."
        "Send the body as the detail says."
    /// The `Idempotency-Key` was sent before with another request: another path, query or body.
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "The key stands for another request"
        "A key was used for two different things."
        "Take a new key for each thing that is to be done once."
    /// The route needs `If-Match`.
    PreconditionRequired "precondition_required" PRECONDITION_REQUIRED "If-Match is required"
        "A change of something that several people work on came without `If-Match`."
        "Send the `ETag` of the version that you have seen as `If-Match`."
    /// The caller has asked too often; `Retry-After` says how many seconds to wait.
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS "Too many requests"
        "The credential, or on the routes that sign in the address, has used up what `RateLimit-Policy` grants."
        "Wait as many seconds as `Retry-After` says."
    /// Something went wrong that the caller cannot mend.
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong here"
        "The service met something that it was not made for."
        "Send the request again once; if it fails again, report its `request_id`."
    /// The database cannot be reached for now, or somebody else is at work on the same records.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "The service is not ready"
        "The database is away for the moment, or two writers met."
        "Wait as `Retry-After` says and send the request again, a `POST` with its `Idempotency-Key`."
}
