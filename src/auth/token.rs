//! Access tokens: JWTs (RFC 7519, in the spirit of RFC 9068) signed with EdDSA (RFC 8037).

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::caller::{Actor, Caller};
use super::keys::Keys;
use crate::domain::ids::{AgencyId, Id};
use crate::domain::people::{Role, Scopes};

/// How tokens are made out.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// How long an access token is good.
    pub lifetime: TimeDelta,
}

/// Signs and verifies access tokens.
pub struct Tokens {
    settings: TokenSettings,
    keys: Keys,
    validation: Validation,
    /// Tokens that were verified, with the caller and the end of each.
    verified: Cache<String, (Caller, i64)>,
}

/// How many verified tokens are remembered.
const REMEMBERED: usize = 10_000;

/// A token that is not, or no longer, good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours.
    #[error("the access token is not valid")]
    Invalid,
    /// One of ours, and past its end.
    #[error("the access token has expired")]
    Expired,
    /// The token could not be signed.
    #[error("the access token could not be signed")]
    Unsigned,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    iat: i64,
    jti: String,
    agency: AgencyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scopes>,
}

impl Tokens {
    /// Signs and verifies with `keys`.
    #[must_use]
    pub fn new(settings: TokenSettings, keys: Keys) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The end is checked below, against the injected clock.
        validation.validate_exp = false;
        Self { settings, keys, validation, verified: Cache::new(REMEMBERED) }
    }

    /// The keys behind the tokens.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How long an access token is good, in seconds.
    #[must_use]
    pub fn lifetime_seconds(&self) -> i64 {
        self.settings.lifetime.num_seconds()
    }

    /// A token for `caller`, good from `now`.
    pub fn sign(&self, caller: &Caller, now: DateTime<Utc>, random: [u8; 10]) -> Result<String, TokenError> {
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: subject(caller.actor),
            exp: (now + self.settings.lifetime).timestamp(),
            iat: now.timestamp(),
            jti: Id::<()>::new(now, random).uuid().to_string(),
            agency: caller.agency,
            role: caller.role,
            scope: caller.role.is_none().then_some(caller.scopes),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.keys.kid().to_owned());
        jsonwebtoken::encode(&header, &claims, self.keys.signing()).map_err(|_| TokenError::Unsigned)
    }

    /// The caller that a token stands for. A token once verified is remembered until it ends, so
    /// that a request does not pay for the signature again.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, TokenError> {
        let (caller, end) = match self.verified.get(token) {
            Some(known) => known,
            None => {
                let fresh = self.verify_signature(token)?;
                self.verified.insert(token.to_owned(), fresh);
                fresh
            }
        };
        if now.timestamp() < end { Ok(caller) } else { Err(TokenError::Expired) }
    }

    fn verify_signature(&self, token: &str) -> Result<(Caller, i64), TokenError> {
        let invalid = |_| TokenError::Invalid;
        let header = jsonwebtoken::decode_header(token).map_err(invalid)?;
        // Only the name of one of our own keys counts: `jwk` and `jku` in a header are not read.
        let key = header.kid.and_then(|kid| self.keys.verifying(&kid)).ok_or(TokenError::Invalid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation).map_err(invalid)?.claims;
        let actor = actor(&claims.sub).ok_or(TokenError::Invalid)?;
        let scopes = match (claims.role, claims.scope) {
            (Some(role), None) => role.scopes(),
            (None, Some(scopes)) => scopes,
            _ => return Err(TokenError::Invalid),
        };
        Ok((Caller { agency: claims.agency, actor, scopes, role: claims.role }, claims.exp))
    }
}

fn subject(actor: Actor) -> String {
    match actor {
        Actor::User(id) => id.to_string(),
        Actor::ApiClient(id) => id.to_string(),
        Actor::System => "system".to_owned(),
    }
}

