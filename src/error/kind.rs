//! The kinds of things that can be missing or already there, and what they are called.

/// A kind of thing that can be missing or already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user pool.
    Pool,
    /// An app client.
    Client,
    /// A group.
    Group,
    /// An organization.
    Organization,
    /// A signing key.
    Key,
    /// A remembered device.
    Device,
    /// An access key.
    AccessKey,
    /// A resource server.
    ResourceServer,
    /// One of the secrets of an app client.
    ClientSecret,
    /// A session.
    Session,
    /// An import job.
    ImportJob,
    /// A path that no dialect serves.
    Path,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pool => "User pool",
            Self::Client => "App client",
            Self::Group => "Group",
            Self::Organization => "Organization",
            Self::Key => "Signing key",
            Self::Device => "Device",
            Self::AccessKey => "Access key",
            Self::ResourceServer => "Resource server",
            Self::ClientSecret => "Client secret",
            Self::Session => "Session",
            Self::ImportJob => "User import job",
            Self::Path => "Path",
        })
    }
}
