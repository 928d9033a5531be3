//! The table of what can be wrong with one field, parameter or row, each with what it means. The codes are stable;
//! the words beside a fault are for people, and may change.

/// Every code, in the order of the alphabet.
pub const CODES: &[(&str, &str)] = &[
    ("address_not_allowed", "A webhook goes to the public internet only."),
    ("already_exists", "Another record has it, and only one can."),
    ("ambiguous", "Several records have this name: give the id."),
    ("archived", "It stands in older records, and is not taken for new ones any more."),
    ("before_the_first", "A second meeting does not begin before the first one."),
    ("bidi_character", "The text contains a character that turns the direction of writing."),
    ("blank", "The text is empty, or nothing but spaces."),
    ("contradiction", "Two fields say different things."),
    ("control_character", "The text contains a control character."),
    (
        "debrief_is_open",
        "The debrief has begun, so the interview has ended: its end cannot lie in the future any more.",
    ),
    ("duplicate", "It stands in the list already, or one with the same email address does."),
    (
        "external_system_missing",
        "The column holds ids of another system, and external_system does not say of which.",
    ),
    ("immutable", "The field cannot be changed any more; the detail says why."),
    ("in_the_future", "The time has not come yet."),
    ("in_use", "It is taken already."),
    ("invalid", "The value is not as the reference says, in a way that has no code of its own."),
    ("invalid_domain", "The text is no name of a mail domain."),
    ("invalid_email", "The text is no email address."),
    ("invalid_format", "The text is no date, time or address of the kind that is wanted."),
    ("invalid_id", "The text is no id, or one of another kind of record."),
    ("invalid_language", "The text is no language tag (BCP 47)."),
    (
        "invalid_reference",
        "The system, or the id in it, cannot be kept: it is blank, too long, or has forbidden characters.",
    ),
    ("invalid_time_zone", "The text is no name of the IANA time zone database."),
    ("invalid_url", "The text is no URL that can be called, or has a user name or a fragment."),
    ("malformed", "The row, or the parameter, cannot be read."),
    ("more_faults", "There are more faults than those that are listed."),
    ("no_header", "The file has no line with the names of the columns."),
    (
        "no_room",
        "The list has as many entries as it can have, and one more is to be added by the path or the row.",
    ),
    ("not_after_start", "The end does not lie behind the beginning."),
    ("not_aligned", "The domain does not belong to the other one."),
    ("not_allowed", "The field, or its value, is not for this case; the detail says why."),
    ("not_https", "The URL does not begin with https://."),
    ("not_rehearsed", "A dry run writes nothing, so it cannot know whether there is such a record by then."),
    ("open_placeholder", "A brace is opened and not closed."),
    ("out_of_range", "The number, or the time, lies outside of what is taken."),
    ("repeated", "The parameter, or the column, stands more than once."),
    ("required", "The field is missing, or null."),
    ("row_too_long", "The row is longer than any record."),
    ("too_few", "The list has too few entries."),
    ("too_large", "The number is too large."),
    ("too_long", "The text is too long."),
    (
        "too_many",
        "The list has too many entries, the object too many fields, or the document too many values.",
    ),
    ("too_short", "The text is too short."),
    ("too_small", "The number is too small."),
    (
        "unclosed_quotation",
        "The file ends within quotation marks: what stands behind the one that opens them may be other rows.",
    ),
    ("unknown_column", "There is no such column."),
    ("unknown_field", "There is no such field."),
    ("unknown_parameter", "There is no such parameter."),
    ("unknown_placeholder", "There is no such placeholder."),
    ("unknown_reference", "There is no such record, or not for this caller."),
    (
        "unknown_word",
        "The word is none of those that are taken; the detail lists them, or says where they are listed.",
    ),
    ("weak_password", "The password is too short, too long, or one that everybody tries first."),
    ("wrong_client", "The record belongs to another client."),
    ("wrong_interview", "The interview is not one between the same people, or in the right state."),
    ("wrong_number_of_cells", "The row has more or fewer cells than the header has columns."),
    ("wrong_type", "The value has another JSON type than the field."),
];

/// Whether a code stands in the table.
#[must_use]
pub fn is_known(code: &str) -> bool {
    CODES.binary_search_by_key(&code, |(name, _)| name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_alphabet() {
        assert!(CODES.is_sorted());
    }
}
