//! What a Directory finds users by (contract cognito (h), ListUsers).

/// What users are searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchField {
    /// The name as it is compared.
    Username,
    /// The address as it is compared.
    Email,
    /// The number.
    PhoneNumber,
    /// The subject.
    Sub,
    /// Where the account stands.
    Status,
    /// `1` or `0`.
    Enabled,
    /// The attribute `name`.
    Name,
    /// The attribute `given_name`.
    GivenName,
    /// The attribute `family_name`.
    FamilyName,
    /// The attribute `preferred_username`.
    PreferredUsername,
}

/// Users that a search finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What they are searched by.
    pub field: SearchField,
    /// What it is or begins with, code point by code point.
    pub value: String,
    /// Whether it only has to begin so.
    pub prefix: bool,
}
