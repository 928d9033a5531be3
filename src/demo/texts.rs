//! What people say in the demonstration: sentences that go together in many ways.

pub mod accounts;
pub mod around;
pub mod notes;
pub mod points;

use super::dice::Dice;

/// A text with what belongs in its gaps: `{client}`, `{contact}`, `{candidate}`, `{title}`.
#[must_use]
pub fn filled(text: &str, gaps: &Gaps<'_>) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (gap, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(match gap {
            "client" => gaps.client,
            "contact" => gaps.contact,
            "candidate" => gaps.candidate,
            "title" => gaps.title,
            _ => "",
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Who and what a text speaks of.
#[derive(Debug, Clone, Copy)]
pub struct Gaps<'a> {
    /// The company.
    pub client: &'a str,
    /// Somebody there.
    pub contact: &'a str,
    /// The candidate.
    pub candidate: &'a str,
    /// The job.
    pub title: &'a str,
}

/// One sentence of each list, in their order, with the gaps filled.
#[must_use]
pub fn paragraph(dice: &mut Dice, lists: &[&[&str]], gaps: &Gaps<'_>) -> String {
    let sentences: Vec<&str> = lists.iter().map(|list| *dice.pick(list)).collect();
    filled(&sentences.join(" "), gaps)
}

/// What jobs are called.
pub const TITLES: [&str; 40] = [
    "Senior Backend Engineer",
    "Frontend Developer",
    "Site Reliability Engineer",
    "Data Analyst",
    "Data Engineer",
    "Machine Learning Engineer",
    "Product Manager",
    "Engineering Manager",
    "QA Engineer",
    "Embedded Software Engineer",
    "Solutions Architect",
    "Security Analyst",
    "IT Support Lead",
    "UX Designer",
    "Technical Writer",
    "Financial Controller",
    "Payroll Specialist",
    "Internal Auditor",
    "Treasury Analyst",
    "Procurement Manager",
    "Supply Chain Planner",
    "Warehouse Shift Lead",
    "Fleet Coordinator",
    "Quality Manager",
    "Process Engineer",
    "Maintenance Technician",
    "Electrical Engineer",
    "Project Manager Construction",
    "Key Account Manager",
    "Inside Sales Representative",
    "Customer Success Manager",
    "Marketing Manager",
    "Content Editor",
    "HR Business Partner",
    "Office Manager",
    "Legal Counsel",
    "Clinical Data Manager",
    "Regulatory Affairs Specialist",
    "Laboratory Technician",
    "Operations Director",
];

/// What a candidate prepares.
pub const PREPARATION: [&str; 10] = [
    "Read the annual report and the last two press releases",
    "Mock interview with the recruiter",
    "Three examples with situation, action and result",
    "Look up everybody on the panel",
    "Questions for the interviewer",
    "Try the video link the evening before",
    "Find the building and the right entrance",
    "Salary range and notice period agreed with the recruiter",
    "Read the questions that earlier candidates were asked",
    "Print the certificates",
];

/// What the agency should know of a company.
pub const CLIENT_NOTES: [&str; 8] = [
    "Decides in a panel; answers take a week.",
    "Wants feedback by phone, not by mail.",
    "Second interviews are always on site.",
    "Pays travel over 100 km without being asked.",
    "Hiring freeze is lifted; three more roles are to come this quarter.",
    "The works council sees every offer, allow ten days.",
    "Asks for a short task before the first meeting.",
    "Likes candidates who have read about the merger.",
];

/// What the agency should know of a vacancy.
pub const JOB_NOTES: [&str; 8] = [
    "Backfill; the handover ends with the quarter.",
    "New team of five, reports to the site lead.",
    "Two days a week at home after the trial period.",
    "English is enough at first, the local language within a year.",
    "Shift work every third week.",
    "The budget has room for a senior.",
    "A lot of travel in the first six months.",
    "The predecessor stays on as a contact.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled() {
        let gaps =
            Gaps { client: "Halden Rail", contact: "Åsa Kjær", candidate: "Zoë", title: "Data Analyst" };
        assert_eq!(
            filled("{contact} of {client} met {candidate}{gone}.", &gaps),
            "Åsa Kjær of Halden Rail met Zoë."
        );
    }
}
