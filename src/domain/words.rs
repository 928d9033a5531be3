//! One way to declare a closed set of words, so that JSON, the database and the documents all
//! spell a word alike.

/// Declares an enumeration whose variants are written in `snake_case` everywhere outside: in
/// JSON (serde), in the database and in messages (`Display`, `FromStr`), in the OpenAPI schema.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
            strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
            utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }
    };
}

pub(crate) use words;