fn actor(subject: &str) -> Option<Actor> {
    let user = subject.parse().map(Actor::User);
    user.ok().or_else(|| subject.parse().map(Actor::ApiClient).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;

    fn tokens(folder: &std::path::Path, name: &str) -> Tokens {
        let keys = Keys::load(&folder.join(name), &[]).unwrap();
        let settings = TokenSettings {
            issuer: "debrief".to_owned(),
            audience: "debrief-api".to_owned(),
            lifetime: TimeDelta::minutes(15),
        };
        Tokens::new(settings, keys)
    }

    fn caller() -> Caller {
        Caller {
            agency: AgencyId::from_uuid(uuid::Uuid::from_u128(1)),
            actor: Actor::User(UserId::from_uuid(uuid::Uuid::from_u128(2))),
            scopes: Role::Recruiter.scopes(),
            role: Some(Role::Recruiter),
        }
    }

    #[test]
    fn a_token_is_good_until_its_end_and_not_a_second_longer() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(folder.path(), "key.pem");
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let token = tokens.sign(&caller(), now, [0; 10]).unwrap();
        assert_eq!(tokens.verify(&token, now), Ok(caller()));
        assert_eq!(tokens.verify(&token, now + TimeDelta::seconds(899)), Ok(caller()));
        assert_eq!(tokens.verify(&token, now + TimeDelta::minutes(15)), Err(TokenError::Expired));
    }

    #[test]
    fn other_keys_other_algorithms_and_tampered_bytes_are_refused() {
        use base64::Engine;
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (tokens(folder.path(), "ours.pem"), tokens(folder.path(), "theirs.pem"));
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let foreign = theirs.sign(&caller(), now, [0; 10]).unwrap();
        assert_eq!(ours.verify(&foreign, now), Err(TokenError::Invalid));

        let good = ours.sign(&caller(), now, [0; 10]).unwrap();
        let [_, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let encode = |text: String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        for algorithm in ["none", "HS256", "EdDSA"] {
            let header = encode(format!(r#"{{"alg":"{algorithm}","kid":"{}"}}"#, ours.keys().kid()));
            for bad in [format!("{header}.{claims}."), format!("{header}.{claims}.{}A", &signature[..85])] {
                assert_eq!(ours.verify(&bad, now), Err(TokenError::Invalid), "{bad}");
            }
        }
        for bad in ["", "a.b.c", "....", &good[..good.len() - 1]] {
            assert_eq!(ours.verify(bad, now), Err(TokenError::Invalid), "{bad}");
        }
    }

    #[test]
    fn the_servers_own_signature_is_not_enough() {
        let folder = tempfile::tempdir().unwrap();
        let ours = tokens(folder.path(), "ours.pem");
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let good = ours.sign(&caller(), now, [0; 10]).unwrap();
        let header = jsonwebtoken::decode_header(&good).unwrap();
        let claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(&good).unwrap().claims;
        let signed = |claims: &serde_json::Value| {
            jsonwebtoken::encode(&header, claims, ours.keys().signing()).unwrap()
        };
        assert_eq!(ours.verify(&signed(&claims), now), Ok(caller()));
        for (name, value) in [
            ("exp", None),
            ("aud", None),
            ("iss", None),
            ("sub", None),
            ("agency", None),
            ("role", None),
            ("aud", Some("another-api")),
            ("iss", Some("another")),
            ("sub", Some("system")),
            ("role", Some("king")),
            ("scope", Some("admin")),
        ] {
            let mut bad = claims.clone();
            match value {
                Some(value) => bad[name] = value.into(),
                None => drop(bad.as_object_mut().unwrap().remove(name)),
            }
            assert_eq!(ours.verify(&signed(&bad), now), Err(TokenError::Invalid), "{name} {value:?}");
        }
    }

    #[test]
    fn a_key_that_a_token_brings_along_is_not_looked_at() {
        use base64::Engine;
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (tokens(folder.path(), "ours.pem"), tokens(folder.path(), "theirs.pem"));
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let good = ours.sign(&caller(), now, [0; 10]).unwrap();
        let claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(&good).unwrap().claims;
        let published = serde_json::to_value(theirs.keys().published()).unwrap()["keys"][0].clone();
        for kid in [ours.keys().kid(), theirs.keys().kid()] {
            let mut header = Header::new(Algorithm::EdDSA);
            header.kid = Some(kid.to_owned());
            header.jku = Some("https://keys.example/jwks.json".to_owned());
            header.jwk = Some(serde_json::from_value(published.clone()).unwrap());
            let forged = jsonwebtoken::encode(&header, &claims, theirs.keys().signing()).unwrap();
            assert_eq!(ours.verify(&forged, now), Err(TokenError::Invalid));
        }
        // The public key as the secret of an HMAC: whoever lets the token choose the algorithm is taken in.
        let public = serde_json::to_value(ours.keys().published()).unwrap()["keys"][0]["x"].clone();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(ours.keys().kid().to_owned());
        let written = public.as_str().unwrap();
        let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(written).unwrap();
        let secrets = [
            jsonwebtoken::EncodingKey::from_secret(&raw),
            jsonwebtoken::EncodingKey::from_secret(written.as_bytes()),
        ];
        for secret in secrets {
            let forged = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
            assert_eq!(ours.verify(&forged, now), Err(TokenError::Invalid));
        }
    }
}
