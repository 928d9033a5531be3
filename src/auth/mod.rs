//! Who is calling: passwords, tokens, and the caller that a token stands for.

pub mod caller;
pub mod keys;
pub mod password;
pub mod seal;
pub mod secret;
pub mod setup_token;
pub mod tags;
pub mod token;
pub mod vault;
