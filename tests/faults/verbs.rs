//! Every verb of both ports, called at once, with what each came to.

use std::collections::BTreeMap;
use std::time::Duration;

use cognate::clock::Timestamp;
use cognate::crypto::Random;
use cognate::error::Error;
use cognate::store::device::Device;
use cognate::store::directory::{
    Directory, Document, Group, GroupChange, OutboxMail, Search, SearchField, User, UserStatus,
};
use cognate::store::organization::{Joining, Role};
use cognate::store::sql::Sql;
use cognate::store::tokens::{Challenge, ChallengeKey, Floor, Purpose, RefreshRule, Session, Throttle, TokenStore};
use futures_util::future::{BoxFuture, join_all};
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp(1_800_000_000_000);
pub const LATER: Timestamp = Timestamp(1_800_003_600_000);
pub const POOL: &str = "eu-west-1_Faults001";

pub fn uuid() -> Uuid {
    Random::default().uuid().unwrap()
}

pub fn user(name: &str) -> User {
    User {
        id: 0,
        pool: POOL.to_owned(),
        sub: uuid(),
        username: name.to_owned(),
        username_key: name.to_owned(),
        email: None,
        email_key: None,
        email_verified: false,
        phone: None,
        phone_verified: false,
        attributes: BTreeMap::new(),
        status: UserStatus::Confirmed,
        enabled: true,
        aliases: None,
        password: None,
        former_passwords: Vec::new(),
        srp: None,
        mfa: None,
        temporary_until: None,
        session_epoch: 0,
        spared_session: None,
        external_id: None,
        client_secret: None,
        api_key: None,
        groups: Vec::new(),
        created_at: NOW,
        updated_at: NOW,
        version: 0,
    }
}

pub fn session() -> Session {
    Session {
        pool: POOL.to_owned(),
        user: uuid(),
        id: uuid(),
        client: "1h57kf5cpq17m0eml12EXAMPLE".to_owned(),
        device: None,
        auth_time: NOW,
        expires_at: LATER,
        epoch: 0,
        generation: 0,
        rotated_at: NOW,
        recovered_at: 0,
        refreshes: 0,
    }
}

pub fn device(user: Uuid) -> Device {
    let (pool, client, verifier) = (POOL.to_owned(), "1h57kf5cpq17m0eml12EXAMPLE".to_owned(), "sealed".to_owned());
    let (session, remembered, at) = (uuid(), false, NOW);
    let (created_at, updated_at, authenticated_at) = (at, at, at);
    let (id, name) = (uuid(), None);
    Device { pool, user, id, client, session, name, verifier, remembered, created_at, updated_at, authenticated_at }
}

fn group(name: &str) -> Group {
    let (pool, name) = (POOL.to_owned(), name.to_owned());
    Group { pool, name, description: None, precedence: 1, role_arn: None, created_at: NOW, updated_at: NOW }
}

pub fn document(id: &str) -> Document {
    let (kind, parent) = ("client".to_owned(), POOL.to_owned());
    Document { kind, id: id.to_owned(), parent, version: 1, body: "{}".to_owned() }
}

pub fn mail(size: usize) -> OutboxMail {
    OutboxMail { id: uuid(), sealed: vec![7; size], attempts: 0, due_at: NOW, expires_at: LATER }
}

pub const ROTATING: RefreshRule =
    RefreshRule { rotate: true, grace: Duration::from_secs(10), limit: 0, floor: Floor::NONE };
const THROTTLE: Throttle = Throttle { free: 5, lock: Duration::from_secs(1), lock_max: Duration::from_secs(900) };

fn challenge() -> (ChallengeKey, Challenge) {
    let key = ChallengeKey { pool: POOL.to_owned(), purpose: Purpose::ResetPassword, subject: uuid().to_string() };
    let client = "1h57kf5cpq17m0eml12EXAMPLE".to_owned();
    let challenge = Challenge {
        client,
        user: uuid(),
        user_version: 1,
        expires_at: LATER,
        attempts_left: 5,
        answer: Some([1; 32]),
        payload: None,
    };
    (key, challenge)
}

type Call<'c> = (&'static str, BoxFuture<'c, Result<(), Error>>);

