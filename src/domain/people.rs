//! The people around an interview, the vacancy it is about, and who may do what.

use super::words::words;

mod scopes;

pub use scopes::{Scope, Scopes, UnknownScope};

words! {
    /// What a contact is at the client.
    pub enum ContactRole {
        /// Decides whom to hire.
        HiringManager,
        /// Takes part in interviews.
        Interviewer,
        /// Works in the client's human resources.
        Hr,
        /// Anybody else.
        Other,
    }
}

words! {
    /// Whether mail to an address arrives, as far as is known.
    pub enum EmailStatus {
        /// Nothing speaks against it.
        Ok,
        /// Mail came back, or was complained of: nothing more is sent there.
        Bounced,
    }
}

words! {
    /// Where a vacancy stands.
    pub enum JobOrderStatus {
        /// The client is looking.
        Open,
        /// Somebody got the job.
        Filled,
        /// The client no longer looks.
        Cancelled,
    }
}

words! {
    /// What a user is at the agency.
    pub enum Role {
        /// May do everything, users and settings too.
        Admin,
        /// Works like a recruiter, on the debriefs of every recruiter.
        Manager,
        /// Keeps records and passes notes on.
        Recruiter,
        /// Reads, writes nothing.
        Auditor,
    }
}

impl Role {
    /// What a user of this role may do. The change feed tells of every recruiter's debriefs, so it
    /// belongs to those who may see them all.
    #[must_use]
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Admin => Scopes::from_iter([Scope::Admin]),
            Self::Manager => Scopes::from_iter([
                Scope::RecordsRead,
                Scope::RecordsWrite,
                Scope::NotesApprove,
                Scope::EventsRead,
            ]),
            Self::Recruiter => {
                Scopes::from_iter([Scope::RecordsRead, Scope::RecordsWrite, Scope::NotesApprove])
            }
            Self::Auditor => Scopes::from_iter([Scope::RecordsRead, Scope::EventsRead]),
        }
    }

    /// Whether the role reaches beyond the user's own debriefs to those of every recruiter.
    #[must_use]
    pub const fn sees_every_recruiter(self) -> bool {
        !matches!(self, Self::Recruiter)
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn who_may_do_what() {
        let table: Vec<String> =
            Role::VARIANTS.iter().map(|role| format!("{role}: {}", role.scopes())).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        admin: admin
        manager: records:read records:write notes:approve events:read
        recruiter: records:read records:write notes:approve
        auditor: records:read events:read
        ");
    }

    #[test]
    fn an_auditor_writes_nothing() {
        for scope in [Scope::RecordsWrite, Scope::NotesApprove, Scope::WebhooksManage, Scope::Admin] {
            assert!(!Role::Auditor.scopes().contains(scope), "{scope}");
        }
        assert!(Role::Auditor.sees_every_recruiter());
    }
}
