//! The Directory: the port behind which lives what must last (users, groups, ended sessions, outgoing mail,
//! and configuration as versioned documents), and the records that cross it.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::device::Device;
pub use super::group::{Group, GroupChange};
use super::organization::{Joining, Member, Membership, Organization, Role};
pub use super::search::{Search, SearchField};
use super::tokens::Floor;
use crate::clock::Timestamp;
use crate::error::Error;

/// Where a user stands in the life of an account: Cognito's UserStatus (contract cognito (g)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// Signed up, address not proven.
    Unconfirmed,
    /// May sign in.
    Confirmed,
    /// Must reset the password by code first.
    ResetRequired,
    /// Holds a temporary password and owes a new one.
    ForceChangePassword,
    /// Lives in a foreign directory.
    ExternalProvider,
}

impl UserStatus {
    /// Cognito's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ResetRequired => "RESET_REQUIRED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
            Self::ExternalProvider => "EXTERNAL_PROVIDER",
        }
    }

    /// Reads Cognito's spelling.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unconfirmed, Self::Confirmed, Self::ResetRequired, Self::ForceChangePassword, Self::ExternalProvider]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A user of a pool.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Integer alias, given by the store at creation, unique in the Directory.
    pub id: i64,
    /// The pool's id.
    pub pool: String,
    /// The immutable subject.
    pub sub: Uuid,
    /// The name as it is shown (NFC).
    pub username: String,
    /// The name as it is compared; unique in the pool.
    pub username_key: String,
    /// The address as it was given; mail goes here.
    pub email: Option<String>,
    /// The address as it is compared; unique in the pool among verified ones.
    pub email_key: Option<String>,
    /// Whether the address is proven.
    pub email_verified: bool,
    /// E.164.
    pub phone: Option<String>,
    /// Whether the number is proven.
    pub phone_verified: bool,
    /// All other attributes by name (`name`, `custom:x`).
    pub attributes: BTreeMap<String, String>,
    /// Where the account stands.
    pub status: UserStatus,
    /// Off: no sign-in, no refresh, no access.
    pub enabled: bool,
    /// Keys besides `username_key` that mean him at sign-in, as his pool's rules have them; `None` is the usual rule:
    /// the verified address.
    pub aliases: Option<Vec<String>>,
    /// The password's hash (PHC or modular crypt format); none for users without one.
    pub password: Option<String>,
    /// Hashes of the passwords before that one, newest first; kept where a user is made, not filled on reading.
    pub former_passwords: Vec<String>,
    /// The SRP salt and verifier of the password, sealed; none where the pool has no SRP or no clear password came by.
    pub srp: Option<String>,
    /// His second factors, JSON with sealed secrets; none for users without one.
    pub mfa: Option<String>,
    /// When a temporary password stops working.
    pub temporary_until: Option<Timestamp>,
    /// Counts the times all sessions of the user were ended; a session of a smaller epoch is dead.
    pub session_epoch: i64,
    /// The one session that survived the last such time.
    pub spared_session: Option<Uuid>,
    /// Who he is in the foreign directory (its immutable id, in hex), once he has signed in from there.
    pub external_id: Option<String>,
    /// MAC of his OAuth client secret.
    pub client_secret: Option<String>,
    /// The random part of his API key; the key itself is derived from it.
    pub api_key: Option<String>,
    /// Names of the user's groups, lowest precedence number first, then by name; filled on reading.
    pub groups: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows with every change; a write names the version it read.
    pub version: i64,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names, addresses and hashes stay out of logs.
        f.debug_struct("User")
            .field("sub", &self.sub)
            .field("status", &self.status)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A configuration-like resource (pool, client, key set, secret): JSON under an optimistic version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is: `pool`, `client`, `keys` …
    pub kind: String,
    /// Its id, unique within the kind.
    pub id: String,
    /// The id it belongs to (a pool's for a client), or empty.
    pub parent: String,
    /// 1 at creation, one more with every write.
    pub version: i64,
    /// The content, JSON.
    pub body: String,
}