/// `name => call` as a list of futures that forget what they answer.
macro_rules! calls {
    ($($call:expr),+ $(,)?) => {
        vec![$((stringify!($call), Box::pin(async { $call.await.map(|_| ()) }) as BoxFuture<'_, Result<(), Error>>)),+]
    };
}

/// What each verb came to, all called at once.
pub async fn all(store: &Sql) -> Vec<(&'static str, Result<(), Error>)> {
    let (directory, tokens): (&dyn Directory, &dyn TokenStore) = (store, store);
    let (ada, sub, key) = (user(&uuid().to_string()), uuid(), session().key());
    let group = group(&sub.to_string());
    let search = Search { field: SearchField::Name, value: "Ada".to_owned(), prefix: true };
    let (letter, paper, opened) = (mail(10), document(&sub.to_string()), session());
    let (asked, challenge) = challenge();
    let phone = device(sub);
    let (eve, word) = (user(&uuid().to_string()), uuid().to_string());
    let joining = Joining::New { name: word.clone(), name_key: word };
    let directory_calls: Vec<Call<'_>> = calls![
        directory.ping(),
        directory.create_user(&ada),
        directory.user_by_login(POOL, "ada", "ada@example.org"),
        directory.user(POOL, sub),
        directory.session_owner(POOL, sub, sub),
        directory.update_user(&ada),
        directory.replace_password(&ada, 3),
        directory.former_passwords(POOL, &[sub]),
        directory.trim_former_passwords("absent", 3, 10),
        directory.delete_user(POOL, sub),
        directory.user_by_id(POOL, 1),
        directory.users(POOL, 0, 10),
        directory.register_user(&eve, &joining),
        directory.delete_unconfirmed(POOL, "eve"),
        directory.reserve_organization(&eve, "Eve's", "eve's"),
        directory.organization(POOL, 1),
        directory.organization_by_name(POOL, "absent"),
        directory.organizations(POOL, 0, 10),
        directory.delete_organization(POOL, 0),
        directory.memberships(POOL, sub),
        directory.members(POOL, 1),
        directory.join_organization(POOL, 0, sub, Role::Member),
        directory.change_role(POOL, 0, sub, Role::Admin),
        directory.leave_organization(POOL, 0, sub),
        directory.create_group(&group),
        directory.groups(POOL),
        directory.group(POOL, &group.name),
        directory.update_group(POOL, &group.name, &GroupChange::default(), NOW),
        directory.users_in_group(POOL, &group.name, 0, 10),
        directory.search_users(POOL, &search, 0, 10),
        directory.delete_group(POOL, "absent"),
        directory.add_to_group(POOL, "absent", sub),
        directory.remove_from_group(POOL, "absent", sub),
        directory.confirm_device(&phone, 9, LATER),
        directory.device(POOL, sub, sub),
        directory.devices(POOL, sub, None, 10),
        directory.remember_device(POOL, sub, sub, true, NOW),
        directory.use_device(POOL, sub, sub, NOW),
        directory.forget_device(POOL, sub, sub, LATER),
        directory.end_session(sub, LATER),
        directory.raise_floor(sub, Floor { generation: 1, since: NOW }, LATER),
        directory.purge(NOW),
        directory.document("client", "absent"),
        directory.documents("client", POOL),
        directory.create_document(&paper),
        directory.update_document(&paper),
        directory.delete_document("client", "absent"),
        directory.delete_documents("client", "absent", 1),
        directory.delete_users("absent", 1),
        directory.delete_clients("absent"),
        directory.delete_pool("absent"),
        directory.enqueue_mail(&letter),
        directory.claim_mail(NOW, LATER),
        directory.finish_mail(sub),
        directory.postpone_mail(sub, LATER),
    ];
    let token_calls: Vec<Call<'_>> = calls![
        tokens.ping(),
        tokens.open_session(&opened),
        tokens.session(&key, NOW),
        tokens.refresh(&key, 0, ROTATING, NOW),
        tokens.end_session(&key),
        tokens.end_sessions_of(POOL, sub, None),
        tokens.sessions_of(POOL, sub, NOW),
        tokens.put_challenge(&asked, &challenge),
        tokens.attempt_challenge(&asked, NOW),
        tokens.answer_challenge(&asked, &[1; 32], NOW),
        tokens.consume_challenge(&asked, NOW),
        tokens.count_attempt("ada", &THROTTLE, NOW),
        tokens.clear_attempts("ada"),
        tokens.forgive_attempt("ada", &THROTTLE, NOW),
        tokens.purge(NOW),
    ];
    let calls = directory_calls.into_iter().chain(token_calls);
    join_all(calls.map(|(name, call)| async move { (name, call.await) })).await
}

/// Each verb must have said `Unavailable`, and nothing else.
pub fn assert_all_unavailable(outcomes: &[(&'static str, Result<(), Error>)]) {
    for (name, outcome) in outcomes {
        assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{name}: {outcome:?}");
    }
}

/// No verb may have said `Unavailable` or `Internal`; other refusals are answers.
pub fn assert_all_answered(outcomes: &[(&'static str, Result<(), Error>)]) {
    for (name, outcome) in outcomes {
        assert!(!matches!(outcome, Err(Error::Unavailable { .. } | Error::Internal(_))), "{name}: {outcome:?}");
    }
}

/// Calls all verbs until they answer; fails when they do not within two seconds.
pub async fn assert_back_within_two_seconds(store: &Sql) {
    let limit = tokio::time::Instant::now() + Duration::from_secs(2);
    while store_is_down(store).await {
        assert!(tokio::time::Instant::now() < limit, "{:?}", all(store).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_all_answered(&all(store).await);
}

async fn store_is_down(store: &Sql) -> bool {
    Directory::ping(store).await.is_err()
}
