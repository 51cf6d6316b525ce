//! Everybody who could call: those who may do something, and those whose credential is none.

use std::sync::atomic::{AtomicU32, Ordering};

use cognate::pool::{Client, NewUser, PoolSettings, Terms};
use cognate::store::directory::{Document, User};
use cognate::store::organization::{Joining, Role};
use serde::Serialize;

use crate::app::{PASSWORD, START, TestApp};

/// What a signed-in person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// Member of the organization.
    Member,
    /// Invited into the organization, not let in yet.
    Pending,
    /// Administrator of another organization.
    OtherAdmin,
    /// Administrator of the organization.
    OrganizationAdmin,
    /// Administrator of the pool.
    Admin,
}

impl Rank {
    pub const ALL: [Self; 5] = [Self::Member, Self::Pending, Self::OtherAdmin, Self::OrganizationAdmin, Self::Admin];
}

/// A person who is signed in.
pub struct Person {
    pub email: String,
    pub access_token: String,
    pub api_key: String,
}

pub struct People {
    pool: String,
    organization: i64,
    other_organization: i64,
    strangers: Vec<(&'static str, Option<String>)>,
    count: AtomicU32,
}

impl People {
    /// Makes the organizations, and everybody whose credential is none.
    pub async fn gather(app: &TestApp) -> Self {
        let _ = app.admin().await;
        let strangers = strangers(app).await;
        let (organization, other_organization) = (found(app, "Acme").await, found(app, "Other").await);
        let pool = app.pool().id().to_owned();
        Self { pool, organization, other_organization, strangers, count: AtomicU32::new(0) }
    }

    /// A path with its parameters.
    pub fn fill(&self, path: &str) -> String {
        path.replace("{pool}", &self.pool).replace("{id}", &self.organization.to_string())
    }

    /// What opens nothing.
    pub fn strangers(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        self.strangers.iter().map(|(kind, token)| (*kind, token.as_deref()))
    }