/// A mail on its way; `sealed` holds recipient, subject and bodies, so that a dump of the store reveals no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMail {
    /// Its id.
    pub id: Uuid,
    /// The sealed content.
    pub sealed: Vec<u8>,
    /// Deliveries tried so far.
    pub attempts: i64,
    /// When it may next be tried; pushed ahead while a replica holds it.
    pub due_at: Timestamp,
    /// After this it is dropped: what it carries has expired.
    pub expires_at: Timestamp,
}

/// A user together with what decides whether one session of his still lives, and what may be signed for it.
#[derive(Debug, Clone)]
pub struct SessionOwner {
    /// The user, groups filled.
    pub user: User,
    /// Whether this session was ended for good.
    pub session_ended: bool,
    /// The newest of its refresh tokens that is known to have been presented.
    pub floor: Floor,
    /// The version of the document of kind `keys` of the pool; 0 when there is none.
    pub keys_version: i64,
}

/// What must last. Every verb is one statement or one transaction. A store that is down, slow, full or read-only
/// answers [`Error::Unavailable`], never an empty result.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Answers when the store can be read and written, with the time of its clock if it has one of its own;
    /// `Unavailable` names what is missing.
    async fn ping(&self) -> Result<Option<Timestamp>, Error>;

    /// Makes a user (`id` and `version` of the argument are ignored) and adds the groups named in it.
    /// `UserExists` when name, sub or verified address is taken; `NotFound(Group)` for an unknown group.
    async fn create_user(&self, user: &User) -> Result<User, Error>;
    /// Makes several users in one transaction, for imports: each as `create_user` does, one outcome a user in their
    /// order. A refused one leaves nothing behind and hinders no other; an error of the whole means that none was made.
    async fn create_users(&self, users: &[User]) -> Result<Vec<Result<User, Error>>, Error>;
    /// The user whose `username_key` is `username_key`, else the one who has `alias` among his aliases.
    async fn user_by_login(&self, pool: &str, username_key: &str, alias: &str) -> Result<Option<User>, Error>;
    /// The user with this sub.
    async fn user(&self, pool: &str, sub: Uuid) -> Result<Option<User>, Error>;
    /// The user with this sub, what is known of his `session`, and how new the keys are; one round trip.
    async fn session_owner(&self, pool: &str, sub: Uuid, session: Uuid) -> Result<Option<SessionOwner>, Error>;
    /// Writes all fields but `id`, `groups` and `created_at` if the stored version is `user.version`; answers the
    /// new version. `Conflict` when it is not, `UserExists` when a verified address or name is taken by another.
    async fn update_user(&self, user: &User) -> Result<i64, Error>;
    /// The same, and in the same transaction the hash that gives way joins those of former passwords, of which the
    /// newest `most` stay.
    async fn replace_password(&self, user: &User, most: u32) -> Result<i64, Error>;
    /// The hashes of former passwords of these users, newest first; nothing for users without any.
    async fn former_passwords(&self, pool: &str, subs: &[Uuid]) -> Result<HashMap<Uuid, Vec<String>>, Error>;
    /// Forgets former passwords beyond the newest `most`, of at most `limit` users of a pool; answers how many users
    /// there were.
    async fn trim_former_passwords(&self, pool: &str, most: u32, limit: u32) -> Result<u64, Error>;
    /// Deletes the user and his memberships; false when there was none.
    async fn delete_user(&self, pool: &str, sub: Uuid) -> Result<bool, Error>;
    /// The user with this integer alias.
    async fn user_by_id(&self, pool: &str, id: i64) -> Result<Option<User>, Error>;
    /// Users with an `id` above `after`, by id, at most `limit`.
    async fn users(&self, pool: &str, after: i64, limit: u32) -> Result<Vec<User>, Error>;
    /// The same of those whom a search finds.
    async fn search_users(&self, pool: &str, search: &Search, after: i64, limit: u32) -> Result<Vec<User>, Error>;

    /// Makes a user and the first membership in one transaction, as `create_user` does. An unconfirmed user of the
    /// same name who is enabled gives way, with every organization that has no other member; his `id` is the new one's,
    /// so that nothing tells the second registration from the first. What is wrong with the organization is said first,
    /// so that it tells nothing about the user: `Exists(Organization)` for a new one whose name is taken,
    /// `NotFound(Organization)` for one that is gone. `UserExists` when any other user holds the name or a verified
    /// address. A refusal leaves everything as it was.
    async fn register_user(&self, user: &User, joining: &Joining) -> Result<User, Error>;
    /// Deletes the unconfirmed user of this name, if he is enabled, with every organization that has no other member,
    /// in one transaction; false when there is none.
    async fn delete_unconfirmed(&self, pool: &str, username_key: &str) -> Result<bool, Error>;
    /// Holds the name of an organization as registering `draft` would, when the address is a user's already: nobody
    /// belongs to it, the next registration of the address frees it, and it goes with the user. `UserNotFound`,
    /// `Exists(Organization)`.
    async fn reserve_organization(&self, draft: &User, name: &str, name_key: &str) -> Result<(), Error>;
    /// The organization with this id.
    async fn organization(&self, pool: &str, id: i64) -> Result<Option<Organization>, Error>;
    /// The organization with this name as it is compared.
    async fn organization_by_name(&self, pool: &str, name_key: &str) -> Result<Option<Organization>, Error>;
    /// Organizations with an `id` above `after`, by id, at most `limit`.
    async fn organizations(&self, pool: &str, after: i64, limit: u32) -> Result<Vec<Organization>, Error>;
    /// Deletes an organization and its memberships; false when there was none.
    async fn delete_organization(&self, pool: &str, id: i64) -> Result<bool, Error>;
    /// The organizations of a user, by id.
    async fn memberships(&self, pool: &str, sub: Uuid) -> Result<Vec<Membership>, Error>;
    /// The members of an organization, by the user's id.
    async fn members(&self, pool: &str, organization: i64) -> Result<Vec<Member>, Error>;
    /// Adds a member. `AlreadyMember`, `NotFound(Organization)`, `UserNotFound`.
    async fn join_organization(&self, pool: &str, organization: i64, sub: Uuid, role: Role) -> Result<(), Error>;
    /// Changes the role of a member; false when he is none.
    async fn change_role(&self, pool: &str, organization: i64, sub: Uuid, role: Role) -> Result<bool, Error>;
    /// Removes a member; false when he was none.
    async fn leave_organization(&self, pool: &str, organization: i64, sub: Uuid) -> Result<bool, Error>;

    /// Makes a group; `Exists(Group)`.
    async fn create_group(&self, group: &Group) -> Result<(), Error>;
    /// All groups of a pool by precedence, then name.
    async fn groups(&self, pool: &str) -> Result<Vec<Group>, Error>;
    /// The group of this name.
    async fn group(&self, pool: &str, name: &str) -> Result<Option<Group>, Error>;
    /// Changes a group; none when there is none.
    async fn update_group(
        &self,
        pool: &str,
        name: &str,
        change: &GroupChange,
        now: Timestamp,
    ) -> Result<Option<Group>, Error>;
    /// Members of a group with an `id` above `after`, by id, at most `limit`.
    async fn users_in_group(&self, pool: &str, name: &str, after: i64, limit: u32) -> Result<Vec<User>, Error>;
    /// Deletes a group and its memberships; false when there was none.
    async fn delete_group(&self, pool: &str, name: &str) -> Result<bool, Error>;
    /// Adds a member; adding twice succeeds. `NotFound(Group)`, `UserNotFound`.
    async fn add_to_group(&self, pool: &str, name: &str, sub: Uuid) -> Result<(), Error>;
    /// Removes a member; removing an absent one succeeds.
    async fn remove_from_group(&self, pool: &str, name: &str, sub: Uuid) -> Result<(), Error>;

    /// Makes a device of a user; false when he has one of this id, which stays as it is. Of more than `most` those that
    /// were signed in on the longest ago are forgotten, as `forget_device` does. `UserNotFound`.
    async fn confirm_device(&self, device: &Device, most: u32, ended_until: Timestamp) -> Result<bool, Error>;
    /// The user's device with this id.
    async fn device(&self, pool: &str, user: Uuid, id: Uuid) -> Result<Option<Device>, Error>;
    /// Devices of a user with an id above `after`, by id, at most `limit`.
    async fn devices(&self, pool: &str, user: Uuid, after: Option<Uuid>, limit: u32) -> Result<Vec<Device>, Error>;
    /// Says whether a device is remembered; false when there is none.
    async fn remember_device(
        &self,
        pool: &str,
        user: Uuid,
        id: Uuid,
        remembered: bool,
        now: Timestamp,
    ) -> Result<bool, Error>;
    /// Notes a sign-in on a device; false when there is none.
    async fn use_device(&self, pool: &str, user: Uuid, id: Uuid, now: Timestamp) -> Result<bool, Error>;
    /// Deletes a device and records until `ended_until` that the session it was offered to is over, in one transaction;
    /// false when there was none.
    async fn forget_device(&self, pool: &str, user: Uuid, id: Uuid, ended_until: Timestamp) -> Result<bool, Error>;

    /// Records that a session is over, until `expires_at` makes the record pointless. Idempotent. This is what
    /// keeps a revoked session dead when the token store loses writes or is restored from a snapshot (R06, R13).
    async fn end_session(&self, session: Uuid, expires_at: Timestamp) -> Result<(), Error>;
    /// Records that this refresh token of a session was presented, unless a newer one was; answers what is recorded
    /// then. This is what keeps rotated-out tokens dead, and the newest alive, when the token store loses writes or is
    /// restored from a snapshot (R06, R13). `expires_at` makes the record pointless; the later one stands.
    async fn raise_floor(&self, session: Uuid, floor: Floor, expires_at: Timestamp) -> Result<Floor, Error>;
    /// Forgets records of sessions, ended or rotating, and mails whose time has passed; answers how many.
    async fn purge(&self, now: Timestamp) -> Result<u64, Error>;

    /// Deletes the first `limit` users of a pool with all that is theirs; answers how many there were.
    async fn delete_users(&self, pool: &str, limit: u32) -> Result<u64, Error>;
    /// Deletes the app clients of a pool; answers how many there were.
    async fn delete_clients(&self, pool: &str) -> Result<u64, Error>;
    /// Deletes the groups, organizations and documents of a pool, and its own; false when there was none.
    async fn delete_pool(&self, pool: &str) -> Result<bool, Error>;

    /// One document.
    async fn document(&self, kind: &str, id: &str) -> Result<Option<Document>, Error>;
    /// All documents of a kind under a parent, by id.
    async fn documents(&self, kind: &str, parent: &str) -> Result<Vec<Document>, Error>;
    /// Makes a document with version 1, or answers false, leaving the one that is there (first writer wins).
    async fn create_document(&self, document: &Document) -> Result<bool, Error>;
    /// Writes parent and body if the stored version is `document.version`; answers the new version, else `Conflict`.
    async fn update_document(&self, document: &Document) -> Result<i64, Error>;
    /// Deletes documents of a kind under a parent, at most `limit`; answers how many there were.
    async fn delete_documents(&self, kind: &str, parent: &str, limit: u32) -> Result<u64, Error>;
    /// Deletes a document; false when there was none.
    async fn delete_document(&self, kind: &str, id: &str) -> Result<bool, Error>;

    /// Puts a mail into the outbox.
    async fn enqueue_mail(&self, mail: &OutboxMail) -> Result<(), Error>;
    /// Takes the earliest mail that is due, counts the attempt and holds it until `held_until`, so that no other
    /// replica sends it meanwhile.
    async fn claim_mail(&self, now: Timestamp, held_until: Timestamp) -> Result<Option<OutboxMail>, Error>;
    /// Removes a mail that was delivered or given up.
    async fn finish_mail(&self, id: Uuid) -> Result<(), Error>;
    /// Lets a mail be tried again at `due_at`.
    async fn postpone_mail(&self, id: Uuid, due_at: Timestamp) -> Result<(), Error>;
}
