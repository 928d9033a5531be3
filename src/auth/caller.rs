//! The caller that a token stands for.

pub use crate::domain::actor::Actor;
use crate::domain::ids::{AgencyId, UserId};
use crate::domain::people::{Role, Scope, Scopes};

/// A caller whose token was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The agency whose records the caller may touch, and no other's.
    pub agency: AgencyId,
    /// The user or the integration.
    pub actor: Actor,
    /// What the caller may do.
    pub scopes: Scopes,
    /// A user's role; an integration has none.
    pub role: Option<Role>,
}

impl Caller {
    /// The service itself, acting on the records of `agency`.
    #[must_use]
    pub fn system(agency: AgencyId) -> Self {
        Self { agency, actor: Actor::System, scopes: Scopes::from_iter([Scope::Admin]), role: None }
    }

    /// The user, if the caller is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::User(id) => Some(id),
            Actor::ApiClient(_) | Actor::System => None,
        }
    }

    /// Whether the caller may change the debriefs of `recruiter`: a recruiter's own and nobody's
    /// are theirs, a colleague's are a manager's.
    #[must_use]
    pub fn may_change_debriefs_of(&self, recruiter: Option<UserId>) -> bool {
        let own = recruiter.is_none() || recruiter == self.user();
        own || self.role.is_none_or(Role::sees_every_recruiter)
    }
}