    /// A new person of this rank: what one call changes must not decide the next.
    pub async fn another(&self, app: &TestApp, rank: Rank) -> Person {
        let (pool, directory) = (app.pool(), &app.api.ports.directory);
        let email = format!("person-{}@example.test", self.count.fetch_add(1, Ordering::Relaxed));
        let groups = if rank == Rank::Admin { vec!["admin".to_owned()] } else { Vec::new() };
        let draft = NewUser { email: Some(email.clone()), groups, ..NewUser::new(&email, PASSWORD) };
        let user = pool.create_user(draft).await.unwrap();
        let joins = match rank {
            Rank::Member => Some((self.organization, Role::Member)),
            Rank::Pending => Some((self.organization, Role::Pending)),
            Rank::OrganizationAdmin => Some((self.organization, Role::Admin)),
            Rank::OtherAdmin => Some((self.other_organization, Role::Admin)),
            Rank::Admin => None,
        };
        if let Some((organization, role)) = joins {
            directory.join_organization(pool.id(), organization, user.sub, role).await.unwrap();
        }
        let access_token = app.login(&email, PASSWORD).await.field("access_token");
        Person { api_key: pool.create_api_key(&user).await.unwrap(), email, access_token }
    }
}

/// Makes an organization; answers its id.
async fn found(app: &TestApp, name: &str) -> i64 {
    let pool = app.pool();
    let owner = format!("owner-of-{}", name.to_lowercase());
    app.user(&owner).await;
    let template = pool.find_user(&owner).await.unwrap();
    pool.delete_user(&owner).await.unwrap();
    let joining = Joining::New { name: name.to_owned(), name_key: name.to_lowercase() };
    let owner = User { sub: app.api.ports.random.uuid().unwrap(), ..template };
    let made = app.api.ports.directory.register_user(&owner, &joining).await.unwrap();
    app.api.ports.directory.memberships(pool.id(), made.sub).await.unwrap()[0].organization.id
}

/// Credentials that were good, are good elsewhere, or never were.
async fn strangers(app: &TestApp) -> Vec<(&'static str, Option<String>)> {
    let pool = app.pool();
    let expired = app.signed_in("old").await;
    app.clock.advance_seconds(86_400);
    let revoked = app.signed_in("revoked").await;
    assert_eq!(app.revoke(&revoked.field("refresh_token")).await.status, 204);
    let disabled = app.signed_in("disabled").await;
    let key_of_disabled = pool.create_api_key(&pool.find_user("disabled").await.unwrap()).await.unwrap();
    pool.disable_user("disabled").await.unwrap();
    let deleted = app.signed_in("deleted").await;
    let key_of_deleted = pool.create_api_key(&pool.find_user("deleted").await.unwrap()).await.unwrap();
    pool.delete_user("deleted").await.unwrap();
    let admin = app.login("ada", PASSWORD).await;
    let ada = pool.find_user("ada").await.unwrap();
    let replaced_key = pool.create_api_key(&ada).await.unwrap();
    let key = pool.create_api_key(&ada).await.unwrap();
    let mut forged = key.clone().into_bytes();
    let last = forged.last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    let (access, refresh) = (admin.field("access_token"), admin.field("refresh_token"));
    let unsigned = access.rsplit_once('.').unwrap().0.to_owned();
    let theirs = other_pools_admin(app).await;
    vec![
        ("nothing", None),
        ("garbage", Some("garbage".to_owned())),
        ("an expired token", Some(expired.field("access_token"))),
        ("a revoked token", Some(revoked.field("access_token"))),
        ("the token of a disabled user", Some(disabled.field("access_token"))),
        ("the token of a deleted user", Some(deleted.field("access_token"))),
        ("an administrator's token of another pool", Some(theirs.access_token)),
        ("an administrator's API key of another pool", Some(theirs.api_key)),
        ("an administrator's refresh token", Some(refresh)),
        ("an administrator's id token", Some(admin.field("id_token"))),
        ("an administrator's token without its signature", Some(format!("{unsigned}."))),
        ("an API key that was replaced", Some(replaced_key)),
        ("an API key that was changed", Some(String::from_utf8(forged).unwrap())),
        ("the API key of a disabled user", Some(key_of_disabled)),
        ("the API key of a deleted user", Some(key_of_deleted)),
    ]
}

/// An administrator of the same name in another pool of the same deployment (K07).
async fn other_pools_admin(app: &TestApp) -> Person {
    let pool = PoolSettings::new("us-east-1_Other0000".to_owned(), "other".to_owned(), START);
    let client = Client::new("otherclient000000000000000".to_owned(), pool.id.clone(), "other".to_owned(), START);
    put(app, "client", &client.id, &pool.id, &client).await;
    put(app, "pool", &pool.id, "", &pool).await;
    app.reload().await;
    let pool = app.api.pools.find(&pool.id).unwrap();
    let group = cognate::pool::NewGroup { name: "admin".to_owned(), ..cognate::pool::NewGroup::default() };
    pool.create_group(group).await.unwrap();
    let email = "ada@example.test".to_owned();
    let groups = vec!["admin".to_owned()];
    let draft = NewUser { email: Some(email.clone()), groups, ..NewUser::new("ada", PASSWORD) };
    let user = pool.create_user(draft).await.unwrap();
    let source = std::net::IpAddr::from([127, 0, 0, 1]);
    let proven = pool.prove(&client, "ada", PASSWORD, source).await.unwrap();
    let access_token = pool.tokens_at_once(Terms::from(&client), &proven).await.unwrap().access_token;
    assert!(pool.authenticate(&access_token).await.is_ok(), "it is good where it comes from");
    Person { api_key: pool.create_api_key(&user).await.unwrap(), email, access_token }
}

async fn put(app: &TestApp, kind: &str, id: &str, parent: &str, content: &impl Serialize) {
    let body = serde_json::to_string(content).unwrap();
    let (kind, id, parent) = (kind.to_owned(), id.to_owned(), parent.to_owned());
    let document = Document { kind, id, parent, version: 1, body };
    assert!(app.api.ports.directory.create_document(&document).await.unwrap());
}
