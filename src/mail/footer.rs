//! The one sentence of ours in a note: whose words these are and whom a reply reaches, in the
//! language of the note.

/// Who is named in the footer.
#[derive(Debug, Clone, Copy)]
pub(super) struct People<'a> {
    pub candidate: &'a str,
    pub recruiter: &'a str,
    pub agency: &'a str,
}

/// The footer in the language of the tag (BCP 47); in English when we do not speak it.
pub(super) fn footer(language: &str, people: People<'_>) -> String {
    let People { candidate, recruiter, agency } = people;
    match language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "de" => format!(
            "{candidate} hat diese Nachricht nach dem Gespräch geschrieben. {recruiter} ({agency}) leitet \
             sie weiter; eine Antwort auf diese Nachricht erreicht {recruiter}."
        ),
        "es" => format!(
            "{candidate} escribió este mensaje después de la entrevista. {recruiter} ({agency}) se lo hace \
             llegar; una respuesta a este mensaje llegará a {recruiter}."
        ),
        "fr" => format!(
            "{candidate} a écrit ce message après l’entretien. {recruiter} ({agency}) vous le transmet ; \
             une réponse à ce message parviendra à {recruiter}."
        ),
        "it" => format!(
            "{candidate} ha scritto questo messaggio dopo il colloquio. {recruiter} ({agency}) lo inoltra; \
             una risposta a questo messaggio arriverà a {recruiter}."
        ),
        "nl" => format!(
            "{candidate} heeft dit bericht na het gesprek geschreven. {recruiter} ({agency}) stuurt het \
             door; een antwoord op dit bericht komt aan bij {recruiter}."
        ),
        _ => format!(
            "{candidate} wrote this note after the interview. {recruiter} of {agency} passes it on; a \
             reply to this message reaches {recruiter}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_the_note_is_kept() {
        let people = People { candidate: "Ann Lee", recruiter: "Bo Ray", agency: "Hire Ltd" };
        assert!(footer("de-AT", people).starts_with("Ann Lee hat diese Nachricht"));
        assert!(footer("FR", people).contains("Bo Ray (Hire Ltd) vous le transmet"));
        assert_eq!(footer("tlh", people), footer("en", people));
    }
}
