//! The ports with a clock beside them: how long each verb takes and how often it fails, for `/metrics`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use uuid::Uuid;

use super::device::Device;
use super::directory::{Directory, Document, Group, GroupChange, OutboxMail, Search, SessionOwner, User};
use super::organization::{Joining, Member, Membership, Organization, Role};
use super::tokens::{
    Answer, Attempt, Challenge, ChallengeKey, Floor, RefreshRule, Session, SessionKey, Throttle, TokenStore, Verdict,
};
use crate::clock::Timestamp;
use crate::error::Error;

/// A port that measures every verb of the store behind it.
pub(super) struct Measured<P: ?Sized>(pub(super) Arc<P>);

async fn measure<T>(
    store: &'static str,
    verb: &'static str,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    let started = Instant::now();
    let outcome = work.await;
    metrics::histogram!("cognate_store_duration_seconds", "store" => store, "verb" => verb)
        .record(started.elapsed().as_secs_f64());
    if let Err(Error::Unavailable { .. } | Error::Internal(_)) = &outcome {
        metrics::counter!("cognate_store_errors_total", "store" => store, "verb" => verb).increment(1);
    }
    outcome
}

macro_rules! measured {
    ($port:ident, $store:literal $(, $plain:ident() -> $answer:ty)?: $($verb:ident($($name:ident: $type:ty),*) -> $out:ty;)+) => {
        #[async_trait]
        impl $port for Measured<dyn $port> {
            $(fn $plain(&self) -> $answer {
                self.0.$plain()
            })?

            $(async fn $verb(&self, $($name: $type),*) -> Result<$out, Error> {
                measure($store, stringify!($verb), self.0.$verb($($name),*)).await
            })+
        }
    };
}

measured! { Directory, "directory":
    ping() -> Option<Timestamp>;
    create_user(user: &User) -> User;
    create_users(users: &[User]) -> Vec<Result<User, Error>>;
    user_by_login(pool: &str, username_key: &str, email_key: &str) -> Option<User>;
    user(pool: &str, sub: Uuid) -> Option<User>;
    session_owner(pool: &str, sub: Uuid, session: Uuid) -> Option<SessionOwner>;
    update_user(user: &User) -> i64;
    replace_password(user: &User, most: u32) -> i64;
    former_passwords(pool: &str, subs: &[Uuid]) -> HashMap<Uuid, Vec<String>>;
    trim_former_passwords(pool: &str, most: u32, limit: u32) -> u64;
    delete_user(pool: &str, sub: Uuid) -> bool;
    user_by_id(pool: &str, id: i64) -> Option<User>;
    users(pool: &str, after: i64, limit: u32) -> Vec<User>;
    search_users(pool: &str, search: &Search, after: i64, limit: u32) -> Vec<User>;
    register_user(user: &User, joining: &Joining) -> User;
    delete_unconfirmed(pool: &str, username_key: &str) -> bool;
    reserve_organization(draft: &User, name: &str, name_key: &str) -> ();
    organization(pool: &str, id: i64) -> Option<Organization>;
    organization_by_name(pool: &str, name_key: &str) -> Option<Organization>;
    organizations(pool: &str, after: i64, limit: u32) -> Vec<Organization>;
    delete_organization(pool: &str, id: i64) -> bool;
    memberships(pool: &str, sub: Uuid) -> Vec<Membership>;
    members(pool: &str, organization: i64) -> Vec<Member>;
    join_organization(pool: &str, organization: i64, sub: Uuid, role: Role) -> ();
    change_role(pool: &str, organization: i64, sub: Uuid, role: Role) -> bool;
    leave_organization(pool: &str, organization: i64, sub: Uuid) -> bool;
    create_group(group: &Group) -> ();
    groups(pool: &str) -> Vec<Group>;
    group(pool: &str, name: &str) -> Option<Group>;
    update_group(pool: &str, name: &str, change: &GroupChange, now: Timestamp) -> Option<Group>;
    users_in_group(pool: &str, name: &str, after: i64, limit: u32) -> Vec<User>;
    delete_group(pool: &str, name: &str) -> bool;
    add_to_group(pool: &str, name: &str, sub: Uuid) -> ();
    remove_from_group(pool: &str, name: &str, sub: Uuid) -> ();
    confirm_device(device: &Device, most: u32, ended_until: Timestamp) -> bool;
    device(pool: &str, user: Uuid, id: Uuid) -> Option<Device>;
    devices(pool: &str, user: Uuid, after: Option<Uuid>, limit: u32) -> Vec<Device>;
    remember_device(pool: &str, user: Uuid, id: Uuid, remembered: bool, now: Timestamp) -> bool;
    use_device(pool: &str, user: Uuid, id: Uuid, now: Timestamp) -> bool;
    forget_device(pool: &str, user: Uuid, id: Uuid, ended_until: Timestamp) -> bool;
    end_session(session: Uuid, expires_at: Timestamp) -> ();
    raise_floor(session: Uuid, floor: Floor, expires_at: Timestamp) -> Floor;
    purge(now: Timestamp) -> u64;
    document(kind: &str, id: &str) -> Option<Document>;
    documents(kind: &str, parent: &str) -> Vec<Document>;
    create_document(document: &Document) -> bool;
    update_document(document: &Document) -> i64;
    delete_document(kind: &str, id: &str) -> bool;
    delete_documents(kind: &str, parent: &str, limit: u32) -> u64;
    delete_users(pool: &str, limit: u32) -> u64;
    delete_clients(pool: &str) -> u64;
    delete_pool(pool: &str) -> bool;
    enqueue_mail(mail: &OutboxMail) -> ();
    claim_mail(now: Timestamp, held_until: Timestamp) -> Option<OutboxMail>;
    finish_mail(id: Uuid) -> ();
    postpone_mail(id: Uuid, due_at: Timestamp) -> ();
}

measured! { TokenStore, "tokens", is_apart() -> bool:
    ping() -> Option<Timestamp>;
    open_session(session: &Session) -> ();
    session(key: &SessionKey, now: Timestamp) -> Option<Session>;
    refresh(key: &SessionKey, presented: u64, rule: RefreshRule, now: Timestamp) -> Verdict;
    end_session(key: &SessionKey) -> bool;
    end_sessions_of(pool: &str, user: Uuid, spared: Option<Uuid>) -> u64;
    sessions_of(pool: &str, user: Uuid, now: Timestamp) -> Vec<Session>;
    put_challenge(key: &ChallengeKey, challenge: &Challenge) -> ();
    attempt_challenge(key: &ChallengeKey, now: Timestamp) -> Option<Challenge>;
    answer_challenge(key: &ChallengeKey, answer: &[u8; 32], now: Timestamp) -> Answer;
    consume_challenge(key: &ChallengeKey, now: Timestamp) -> bool;
    count_attempt(subject: &str, throttle: &Throttle, now: Timestamp) -> Attempt;
    clear_attempts(subject: &str) -> ();
    forgive_attempt(subject: &str, throttle: &Throttle, now: Timestamp) -> ();
    purge(now: Timestamp) -> u64;
}
